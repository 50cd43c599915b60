"""The index of all samples: search, facets and pages give what a look at every tag gives."""

import json
import random
import sqlite3
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sceneset.catalog.provenance import Restriction
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_arrays import FACETS, Filter
from sceneset.catalog.sample_index import SampleIndex, SampleQuery
from sceneset.catalog.sample_index_builder import open_sample_index
from sceneset.catalog.sample_index_rows import SubsetRows
from sceneset.catalog.sample_order import SORTS
from sceneset.catalog.sample_text import Lines, fold_text, index_words
from sceneset.catalog.split_selection import persons_of
from sceneset.catalog.tombstones import tombstones_text
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase
from sceneset.schemas.tombstone import Tombstone
from support.build import NAME
from support.texts import OTHER_NAME, VOCABULARY, text_registry

SCENES = ("ski", "city", "sea")
HOSTILE = ("<img src=x onerror=alert(1)>", "a'b\"c", "滑雪 场", "%2e%2e", "=1+1", "ＡＢＣ")


def drawn_tags(seed: int, count: int) -> str:
    """Return tags with every kind of scenes and persons, and with odd stems."""
    choose = random.Random(seed)
    lines = ["phase,stem,scenes,persons,boxes,source"]
    for number in range(count):
        scenes = [
            choose.choice((scene, f"{scene}:single", f"{scene}:multi"))
            for scene in choose.sample(SCENES, choose.choice((0, 1, 1, 2)))
        ]
        if choose.random() < 0.1:
            scenes = ["ski:single", "ski:multi"]
        odd = choose.choice(HOSTILE) if choose.random() < 0.1 else "clip"
        stem = f'"{odd.replace(chr(34), chr(34) * 2)}_{number:04d}"'
        persons = choose.choice(("single", "multi", ""))
        phase = choose.choice(list(Phase))
        lines.append(f"{phase},{stem},{';'.join(scenes)},{persons},,{choose.choice(('', 'cam 7'))}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory):
    with text_registry(**{NAME: drawn_tags(1, 150), OTHER_NAME: drawn_tags(2, 90)}) as root:
        yield Catalog(root), open_sample_index(Catalog(root))


def all_tags(catalog: Catalog) -> list[tuple[str, Tag]]:
    return [(name, tag) for name in catalog.names for tag in catalog.tags(name)]


def is_selected(subset: str, tag: Tag, wanted: Filter) -> bool:
    """Return whether a filter selects a sample: the plain way."""
    for word in map(fold_text, wanted.text.split()):
        texts = [tag.stem, tag.source, subset]
        texts += [n for scene, _ in tag.scenes for n in VOCABULARY.by_key[scene].all_names]
        if not any(word in fold_text(text) for text in texts):
            return False
    persons = {p or "unknown" for p in persons_of(tag)}
    if wanted.scenes:
        pairs = [p or "unknown" for scene, p in tag.memberships if scene in wanted.scenes]
        if not pairs:
            return False
        persons = set(pairs)
    return (
        (not wanted.persons or bool(persons & set(wanted.persons)))
        and (not wanted.phases or tag.phase in wanted.phases)
        and (not wanted.subsets or subset in wanted.subsets)
        and (not wanted.rules or bool(set(rules_of(tag)) & set(wanted.rules)))
    )


def rules_of(tag: Tag) -> list[str]:
    return ["persons-conflict"] if tag.persons_summary == "mixed" else []


def values_of(facet: str, subset: str, tag: Tag) -> list[str]:
    return {
        "scene": [scene for scene, _ in tag.scenes],
        "persons": ["single", "multi", "unknown"],
        "phase": [str(tag.phase)],
        "subset": [subset],
        "rule": rules_of(tag),
    }[facet]


FILTERS = [
    Filter(),
    Filter(text="滑雪"),
    Filter(text="滑雪 cam"),
    Filter(text="ABC"),
    Filter(text="onerror=alert(1)"),
    Filter(text="nothing has this"),
    Filter(scenes=("ski",)),
    Filter(scenes=("ski", "sea"), persons=("single",)),
    Filter(persons=("multi", "unknown")),
    Filter(phases=("val", "test"), subsets=(OTHER_NAME,), text="clip"),
    Filter(rules=("persons-conflict",), phases=("train",)),
    Filter(subsets=("no such subset",)),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_search_and_facets_equal_a_count_over_all_tags(drawn, wanted):
    catalog, index = drawn
    tags = all_tags(catalog)
    expected = [(s, t.phase, t.stem) for s, t in tags if is_selected(s, t, wanted)]
    page = index.page(SampleQuery(wanted), limit=500)
    assert [(r["subset"], r["phase"], r["stem"]) for r in page.samples] == expected
    assert page.total == index.count(wanted) == len(expected)
    for facet in FACETS:
        counts: dict[str, int] = {}
        for subset, tag in tags:
            for value in dict.fromkeys(values_of(facet, subset, tag)):
                narrowed = Filter(**{**wanted.without(facet).__dict__, FACETS[facet]: (value,)})
                counts[value] = counts.get(value, 0) + is_selected(subset, tag, narrowed)
        found = index.facets(wanted)[facet]
        assert found == {value: count for value, count in counts.items() if count}, facet


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_are_the_whole_list_in_order(drawn, sort, reverse):
    _, index = drawn
    query = SampleQuery(Filter(phases=("train", "val")), sort, reverse)
    whole = index.page(query, limit=500).samples
    assert len(whole) == index.count(query.filter)
    if sort == "name":
        keys = [(r["subset"], r["phase"], r["stem"]) for r in whole]
        assert keys == sorted(keys, reverse=reverse)
    found, after = [], ""
    while True:
        page = index.page(query, after=after, limit=7)
        found += page.samples
        after = page.next
        if not after:
            break
    assert found == whole


def test_page_goes_on_when_its_last_sample_is_gone(drawn):
    _, index = drawn
    rows = index.page(SampleQuery(), limit=500).samples
    for place in (0, 10, 149, 150, 200):
        row = rows[place]
        gone = f"0.0|{row['subset']}/{row['phase']}/{row['stem']}!"  # sorts after the sample
        following = index.page(SampleQuery(), after=gone, limit=1).samples
        assert following == rows[place + 1 : place + 2]
        before = index.page(SampleQuery(reverse=True), after=gone, limit=1).samples
        assert before == [row]
    assert index.page(SampleQuery(), after="0.0|A/train/x", limit=1).samples == rows[:1]
    assert index.page(SampleQuery(), after="0.0|Z/train/x", limit=1).samples == []


@pytest.mark.parametrize("after", ["x", "1|2", "a|b/train/c", "0.0|s/nowhere/x"])
def test_page_after_something_else_is_refused(drawn, after):
    with pytest.raises(ValueError, match=r"use the value|could not convert"):
        drawn[1].page(SampleQuery(), after=after)


def test_views_and_words_are_for_sql(drawn):
    catalog, index = drawn
    with sqlite3.connect(index.file) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM samples")
        assert count == len(all_tags(catalog))
        statement = "SELECT count(*) FROM search WHERE search MATCH ?"
        [(count,)] = connection.execute(statement, ["滑雪"])
        assert count == index.count(Filter(text="滑雪")) > 0
        [(key, en, samples)] = connection.execute(
            "SELECT key, en, samples FROM scenes WHERE key = 'ski'"
        )
        assert (key, samples) == ("ski", index.count(Filter(scenes=("ski",))))
        assert en
        [(train,)] = connection.execute("SELECT train FROM subsets WHERE name = ?", [NAME])
        assert train == index.count(Filter(subsets=(NAME,), phases=("train",)))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("滑雪", "滑雪"),
        ("滑雪场 ski", "滑雪 雪场 ski"),
        ("Clip_07-雪", "clip 07 雪"),
        ("ＳＫＩ", "ski"),
        ("\u202e<b>", "b"),
    ],
)
def test_index_words_are_pairs_of_chinese_characters_and_whole_other_words(text, words):
    assert index_words(text) == words


@pytest.mark.parametrize("word", ["a", "ab", "00", "雪", "滑雪", "12", "x" * 50, "", "\n"])
def test_lines_with_a_word_are_found_however_many_there_are(word):
    choose = random.Random(3)
    texts = ["".join(choose.choices("ab01滑雪", k=choose.randint(0, 12))) for _ in range(3000)]
    found = Lines("".join(f"{text}\n" for text in texts).encode()).containing(word)
    expected = np.array([bool(word) and word in text for text in texts])
    assert (found == expected).all()


def test_lines_may_be_none():
    assert len(Lines(b"").containing("a")) == 0


def record_rows(monkeypatch) -> list[str]:
    """Return a list that will hold the names of the subsets whose rows are written."""
    names: list[str] = []
    rows = SubsetRows.rows

    def rows_and_record(self):
        names.append(self._name)
        return rows(self)

    monkeypatch.setattr(SubsetRows, "rows", rows_and_record)
    return names


def subset_names(index: SampleIndex) -> dict[str, int]:
    return {row["name"]: row["samples"] for row in index.subsets}


def test_only_subsets_that_changed_are_written_again(monkeypatch):
    tags = drawn_tags(1, 20)
    with text_registry(**{NAME: tags, OTHER_NAME: drawn_tags(2, 10)}) as root:
        open_sample_index(Catalog(root))
        names = record_rows(monkeypatch)
        assert subset_names(open_sample_index(Catalog(root))) == {NAME: 20, OTHER_NAME: 10}
        assert names == []
        (root / f"registry/tags/{NAME}.csv").write_text(f"{tags}train,new,ski,single,,\n")
        index = open_sample_index(Catalog(root))
        assert (names, subset_names(index)) == ([NAME], {NAME: 21, OTHER_NAME: 10})
        assert index.find(NAME, "train", "new")
        assert index.count(Filter(text="new")) == 1
        params = root / "params.yaml"
        params.write_text(params.read_text().replace(f"- {OTHER_NAME}\n", ""))
        index = open_sample_index(Catalog(root))
        assert (names, subset_names(index)) == ([NAME], {NAME: 21})
        with sqlite3.connect(index.file) as connection:
            for table in ("sample", "search", "counted", "subset_column"):
                column = "rowid" if table == "search" else "rowid >> 32"
                column = {"sample": "subset", "search": "rowid >> 32"}.get(table, "subset")
                statement = f"SELECT DISTINCT {column} FROM {table}"
                assert len(connection.execute(statement).fetchall()) == 1, table
        scenes = root / "registry/scenes.yaml"
        scenes.write_text(scenes.read_text().replace("滑雪", "滑雪场", 1))
        assert open_sample_index(Catalog(root)).count(Filter(text="雪场")) > 0
        assert names == [NAME, NAME]


@pytest.mark.parametrize("data", [b"", b"no index", b"SQLite format 3\0" + bytes(4000)])
def test_index_is_built_again_when_its_file_is_damaged(data):
    with text_registry(**{NAME: drawn_tags(1, 20)}) as root:
        path = Path(open_sample_index(Catalog(root)).file)
        path.write_bytes(data)
        assert len(open_sample_index(Catalog(root))) == 20
        assert len(SampleIndex(sqlite3.connect(path))) == 20


def test_index_is_in_memory_when_its_folder_is_a_link(tmp_path):
    with text_registry(**{NAME: drawn_tags(1, 20)}) as root:
        (root / ".sceneset").symlink_to(tmp_path, target_is_directory=True)
        index = open_sample_index(Catalog(root))
        assert (len(index), index.file, list(tmp_path.iterdir())) == (20, "", [])


def test_withdrawn_samples_are_never_in_the_index(added, monkeypatch):
    catalog = Catalog(added)
    before = open_sample_index(catalog)
    row = before.find(NAME, "train", "a")
    assert row
    assert len(before) == 4
    zeros = "0" * 16
    fields = {"image": row["image_md5"], "phash": zeros, "phash_mirror": zeros, "reason": "wish"}
    tombstone = Tombstone.model_validate(fields)
    (added / "registry/forgotten.yaml").write_text(tombstones_text([tombstone]))
    index = open_sample_index(Catalog(added))
    assert (len(index), index.find(NAME, "train", "a")) == (3, None)
    assert index.subsets[0]["withdrawn"] == 1
    with sqlite3.connect(index.file) as connection:
        found = connection.execute("SELECT stem FROM samples ORDER BY stem").fetchall()
    assert found == [("b",), ("c",), ("d",)]
    names = record_rows(monkeypatch)
    other = tombstone.model_copy(update={"image": "0" * 32})
    (added / "registry/forgotten.yaml").write_text(tombstones_text([tombstone, other]))
    assert len(open_sample_index(Catalog(added))) == 3
    assert names == [], "no sample of the subset was withdrawn"


def test_internal_samples_are_only_in_an_index_of_their_own(added):
    path = added / f"registry/subsets/{NAME}.yaml"
    text = path.read_text().replace("provenance:\n", "provenance:\n  restrictions: [internal]\n")
    assert text != path.read_text()
    path.write_text(text)
    index = open_sample_index(Catalog(added))
    assert (len(index), index.subsets[0]["internal"]) == (0, 4)
    whole = open_sample_index(Catalog(added), left_out=())
    assert (len(whole), Path(whole.file).name) == (4, "index-internal.db")
    assert len(open_sample_index(Catalog(added), left_out={Restriction.INTERNAL})) == 0


def test_numbers_of_the_scan_are_searched_and_sorted(added):
    index = open_sample_index(Catalog(added))
    table = pq.read_table(added / f"registry/scans/{NAME}.parquet")
    shares = table["person"].to_numpy() / (table["width"].to_numpy() * table["height"].to_numpy())
    rows = index.page(SampleQuery()).samples
    assert [row["person_share"] for row in rows] == shares.tolist()
    assert [row["image_md5"] for row in rows] == [m.hex() for m in table["image_md5"].to_pylist()]
    low = float(shares.min())
    assert index.count(Filter(ranges=(("person_share", None, low - 0.001),))) == 0
    assert index.count(Filter(ranges=(("width", 32, 32), ("height", 24, None)))) == 4


def test_findings_on_samples_are_a_facet(added, monkeypatch):
    assert open_sample_index(Catalog(added)).facets(Filter())["rule"] == {}
    params, waivers = added / "params.yaml", added / "registry/waivers.yaml"
    params.write_text(params.read_text().replace("min_person: 0.02", "min_person: 0.9"))
    index = open_sample_index(Catalog(added))
    assert index.facets(Filter())["rule"] == {"person-small": 4}
    found = index.page(SampleQuery(Filter(rules=("person-small",)))).samples
    assert {row["findings"] for row in found} == {"person-small"}
    fields = {"code": "person-small", "subset": NAME, "sample": "train/b"}
    waiver = fields | {"reason": "so far away", "date": "2026-01-02"}
    waivers.write_text(json.dumps({"waivers": [waiver]}))
    index = open_sample_index(Catalog(added))
    assert index.facets(Filter())["rule"] == {"person-small": 3}
    names = record_rows(monkeypatch)
    waivers.write_text(json.dumps({"waivers": [waiver | {"subset": OTHER_NAME}, waiver]}))
    open_sample_index(Catalog(added))
    assert names == [], "the waivers of the subset are the same"
