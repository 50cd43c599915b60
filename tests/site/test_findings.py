"""The page of findings: rules, places, related images, and what must not be named."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import tombstones_text
from sceneset.quality.leakage import find_leakage
from sceneset.schemas.finding import finding
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.rules import RULES
from sceneset.schemas.tombstone import Tombstone
from sceneset.site import pages_findings
from sceneset.site.finding_places import related_samples
from support.build import NAME
from support.policy import PROVENANCE, set_provenance
from support.site import HOSTILE, build, fragment, read


def place(stem: str, code: str = "mask-holes", **fields: Any) -> Any:
    message = fields.pop("message", "something is wrong")
    return finding(code, message, subset=NAME, phase="train", stem=stem, **fields)


def about(stem: str, other: str) -> Any:
    path = f"Insta360SemanticSeg/{NAME}/img_dir/train/{other}.jpg"
    message = f"looks like {path} (3 of 64 bits differ) in the same phase"
    return place(stem, "duplicate-near", message=message)


def test_every_rule_has_its_findings_with_links_to_the_samples(added, tmp_path):
    findings = [
        place("a", message=HOSTILE, hint="do this"),
        place("b", hint="do this"),
        place("gone", "mask-specks"),
        finding("schema", "unreadable", file="registry/scenes.yaml", row=3, field="scenes"),
    ]
    to = tmp_path / "to"
    build(added, to, findings=findings)
    for language in ("en", "zh"):
        page = read(to, f"{language}/findings.html")
        assert {NAME, "mask-holes", "mask-specks", "schema"} <= {*page.ids}
        for stem in "ab":
            [address] = [
                one for one, texts in page.links.items() if f"{NAME}/train/{stem}" in texts
            ]
            assert address.startswith(f"subsets/{NAME}.html#")
            assert fragment(address) == {"sample": f"{NAME}/train/{stem}"}
        assert f"{NAME}/train/gone" not in {text for texts in page.links.values() for text in texts}
        assert "<script>alert(1)</script>" in page.text
        assert "samples.html#finding=mask-holes" in page.links
        assert "samples.html#finding=schema" not in page.links
    page = read(to, "en/findings.html")
    assert page.text.count("do this") == 1  # a hint is not repeated
    assert "registry/scenes.yaml:3: scenes: unreadable" in page.text
    assert RULES["schema"].help in page.text
    assert "sceneset check --rule schema" not in page.text  # all are listed
    assert "#mask-holes" in page.links


def test_page_lists_so_many_places_and_the_command_for_all(added, tmp_path, monkeypatch):
    monkeypatch.setattr(pages_findings, "MOST_PLACES", 3)
    findings = [place("a", message=f"number {n}") for n in range(8)]
    to = tmp_path / "to"
    build(added, to, findings=findings, repo="https://example.com/a b.git", state="1.2.0")
    page = read(to, "en/findings.html")
    assert sum(f"number {n}" in page.text for n in range(8)) == 3
    command = "sceneset check --rule mask-holes --all --rev 1.2.0"
    assert f"Not listed here: 5. This command lists all: {command}" in page.text
    assert "--repo 'https://example.com/a b.git'" in page.text


def test_waived_findings_are_apart_with_their_reasons(added, tmp_path):
    waived = place("a").model_copy(update={"waived": HOSTILE})
    to = tmp_path / "to"
    build(added, to, findings=[waived, place("b")])
    page = read(to, "en/findings.html")
    assert "Accepted by waivers: 1" in page.text
    assert f"reason: {' '.join(HOSTILE.split())}" in page.text
    assert read(to, "en/index.html").rows("Findings")[1][:2] == ["mask-holes warning", "1"]
    build(added, to, findings=[waived])
    assert "Accepted by waivers: 1" in read(to, "en/findings.html").text
    assert "Findings" not in read(to, "en/index.html").tables


def test_related_images_are_side_by_side(added, tmp_path):
    to = tmp_path / "to"
    build(added, to, findings=[about("a", "b"), about("c", "gone"), about("d", "d")])
    for language in ("en", "zh"):
        text = (to / language / "findings.html").read_text("utf-8")
        assert text.count("<figure>") == 1
        assert text.count('src="../thumbs/') == 2
    pictures = [*to.glob("thumbs/*/*.webp")]
    assert len(pictures) == 2
    for path in pictures:
        with Image.open(path) as image:
            assert image.size == (32, 24)
    build(added, to, findings=[])
    assert not [*to.glob("thumbs/*/*.webp")]


def test_found_leaks_are_shown(added, tmp_path):
    path = added / f"registry/scans/{NAME}.parquet"
    scan = pq.read_table(path)
    copy = scan.to_pylist()[0] | {"phase": "val", "stem": "v", "image": "v.jpg", "mask": "v.png"}
    pq.write_table(pa.Table.from_pylist([*scan.to_pylist(), copy], scan.schema), path)
    with (added / f"registry/tags/{NAME}.csv").open("a") as file:
        file.write("val,v,ski,single,,\n")
    found = find_leakage(Catalog(added))
    assert "leak-bytes" in {one.code for one in found}
    to = tmp_path / "to"
    build(added, to, findings=found)
    page, text = read(to, "en/findings.html"), (to / "en/findings.html").read_text("utf-8")
    assert text.count("<figure>") == sum("img_dir" in one.message for one in found)
    both = {f"{NAME}/val/v", f"{NAME}/train/a"}
    assert both <= {text for texts in page.links.values() for text in texts}
    assert text.count('src="../thumbs/') == 2 * text.count("<figure>")


def test_restricted_sample_is_not_named(added, tmp_path):
    exceptions = [{"samples": ["train/b"], "restrictions": ["internal"]}]
    set_provenance(added, PROVENANCE | {"exceptions": exceptions})
    to = tmp_path / "to"
    findings = [place("b"), about("a", "b"), about("c", "d"), place("c")]
    build(added, to, findings=findings, left_out=(Restriction.INTERNAL,))
    for path in to.rglob("*"):
        assert not path.is_file() or b"train/b" not in path.read_bytes(), path
    assert "train/c" in read(to, "zh/findings.html").text
    assert "About samples that are not shown here: 1" in read(to, "en/findings.html").text


def test_withdrawn_sample_is_not_named(added, tmp_path):
    build(added, tmp_path / "to", findings=[place("b"), about("a", "b")])
    image = Catalog(added).scan(NAME, ("image_md5",))["image_md5"][1].as_py().hex()
    withdrawn = Tombstone(image=image, phash="0" * 16, phash_mirror="0" * 16, reason="x")
    (added / "registry/forgotten.yaml").write_text(tombstones_text([withdrawn]), "utf-8")
    build(added, tmp_path / "to", findings=[place("b"), about("a", "b")])
    for path in (tmp_path / "to").rglob("*"):
        assert not path.is_file() or b"train/b" not in path.read_bytes(), path
    assert not [*(tmp_path / "to").glob("thumbs/*/*")]


@pytest.mark.parametrize(
    "stem", ["a", "a.jpg", "a.jpg (3 of 64 bits differ)", "x y", "名.jpg.jpg", "img_dir"]
)
def test_name_of_another_image_is_found_whatever_it_contains(stem):
    path = f"Insta360SemanticSeg/{NAME}/img_dir/val/{stem}.jpg"
    message = f"looks like {path}, as their EXIF orientations show them (3 of 64 bits differ)"
    found = [str(name) for name in related_samples(message, {NAME: ".jpg"})]
    assert f"{NAME}/val/{stem}" in found
    assert [*related_samples(message, {})] == []
    assert [*related_samples("no image here", {NAME: ".jpg"})] == []


def test_page_without_findings_says_so(added, tmp_path):
    to = tmp_path / "to"
    build(added, to, findings=[])
    assert "no error and no warning" in read(to, "en/findings.html").text
    assert "没有错误" in read(to, "zh/findings.html").text
