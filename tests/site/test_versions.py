"""The pages of versions: what they hold, what changed, and pictures of that."""

import shutil
from hashlib import md5

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from sceneset.cli.catalogue import load_catalogue
from sceneset.errors import GitError
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.version import MadeBy, Version, VersionSelection
from sceneset.site import version_diffs, version_states
from sceneset.site.facts import SubsetFacts
from sceneset.site.folder import SiteFolder
from sceneset.site.model import SiteModel, SubsetModel
from sceneset.site.pages_version import version_page
from sceneset.site.render import Page
from sceneset.site.sample_keys import SampleKeys
from sceneset.versions.records import VersionTag
from support.build import NAME, git, write_mask
from support.site import HOSTILE, Read, build, read

DIGEST = "0123456789abcdef0123456789abcdef"
OTHER = "CustomSeg_Person_20240116_gone"


def record(number: str, previous: str | None = None, **fields) -> Version:
    part = {"kind": "full", "samples": {"train": 3, "val": 1}}
    part |= dict.fromkeys(("img_dir", "ann_dir", "entry", "tags", "splits"), DIGEST)
    return Version.model_validate(
        {"version": number, "previous": previous, "state": DIGEST, "samples": 4}
        | {"subsets": {NAME: part}, "changes": {"step": "minor"}}
        | fields
    )


def model_of(catalog: Catalog, *versions: Version, **fields) -> SiteModel:
    tags = catalog.tags(NAME)
    subset = SubsetModel(catalog.entry(NAME), SubsetFacts(), keys=SampleKeys.of(tags))
    return SiteModel(catalog, "t", "", "", [subset], [], versions,
                     translate=load_catalogue().translate, **fields)  # fmt: skip


def test_page_of_a_released_version_says_how_to_get_it(released, tmp_path):
    to = tmp_path / "to"
    build(released, to, findings=[], repo="https://example.com/x.git")
    commit = git(released, "rev-parse", "HEAD").strip()
    for language in ("en", "zh"):
        page = read(to, f"{language}/versions/1.0.0.html")
        pull = "sceneset pull --rev 1.0.0 --repo https://example.com/x.git --to DIR"
        assert pull in page.text
        assert "Registry.open('https://example.com/x.git', rev=\"1.0.0\")" in page.text
        assert commit in page.text
        assert f"../subsets/{NAME}.html" in page.links
    page = read(to, "en/versions/1.0.0.html")
    assert page.rows("Subsets")[1] == [NAME, "full", "4", "0", "0", "CC-BY-4.0"]
    assert "first version" in page.text
    assert "What changed" not in {text for _, text in page.headings}


def test_page_shows_changes_neighbours_and_hostile_texts(added):
    selection = VersionSelection(samples={"train": 2}, digest=DIGEST)
    changes = {
        "step": "major",
        "samples": {"added": 1200, "mask": 3, "removed": 0},
        "subsets_added": [OTHER],
        "scenes_removed": ["ski"],
    }
    subsets = dict(record("1.0.0").subsets) | {OTHER: record("1.0.0").subsets[NAME]}
    versions = (
        record("1.0.0"),
        record("2.0.0", "1.0.0", changes=changes, notes=f"One\n{HOSTILE}", subsets=subsets,
               selections={"small": selection},
               made_by=MadeBy(sceneset="0.2.0", command=HOSTILE)),
        record("2.0.1", "2.0.0"),
    )  # fmt: skip
    model = model_of(Catalog(added), *versions)
    model.tags = {"2.0.0": VersionTag("t", DIGEST, "no date", signed=True)}
    page = Read(version_page(Page(model, "versions/2.0.0.html", "en"), 1))
    assert page.rows("What changed") == [
        ["Samples added", "1,200"],
        ["Masks changed", "3"],
        ["Subsets added", OTHER],
        ["Scenes removed", "ski"],
    ]
    assert {"../versions/1.0.0.html", "../versions/2.0.1.html"} <= page.links.keys()
    assert f"../subsets/{OTHER}.html" not in page.links  # it is not in the shown state
    assert page.rows("Selections")[1] == ["small", "2", "0", "0", DIGEST]
    assert page.text.count("<script>alert(1)</script>") == 2
    assert "sceneset diff 1.0.0 2.0.0 --samples" in page.text
    assert "the tag is signed" in page.text
    last = Read(version_page(Page(model, "versions/2.0.1.html", "zh"), 2))
    assert "没有样本变化" in last.text


def test_versions_that_cannot_be_opened_are_left_out(added, monkeypatch):
    def fail(catalog: Catalog, version: str) -> Catalog:
        if version == "1.0.0":
            raise GitError("no such tag")
        return catalog

    monkeypatch.setattr(version_states, "open_in_same_repository", fail)
    catalog, records = Catalog(added), [record("1.0.0"), record("1.1.0")]
    states = version_states.open_versions(catalog, records)
    assert [*states] == ["1.1.0"]
    licences = version_states.version_licences(records, states)
    assert licences == {"1.1.0": {NAME: "CC-BY-4.0"}}
    (added / f"registry/subsets/{NAME}.yaml").write_text("no entry")
    states = {"1.1.0": Catalog(added)}
    assert version_states.version_licences(records, states) == {"1.1.0": {NAME: ""}}


@pytest.fixture
def changed(added, tmp_path):
    """Two states of a registry: the masks of a and b differ."""
    other = tmp_path / "other"
    shutil.copytree(added, other, symlinks=True)
    path = other / f"registry/scans/{NAME}.parquet"
    scan = pq.read_table(path)
    rows = scan.to_pylist()
    for row in rows[:2]:
        mask = other / f"Insta360SemanticSeg/{NAME}/ann_dir/train/{row['mask']}"
        mask.unlink()
        write_mask(mask, (32, 24), ignore=True)
        row["mask_md5"] = md5(mask.read_bytes()).digest()
    pq.write_table(pa.Table.from_pylist(rows, scan.schema), path)
    return Catalog(added), Catalog(other)


def diffs(changed, folder, left_out=(), count=1):
    old, new = changed
    model = model_of(new, record("1.0.0"), record("2.0.0", "1.0.0"))
    if left_out:  # the shown state restricts b, the versions do not
        model.subsets[0].restricted = 1
        tags = [tag for tag in new.tags(NAME) if tag.stem != "b"]
        model.subsets[0].keys = SampleKeys.of(tags)
    states = {"1.0.0": old, "2.0.0": new}
    return version_diffs.version_diffs(model, folder, states, left_out, count=count)


def test_changed_masks_are_shown_and_drawn_once(changed, tmp_path, monkeypatch):
    folder = SiteFolder(tmp_path / "to")
    found = diffs(changed, folder)
    assert found.keys() == {"2.0.0"}
    for language in ("en", "zh"):
        page = Read(found["2.0.0"][language])
        assert f"{NAME}/train/a" in page.text
        assert f"{NAME}/train/b" in page.text
    assert "有变化的标注" in found["2.0.0"]["zh"]
    pictures = [*(tmp_path / "to").glob("thumbs/*/*")]
    assert len(pictures) >= 4
    for path in pictures:
        assert f"../../thumbs/{path.parent.name}/{path.name}" in found["2.0.0"]["en"]
        with Image.open(path) as image:
            assert image.size == (32, 24)
    monkeypatch.setattr(version_diffs, "draw_diff", None)  # a call would fail
    again = SiteFolder(tmp_path / "to")
    assert diffs(changed, again) == found
    assert again.delete_others() == 0
    assert diffs(changed, folder, count=0) == {}


def test_sample_that_was_restricted_after_the_release_is_not_shown(changed, tmp_path):
    folder = SiteFolder(tmp_path / "to")
    diffs(changed, folder)  # what was drawn before must not be used again
    found = diffs(changed, folder, (Restriction.INTERNAL,))
    for text in found["2.0.0"].values():
        assert "train/a" in text
        assert "train/b" not in text


def test_version_without_any_picture_has_no_part(changed, tmp_path):
    for state in changed:
        for folder in ("img_dir", "ann_dir"):
            shutil.rmtree(state.root / f"Insta360SemanticSeg/{NAME}" / folder)
        shutil.rmtree(state.root / ".dvc/cache")
    folder = SiteFolder(tmp_path / "to")
    assert diffs(changed, folder) == {}
    assert not [*(tmp_path / "to").rglob("*")]


def test_incomplete_pictures_are_drawn_again(changed, tmp_path):
    mask = changed[1].root / f"Insta360SemanticSeg/{NAME}/ann_dir/train/a.png"
    content = mask.read_bytes()
    mask.unlink()
    folder = SiteFolder(tmp_path / "to")
    part = diffs(changed, folder)["2.0.0"]["en"]
    assert "is not on this machine" in part
    mask.write_bytes(content)
    assert "is not on this machine" not in diffs(changed, folder)["2.0.0"]["en"]
