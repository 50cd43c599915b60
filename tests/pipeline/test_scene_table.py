"""The scene table of the document at full size: 6,003 images, 31 rows, 6,007 memberships."""

import csv
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, ROOT, SHARED, Outcome, dvc, needs_shared

IMAGES = 6003
Row = dict[str, str]


def table() -> list[Row]:
    with (ROOT / "tests/data/scene_table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stems_of(rows: list[Row]) -> dict[str, list[str]]:
    """Return the stems of each split file; four stems are in two scenes, to make 6,007."""
    stems = [f"{number:06d}" for number in range(IMAGES)]
    assigned, listed = 0, {}
    for row in rows:
        if row["split"] == "total":
            listed[row["split_file"]] = stems
            continue
        count = int(row["images"])
        listed[row["split_file"]] = sorted(stems[(assigned + n) % IMAGES] for n in range(count))
        assigned += count
    assert assigned == 6007
    return listed


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    folder = tmp_path_factory.mktemp("big")
    listed = stems_of(table())
    for part in ("img_dir/train", "ann_dir/train", "split_dir"):
        (folder / part).mkdir(parents=True)
    colours = np.random.default_rng(6003).integers(0, 256, (IMAGES, 12, 16, 3), dtype=np.uint8)
    mask = np.zeros((12, 16), np.uint8)
    mask[3:10, 5:9] = 1
    Image.fromarray(mask).save(folder / "mask.png")
    for number, pixels in enumerate(colours):
        Image.fromarray(pixels).save(folder / f"img_dir/train/{number:06d}.jpg")
        (folder / f"ann_dir/train/{number:06d}.png").hardlink_to(folder / "mask.png")
    (folder / "mask.png").unlink()
    for name, stems in listed.items():
        (folder / "split_dir" / name).write_text("".join(f"{stem}\n" for stem in stems))
    return folder, listed


def test_cards_show_the_document_s_table_when_its_splits_were_delivered(
    big: tuple[Path, dict[str, list[str]]], registry: Path, sceneset: Callable[..., Outcome]
) -> None:
    delivery, listed = big
    outcome = sceneset("add", delivery, "--name", NAME, "--all", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("persons-conflict") == 4, "kept in both splits, and reported"
    dvc(registry, "repro")
    expected = [
        (r["split"], r["split_file"], r["images"], "None", r["description_zh"]) for r in table()
    ]
    assert len(expected) == 31
    assert markdown_rows(registry / f"registry/cards/{NAME}.zh.md") == expected
    assert html_rows(registry / f"registry/cards/{NAME}.zh.html") == expected
    splits = registry / f"Insta360SemanticSeg/{NAME}/split_dir"
    assert {path.name: path.read_text().split() for path in splits.iterdir()} == listed
    manifest = json.loads((registry / "registry/manifest.json").read_text())
    parts = manifest["subsets"][NAME]["splits"]
    assert {name: part["images"] for name, part in parts.items()} == {
        name: len(stems) for name, stems in listed.items()
    }
    found = sceneset("lookup", "滑雪", "--persons", "single", "--json", cwd=registry).json
    assert [row["images"] for row in found] == [905]


def markdown_rows(page: Path) -> list[tuple[str, ...]]:
    lines = page.read_text("utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| 类别"))
    assert lines[start].count("|") == 9, "eight columns"
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[:2] == ["person", str(IMAGES)]
        rows.append(tuple(cells[3:]))
    return rows


class Cells(HTMLParser):
    """Collects the cells of the first table, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        if self.tables == 1 and tag == "tr":
            self.rows.append([])
        elif self.tables == 1 and tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tables == 1 and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def html_rows(page: Path) -> list[tuple[str, ...]]:
    parser = Cells()
    parser.feed(page.read_text("utf-8"))
    head, subhead, first, *rest = parser.rows
    assert (len(head), len(subhead)) == (4, 5), "three columns, and one header above five more"
    assert first[:2] == ["person", str(IMAGES)]
    return [tuple(first[3:]), *map(tuple, rest)]


@needs_shared
def test_copy_of_the_scene_table_equals_the_document_s() -> None:
    with (SHARED / "spec/scene_table.csv").open(encoding="utf-8", newline="") as file:
        theirs = list(csv.DictReader(file))
    ours = table()
    assert [{name: row[name] for name in ours[0]} for row in theirs] == ours
