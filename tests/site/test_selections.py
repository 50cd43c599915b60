"""The pages of selections: their rule, and exactly their members."""

import json
import re

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import resolve_selection, summarize
from sceneset.schemas.provenance import Restriction
from sceneset.site.sample_keys import runs
from support.build import NAME
from support.policy import PROVENANCE, set_provenance
from support.site import HOSTILE, build, read, script_values


def select(root, **selections):
    path = root / "params.yaml"
    text = re.sub(r"(?m)^selections:.*\n(  .*\n)*", "", path.read_text())
    path.write_text(f"{text}\nselections: {json.dumps(selections)}\n")


def grid(to, path):
    """Return the settings of a page's grid."""
    text = (to / path).read_text("utf-8")
    match = re.search(r'<script type="application/json" id="settings">(.*)</script>', text)
    return json.loads(match[1])["grid"]


def members(to, path):
    """Return the samples that a page's grid shows, as the page's script finds them."""
    found = []
    for subset, some in grid(to, path)["members"].items():
        values = script_values(to / f"data/{subset}.js")
        phases = {"t": "train", "v": "val", "e": "test"}
        keys = [
            f"{phases[phase]}/{stem}"
            for phase, stem in zip(values["phases"], values["stems"].split("\n"), strict=True)
        ]
        places = [start + n for start, length in zip(some[::2], some[1::2], strict=True)
                  for n in range(length)]  # fmt: skip
        found += [f"{subset}/{keys[place]}" for place in places]
    return found


@pytest.mark.parametrize(
    ("numbers", "found"),
    [([], []), ([3], [3, 1]), ([0, 1, 2], [0, 3]), ([0, 2, 3, 9], [0, 1, 2, 2, 9, 1])],
)
def test_runs_are_starts_and_lengths(numbers, found):
    assert runs(numbers) == found


def test_page_of_a_selection_shows_exactly_its_members(added, tmp_path):
    rules = {
        "all": {},
        "few": {"cap": 2, "seed": 3, "weight": 2.0, "description": HOSTILE.replace("\u202e", "")},
        "not-b": {"exclude": {"stems": ["b"]}, "persons": "single"},
    }
    select(added, **rules)
    to = tmp_path / "to"
    build(added, to, findings=[])
    catalog = Catalog(added)
    for name in rules:
        chosen = resolve_selection(catalog, name)
        wanted = [f"{NAME}/{tag.phase}/{tag.stem}" for tag in chosen[NAME]]
        assert members(to, f"en/selections/{name}.html") == wanted
        assert grid(to, f"zh/selections/{name}.html")["selection"] == name
        page = read(to, f"en/selections/{name}.html")
        assert summarize(catalog, name).digest in page.text
        assert f"../selections/{name}.html" not in page.links  # relative to its own folder
        assert f"selections/{name}.html" in read(to, "en/index.html").links
    page = read(to, "en/selections/few.html")
    assert "At most 2 Seed 3 Weight in training 2" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "Without samples b" in read(to, "en/selections/not-b.html").text
    assert "all samples" in read(to, "en/selections/all.html").text


def test_restricted_members_are_counted_and_not_shown(added, tmp_path):
    exceptions = [{"samples": ["train/b"], "restrictions": ["internal"]}]
    set_provenance(added, PROVENANCE | {"exceptions": exceptions})
    select(added, all={})
    to = tmp_path / "to"
    build(added, to, findings=[], left_out=(Restriction.INTERNAL,))
    assert members(to, "en/selections/all.html") == [f"{NAME}/train/{stem}" for stem in "acd"]
    assert "Not shown here: 1 of 4 samples" in read(to, "en/selections/all.html").text


def test_selection_that_names_an_unknown_scene_has_a_page_that_says_so(added, tmp_path):
    select(added, odd={"scenes": ["no such scene"]})
    to = tmp_path / "to"
    build(added, to, findings=[])
    page = read(to, "en/selections/odd.html")
    assert "can't be resolved" in page.text
    assert "no such scene" in page.text
    assert grid(to, "en/selections/odd.html") is None
