"""The index of look-ups: the answers of the tags themselves, never stale."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset import Registry
from sceneset.catalog import index_builder as indexing
from sceneset.catalog import reader as catalog
from sceneset.catalog.index_builder import open_index
from sceneset.catalog.query import ask, find_rows, find_samples
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import FindingsError, UnknownNameError
from sceneset.schemas.terms import TOTAL, Persons, Phase
from support.build import NAME
from support.strategies import TAGS
from support.texts import (
    MORE,
    OTHER,
    TEXT,
    VOCABULARY,
    kept,
    read_subsets,
    samples,
    settled,
    text_registry,
)

SCENES = st.lists(st.sampled_from([TOTAL, *sorted(VOCABULARY.by_key)[:6]]), max_size=3)
QUERIES = st.fixed_dictionaries(
    {
        "scenes": SCENES,
        "persons": st.none() | st.sampled_from([p.value for p in Persons]),
        "phases": st.lists(st.sampled_from([p.value for p in Phase]), max_size=2),
        "subsets": st.lists(st.sampled_from([NAME, OTHER, "web"]), max_size=2),
    }
)
SUBSETS = st.lists(TAGS, max_size=12, unique_by=lambda tag: tag.key)


@settings(max_examples=80, deadline=None)
@given(SUBSETS, SUBSETS, st.lists(QUERIES, min_size=1, max_size=8))
def test_every_query_is_answered_as_the_tags_answer(one, other, queries):
    with text_registry(**{NAME: tags_text(one), OTHER: tags_text(other)}) as root:
        index, registry = open_index(root), Registry(root)
        for words in queries:
            asked = ask(registry, **words)
            expected = find_samples(registry, asked)
            assert samples(index, **words) == [(s.subset, *s.tag.key) for s in expected]
            rows = [row.as_json(registry.vocabulary) for row in find_rows(registry, asked)]
            assert index.rows(index.ask(**words)) == json.loads(json.dumps(rows))


@pytest.fixture
def root(monkeypatch) -> Iterator[Path]:
    monkeypatch.setattr(indexing, "_SETTLED", -(10**12))
    with text_registry(**{NAME: TEXT, OTHER: TEXT}) as made:
        yield made


def test_it_is_made_once_and_read_from_then_on(root, monkeypatch):
    assert samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "a")]
    assert kept(root)
    monkeypatch.setattr(indexing, "refreshed", None)
    assert samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "a")]


@pytest.mark.parametrize("same_times", [False, True])
def test_a_changed_file_is_seen_at_once(root, same_times):
    open_index(root)
    path = root / f"registry/tags/{NAME}.csv"
    before = path.stat()
    path.write_text(TEXT.replace("a,ski", "z,ski"))  # of the same size
    if same_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "z")]


def test_a_change_within_a_tick_of_the_clock_is_seen(root, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", 10**12)
    open_index(root)
    assert not kept(root)  # what changed just now may change again in the same tick: read it again
    monkeypatch.setattr(indexing, "signature", lambda _path: "1 2 3 4")
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    assert len(samples(open_index(root), subsets=[NAME])) == 2


def test_only_the_changed_subset_is_read_again(root, monkeypatch):
    open_index(root)
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    read = read_subsets(monkeypatch)
    assert len(samples(open_index(root))) == 3
    assert read == [NAME]
    (root / f"registry/tags/{OTHER}.csv").touch()
    open_index(root)
    assert read == [NAME]
    assert kept(root)


def test_subsets_come_and_go(root):
    open_index(root)
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["subsets"] = [OTHER]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").unlink()
    assert samples(open_index(root)) == [(OTHER, "train", "a")]
    assert kept(root)
    with pytest.raises(UnknownNameError):
        open_index(root).ask(subsets=[NAME])
    params["subsets"] = [NAME, OTHER]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    assert len(samples(open_index(root))) == 3


def test_a_new_name_of_a_scene_is_known_at_once(root):
    with pytest.raises(UnknownNameError):
        open_index(root).ask(["snowboards"])
    path = root / "registry/scenes.yaml"
    words = yaml.safe_load(path.read_text("utf-8"))
    next(s for s in words["scenes"] if s["key"] == "ski")["aliases"].append("snowboards")
    path.write_text(yaml.safe_dump(words, allow_unicode=True), "utf-8")
    assert len(samples(open_index(root), scenes=["SNOWBOARDS"])) == 2


def test_a_broken_subset_is_told_to_those_who_ask_for_it(root):
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(TEXT + "train,b,nowhere,single\n")
    for _ in range(2):
        index = open_index(root)
        assert samples(index, subsets=[OTHER]) == [(OTHER, "train", "a")]
        for words in ({}, {"subsets": [NAME]}):
            with pytest.raises(FindingsError) as found:
                index.ask(**words)
            assert [p.code for p in found.value.findings] == ["unknown-scene"]
        with pytest.raises(FindingsError):
            index.scenes()
    path.write_text(TEXT)
    assert len(samples(open_index(root))) == 2
    assert kept(root)


@pytest.mark.parametrize("meanwhile", ["gone", "other"])
def test_what_is_another_while_it_is_read_is_read_again(root, meanwhile, monkeypatch):
    path = root / f"registry/tags/{NAME}.csv"
    subset = indexing._Writer._subset

    def meddled(writer, name):
        if name == NAME:
            path.unlink() if meanwhile == "gone" else path.write_text(MORE)
        try:
            return subset(writer, name)
        finally:
            path.write_text(TEXT)

    with monkeypatch.context() as patch:
        patch.setattr(indexing._Writer, "_subset", meddled)
        early = open_index(root)
    for index in (open_index(root), open_index(root)):
        assert samples(index, subsets=[NAME]) == [(NAME, "train", "a")]
    if meanwhile == "gone":
        assert samples(early, subsets=[NAME]) == [(NAME, "train", "a")]


def test_times_in_the_future(root, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", 10**8)
    os.utime(root / "params.yaml", ns=(2 * 10**18, 2 * 10**18))
    time.sleep(0.2)
    open_index(root)
    assert kept(root)


def test_words_that_are_not_utf8_are_unknown(root):
    for words in ({"scenes": ["ski\udcff"]}, {"subsets": ["\udcff"]}):
        with pytest.raises(UnknownNameError):
            open_index(root).ask(**words)


def test_a_broken_subset_costs_the_others_nothing(root, monkeypatch):
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(TEXT + "train,b,nowhere,single\n")
    open_index(root)
    assert kept(root)
    read = []
    tags = Registry.tags
    monkeypatch.setattr(
        Registry,
        "tags",
        lambda self, name, **more: (read.append(name), tags(self, name, **more))[1],
    )
    assert samples(open_index(root), subsets=[OTHER]) == [(OTHER, "train", "a")]
    assert read == []
    with pytest.raises(FindingsError):
        open_index(root).ask()
    assert read == [NAME]


def test_a_subset_that_could_not_be_read_once_is_read_again(root, monkeypatch):
    with monkeypatch.context() as patch:

        def failing(self, name, **more):
            raise FindingsError([])

        patch.setattr(Registry, "tags", failing)
        open_index(root)
    assert kept(root)
    assert len(samples(open_index(root))) == 2


@pytest.mark.parametrize("file", ["params.yaml", "registry/scenes.yaml"])
def test_settings_that_are_others_while_they_are_read_are_read_again(root, file, monkeypatch):
    path, load = root / file, catalog.load
    text = path.read_text("utf-8")
    other = text.replace("滑雪", "雪").replace(f"- {OTHER}\n", "")
    assert other != text

    def meddled(read, *rest):
        if read == path:
            path.write_text(other, "utf-8")
        try:
            return load(read, *rest)
        finally:
            if read == path:
                path.write_text(text, "utf-8")

    with monkeypatch.context() as patch, suppress(FindingsError):
        patch.setattr(catalog, "load", meddled)
        open_index(root)
    index = open_index(root)
    assert [group.subset for group in index.samples(index.ask())] == [NAME, OTHER]
    assert "滑雪" in {scene["zh"] for scene in index.scenes()}


@pytest.mark.parametrize("name", ["a?b#c%41 d", "滑雪", "100%"])
def test_a_folder_of_any_name(name: str, tmp_path: Path):
    with text_registry(**{NAME: TEXT}) as root:
        shutil.copytree(root, tmp_path / name)
    assert len(samples(open_index(tmp_path / name))) == 1
    assert (tmp_path / name / ".sceneset/index.sqlite").is_file()
    settled(tmp_path / name / f"registry/tags/{NAME}.csv")
    assert len(samples(open_index(tmp_path / name))) == 1


def test_a_lookup_loads_no_library(added, sceneset, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", -(10**12))
    sceneset("lookup", cwd=added)
    code = (
        "import sys; from sceneset.cli.main import main; main(sys.argv[1:]);"
        "print(sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    heavy = {"dvc", "numpy", "pyarrow", "pydantic", "yaml", "rich", "PIL", "cv2", "git"}
    for words in (
        ("lookup", "ski"),
        ("lookup", "ski", "--stems"),
        ("lookup", "滑雪", "--paths"),
        ("lookup", "ski", "--json", "--subset", NAME),
        ("scenes",),
        ("scenes", "--json"),
    ):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, cwd=added, check=True, capture_output=True, text=True)
        assert done.stdout
        loaded = done.stderr.splitlines()[-1]
        assert not {name for name in heavy if f"'{name}'" in loaded}, words


def test_a_revision_has_an_index_of_its_own(ready, sceneset, monkeypatch, tmp_path):
    monkeypatch.setenv("SCENESET_CACHE_DIR", str(tmp_path / "cache"))
    path = ready / f"registry/tags/{NAME}.csv"
    path.write_text(path.read_text().replace("ski", "city"))
    assert sceneset("lookup", "ski", "--stems", cwd=ready).out == ""
    assert sceneset("lookup", "ski", "--stems", "--rev", "HEAD", cwd=ready).out == "a\nb\nc\nd\n"
    assert sceneset("lookup", "ski", "--stems", "--rev", "HEAD", cwd=ready).out == "a\nb\nc\nd\n"
