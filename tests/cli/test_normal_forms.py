"""Names that users give in another Unicode normal form than the registry has them."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from support.build import NAME, Run, dvc, make_delivery, write_mask

FORMS = {"given in NFD": ("NFC", "NFD"), "given in NFC": ("NFD", "NFC")}
"""Normal form of the registry, and of what users give."""
STEMS = ("café", "naïve", "plain")


@pytest.fixture(params=FORMS)
def forms(
    request: pytest.FixtureRequest, tmp_path: Path, registry: Path, sceneset: Run
) -> tuple[str, str]:
    """Add a subset whose stems are in one form, with a file of tags in the other one."""
    stored, given = FORMS[request.param]
    stems = [unicodedata.normalize(stored, stem) for stem in STEMS]
    folder = make_delivery(tmp_path / "d", train=stems, splits={})
    tags = tmp_path / "tags.csv"
    rows = [f"train,{unicodedata.normalize(given, stem)},ski,single,," for stem in STEMS]
    tags.write_text("\n".join(["phase,stem,scenes,persons,boxes,source", *rows, ""]), "utf-8")
    added = sceneset("add", folder, "--name", NAME, "--tags", tags, cwd=registry)
    assert added.code == 0, added.err
    dvc(registry, "repro", "--quiet")
    return stored, given


def test_commands_find_samples_whose_names_are_given_in_another_normal_form(
    forms: tuple[str, str], registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    stored, stem = forms[0], unicodedata.normalize(forms[1], "café")
    listed = tmp_path / "stems.txt"
    listed.write_text(f"train/{stem}\n", "utf-8-sig")
    for words in (
        ("forget", f"{NAME}/train/{stem}", "--reason", "case 1"),
        ("tag", "--stems-file", listed, "--add", "city"),
        ("tag", "--match", f"{stem}*", "--add", "city"),
        ("drop", "--stems-file", listed, "--reason", "blurred"),
    ):
        outcome = sceneset(*words, "--dry-run", cwd=registry)
        assert outcome.code == 0, outcome.err
        assert re.search(r"\b1\b", outcome.out + outcome.err), outcome.out
    params = registry / "params.yaml"
    text = params.read_text("utf-8")
    chosen = (
        f'selections:\n  rest: {{exclude: {{stems: ["{stem}"]}}}}\n  one: {{stems: ["{stem}"]}}'
    )
    params.write_text(text.replace("selections: {}", chosen), "utf-8")
    for name, count in (("rest", 2), ("one", 1)):
        samples = sceneset("lookup", name, "--samples", "--json", cwd=registry).json
        assert len(samples) == count
        assert (unicodedata.normalize(stored, "café") in {s["stem"] for s in samples}) == (
            name == "one"
        )


def test_predictions_and_boxes_are_found_when_their_names_are_in_another_normal_form(
    forms: tuple[str, str], registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    for stem in STEMS:
        write_mask(tmp_path / f"predictions/{unicodedata.normalize(forms[1], stem)}.png")
    outcome = sceneset("evaluate", tmp_path / "predictions", "--json", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert outcome.json["compared"] == 3
    image = {"id": 1, "file_name": f"{unicodedata.normalize(forms[1], 'café')}.jpg"}
    boxes = tmp_path / "boxes.json"
    content = {
        "images": [image | {"width": 32, "height": 24}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 30, 22]}],
    }
    boxes.write_text(json.dumps(content), "utf-8")
    options = ("--dry-run", "--min-side", 8)
    cut = sceneset("crop", NAME, "--boxes", boxes, "--name", f"{NAME}2", *options, cwd=registry)
    assert "1 crop of 1 original" in cut.err, cut.err
