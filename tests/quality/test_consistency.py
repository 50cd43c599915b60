"""Files of the registry are compared with each other."""

from pathlib import Path

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
