"""Views: which samples a row of a scene table selects."""

import pytest

from sceneset.catalog.split_selection import boxes_of, rows_of, select, split_files, table_order
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
    tag("unsaid", "ski", source="clip"),
    tag("bare"),
    tag("one", "ski", "single", phase="val", boxes=5),
]


@pytest.mark.parametrize(
    ("made", "stems"),
    [
        pytest.param(row("total"), ["one", "two", "mixed", "both", "unsaid", "bare"], id="total"),
        pytest.param(row("total", persons="single"), ["one", "mixed", "both"], id="total single"),
        pytest.param(row("total", phase="val"), ["one"], id="total val"),
        pytest.param(row("total", phase="test"), [], id="total test"),
        pytest.param(row("ski"), ["one", "two", "mixed", "both", "unsaid"], id="persons left out"),
        pytest.param(row("ski", persons="single"), ["one", "mixed", "both"], id="single"),
        pytest.param(row("ski", persons="multi"), ["two", "both"], id="multi"),
        pytest.param(row("ski", persons="single", phase="val"), ["one"], id="val"),
        pytest.param(row("city", persons="multi"), ["mixed"], id="as the scene says"),
        pytest.param(row("city", persons="single"), [], id="not as the sample says"),
        pytest.param(row("ski", source="clip"), ["one", "unsaid"], id="source"),
        pytest.param(row("total", source="clip"), ["one", "unsaid"], id="source of all"),
        pytest.param(row("sea"), [], id="nothing"),
    ],
)
def test_what_a_row_selects(made, stems):
    assert [tag.stem for tag in select(TAGS, made)] == stems
    [(_, selected)] = rows_of([made], TAGS)
    assert [tag.stem for tag in selected] == sorted(stems)


def test_split_files_are_what_the_strictest_reader_takes():
    entry = Subset(
        name="CustomSeg_Person_20240115_web",
        kind="full",
        splits=(row("total", "total.txt"), row("ski", "ski.txt", persons="single"),
                row("city", "city.txt"), row("sea", "sea.txt")),
    )  # fmt: skip
    assert split_files(entry, TAGS) == {
        "total.txt": "bare\nboth\nmixed\none\ntwo\nunsaid\n",
        "ski.txt": "both\nmixed\none\n",
        "city.txt": "mixed\n",
        "sea.txt": "",
    }
    assert split_files(entry, TAGS[::-1]) == split_files(entry, TAGS)


def test_boxes_are_added_where_all_are_known():
    assert boxes_of(TAGS) is None, "a part must not pass for the whole"
    known = [tag for tag in TAGS if tag.boxes is not None]
    assert boxes_of(known) == 8
    assert boxes_of([TAGS[2], TAGS[5]]) is None
    assert boxes_of([]) is None
    assert boxes_of([tag("a", boxes=0)]) == 0


def test_rows_stand_as_in_the_document():
    scenes = tuple(Scene(key=k, name={"en": k}, file_stem=k) for k in ("ski", "city"))
    wanted = [
        row("total", "total.txt"),
        row("ski", "a.txt"),
        row("ski", "b.txt", persons="single"),
        row("ski", "c.txt", persons="single", source="clip"),
        row("ski", "d.txt", persons="multi"),
        row("city", "e.txt", persons="single"),
        row("total", "f.txt", phase="val"),
        row("ski", "g.txt", persons="single", phase="val"),
    ]
    found = table_order(Vocabulary(scenes=scenes), reversed(wanted))
    assert [r.file for r in found if r.phase == "train"] == [
        "total.txt", "a.txt", "b.txt", "c.txt", "d.txt", "e.txt",
    ]  # fmt: skip
    assert [r.file for r in found if r.phase == "val"] == ["f.txt", "g.txt"]
    assert found[:2] == [wanted[0], wanted[6]], "the totals come first"
