"""Which samples each row of a scene table selects, and in which order rows are listed."""

import pytest

from sceneset.catalog.split_selection import (
    count_boxes,
    in_table_order,
    samples_by_row,
    select,
    split_files,
)
from sceneset.schemas.scene import Scene, Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag


def tag(stem: str, scenes: str = "", persons: str = "", **fields: object) -> Tag:
    plain = {"phase": "train", "stem": stem, "scenes": scenes, "persons": persons}
    return Tag.model_validate(plain | fields)


def row(scene: str, file: str = "x.txt", **fields: object) -> SplitRow:
    return SplitRow.model_validate({"scene": scene, "file": file} | fields)


TAGS = [
    tag("one", "ski", "single", source="clip", boxes=1),
    tag("two", "ski", "multi", boxes=2),
    tag("mixed", "ski;city:multi", "single"),
    tag("both", "ski:single;ski:multi"),
    tag("unknown", "ski", source="clip"),
    tag("bare"),
    tag("one", "ski", "single", phase="val", boxes=5),
]


@pytest.mark.parametrize(
    ("split_row", "stems"),
    [
        pytest.param(row("total"), ["one", "two", "mixed", "both", "unknown", "bare"], id="total"),
        pytest.param(row("total", persons="single"), ["one", "mixed", "both"], id="total single"),
        pytest.param(row("total", phase="val"), ["one"], id="total val"),
        pytest.param(row("total", phase="test"), [], id="total test"),
        pytest.param(row("ski"), ["one", "two", "mixed", "both", "unknown"], id="any persons"),
        pytest.param(row("ski", persons="single"), ["one", "mixed", "both"], id="single"),
        pytest.param(row("ski", persons="multi"), ["two", "both"], id="multi"),
        pytest.param(row("ski", persons="single", phase="val"), ["one"], id="val"),
        pytest.param(row("city", persons="multi"), ["mixed"], id="persons of this scene"),
        pytest.param(row("city", persons="single"), [], id="not the persons of the sample"),
        pytest.param(row("ski", source="clip"), ["one", "unknown"], id="source"),
        pytest.param(row("total", source="clip"), ["one", "unknown"], id="source, total"),
        pytest.param(row("sea"), [], id="no sample"),
    ],
)
def test_row_selects_samples_when_phase_scene_persons_and_source_match(split_row, stems):
    assert [tag.stem for tag in select(TAGS, split_row)] == stems
    [(_, selected)] = samples_by_row([split_row], TAGS)
    assert [tag.stem for tag in selected] == sorted(stems)


def test_split_files_list_one_stem_per_line_in_sorted_order():
    entry = Subset(
        name="CustomSeg_Person_20240115_web",
        kind="full",
        splits=(row("total", "total.txt"), row("ski", "ski.txt", persons="single"),
                row("city", "city.txt"), row("sea", "sea.txt")),
    )  # fmt: skip
    assert split_files(entry, TAGS) == {
        "total.txt": "bare\nboth\nmixed\none\ntwo\nunknown\n",
        "ski.txt": "both\nmixed\none\n",
        "city.txt": "mixed\n",
        "sea.txt": "",
    }
    assert split_files(entry, TAGS[::-1]) == split_files(entry, TAGS)


def test_count_boxes_returns_none_when_a_sample_has_no_count():
    assert count_boxes(TAGS) is None, "the sum of some samples is not the sum of all"
    known = [tag for tag in TAGS if tag.boxes is not None]
    assert count_boxes(known) == 8
    assert count_boxes([TAGS[2], TAGS[5]]) is None
    assert count_boxes([]) is None
    assert count_boxes([tag("a", boxes=0)]) == 0


def test_rows_are_sorted_as_in_the_table_of_the_document():
    scenes = tuple(Scene(key=k, name={"en": k}, file_stem=k) for k in ("ski", "city"))
    ordered = [
        row("total", "total.txt"),
        row("ski", "a.txt"),
        row("ski", "b.txt", persons="single"),
        row("ski", "c.txt", persons="single", source="clip"),
        row("ski", "d.txt", persons="multi"),
        row("city", "e.txt", persons="single"),
        row("total", "f.txt", phase="val"),
        row("ski", "g.txt", persons="single", phase="val"),
    ]
    result = in_table_order(Vocabulary(scenes=scenes), reversed(ordered))
    assert [r.file for r in result if r.phase == "train"] == [
        "total.txt", "a.txt", "b.txt", "c.txt", "d.txt", "e.txt",
    ]  # fmt: skip
    assert [r.file for r in result if r.phase == "val"] == ["f.txt", "g.txt"]
    assert result[:2] == [ordered[0], ordered[6]], "the totals come first"
