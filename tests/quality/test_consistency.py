"""Files of the registry are compared with each other."""

from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.catalog.tombstones import TOMBSTONES_FILE, tombstones_text
from sceneset.schemas.tombstone import Tombstone
from support.build import NAME, Run


def codes(root: Path, sceneset: Run) -> set[str]:
    return {p["code"] for p in sceneset("check", "--json", cwd=root).json}


def test_check_reports_tags_that_no_row_of_the_scene_table_selects(
    added: Path, sceneset: Run
) -> None:
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,ski", "train,a,ski;city"))
    assert "row-missing" in codes(added, sceneset)


@pytest.mark.parametrize(("rows", "is_refused"), [(28, False), (29, True)])
def test_tags_of_many_samples_are_refused_unread_where_the_scan_has_few(
    rows: int, is_refused: bool, added: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sceneset.catalog.tags_csv._MANY", 20)
    tags = added / f"registry/tags/{NAME}.csv"
    more = "".join(f"train,s{n},ski,single,,\n" for n in range(rows - tags.read_text().count("\n")))
    tags.write_text(tags.read_text() + more)
    found = sceneset("check", "--json", cwd=added).json
    about = [p["message"] for p in found if p["code"] == "tag-without-image"]
    if is_refused:
        assert about == ["has 29 rows, but the scan has 4 samples"]
    else:
        assert len(about) == 23  # one for each row: all were read
    (added / f"registry/scans/{NAME}.parquet").write_bytes(b"broken")
    assert "scan-broken" in codes(added, sceneset), "the tags are read if the scan can't be"


def test_check_reports_files_of_a_subset_that_is_not_listed(added: Path, sceneset: Run) -> None:
    (added / "registry/tags/CustomSeg_Person_20240101_gone.csv").write_text("phase,stem\n")
    assert "not-registered" in codes(added, sceneset)


def test_check_reports_a_withdrawn_picture_when_the_registry_has_another_file_of_it(
    added: Path, sceneset: Run
) -> None:
    row = Registry.open(added).scan(NAME).to_pylist()[0]
    tombstone = Tombstone(
        image="0" * 32,
        phash="0" * 16,
        phash_mirror="0" * 16,
        picture=row["picture"].hex(),
        reason="asked for",
    )
    (added / TOMBSTONES_FILE).write_text(tombstones_text([tombstone]))
    outcome = sceneset("check", "--json", cwd=added)
    [found] = [p for p in outcome.json if p["code"] == "forgotten"]
    assert (found["stem"], found["message"]) == (row["stem"], "was withdrawn: asked for")
    assert row["image_md5"].hex() in found["hint"]
