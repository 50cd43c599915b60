"""Findings on tags, split files and scene tables name the row to edit."""

from pathlib import Path

import yaml

from sceneset.catalog.reader import Catalog
from sceneset.quality.evaluate import all_findings
from support.build import NAME


def rows_of(root: Path, code: str) -> list[tuple[str, int | None]]:
    found = all_findings(Catalog(root), None)
    return [(Path(p.file).name, p.row) for p in found if p.code == code]


def line_of(path: Path, words: str) -> int:
    [line] = [n for n, text in enumerate(path.read_text().splitlines(), 1) if words in text]
    return line


def test_finding_on_a_tag_has_the_line_of_the_csv_file(added):
    path = added / f"registry/tags/{NAME}.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, "train,gone,ski,single,,", *rows, ""]))
    assert rows_of(added, "tag-without-image") == [(path.name, 2)]


def test_finding_on_a_tag_has_the_line_when_values_span_lines(added):
    path = added / f"registry/tags/{NAME}.csv"
    header, *rows = path.read_text().splitlines()
    conflict = [f"{rows[0].split(',')[0]},{rows[0].split(',')[1]},city:multi;ski:single,,,"]
    path.write_text("\ufeff" + "\n".join([header, *rows[1:], *conflict, ""]))
    assert rows_of(added, "persons-conflict") == [(path.name, len(rows) + 1)]


def test_finding_on_the_scene_table_has_the_line_of_the_entry(added):
    path = added / f"registry/subsets/{NAME}.yaml"
    entry = yaml.safe_load(path.read_text())
    entry["splits"][1]["images"] = 99
    entry["splits"].append({"scene": "sea", "persons": "single", "file": "sea.txt"})
    first = path.read_text().splitlines()[0]
    text = yaml.safe_dump(entry, allow_unicode=True, sort_keys=False)
    path.write_text(f"{first}\n{text}" if first.startswith("#") else text)
    assert rows_of(added, "count-differs") == [(path.name, line_of(path, "images: 99"))]
    assert rows_of(added, "row-empty") == [(path.name, line_of(path, "scene: sea"))]


def test_finding_without_a_row_stays_as_it_is(added):
    path = added / f"registry/tags/{NAME}.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], ""]))
    assert rows_of(added, "image-without-tag") == [(path.name, None)]


def test_add_with_tags_names_the_row_of_the_tags(delivery, registry, sceneset):
    tags = delivery.parent / "tags.csv"
    rows = "train,a,city:multi;ski:single,\ntrain,b,ski,single\ntrain,c,ski,multi\n"
    tags.write_text(f"phase,stem,scenes,persons\n{rows}train,d,ski,multi\n")
    command = ("add", delivery, "--name", "CustomSeg_Person_20240117_x", "--tags", tags)
    outcome = sceneset(*command, "--dry-run", "--json", cwd=registry)
    found = [p for p in outcome.json["problems"] if p["code"] == "persons-conflict"]
    assert [(p["file"], p["row"]) for p in found] == [("tags.csv", 2)]


def test_split_file_that_differs_from_the_tags_has_the_row_of_the_first_difference(
    delivery, registry, sceneset
):
    tags = delivery.parent / "tags.csv"
    rows = "train,a,ski,single\ntrain,b,,\ntrain,c,ski,multi\ntrain,d,ski,multi\n"
    tags.write_text(f"phase,stem,scenes,persons\n{rows}")
    command = ("add", delivery, "--name", "CustomSeg_Person_20240117_x", "--tags", tags)
    outcome = sceneset(*command, "--dry-run", "--json", cwd=registry)
    found = [p for p in outcome.json["problems"] if p["code"] == "split-differs"]
    assert [(p["file"], p["row"]) for p in found] == [("split_dir/ski.txt", 2)]
