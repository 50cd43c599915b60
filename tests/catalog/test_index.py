"""The index of look-ups gives the results of the registry's files, and is never stale."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset import Registry
from sceneset.catalog import index_builder, reader
from sceneset.catalog.index_builder import open_index
from sceneset.catalog.lookup import find_rows, find_samples
from sceneset.catalog.query import resolve_query
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import FindingsError, UnknownNameError
from sceneset.schemas.terms import TOTAL, Persons, Phase
from support.build import NAME, ROOT
from support.strategies import TAGS
from support.texts import (
    ONE_SAMPLE,
    OTHER_NAME,
    TWO_SAMPLES,
    VOCABULARY,
    indexed_samples,
    is_index_current,
    record_indexed_subsets,
    set_old_mtime,
    text_registry,
)

SCENES = st.lists(st.sampled_from([TOTAL, *sorted(VOCABULARY.by_key)[:6]]), max_size=3)
OPTIONS = st.fixed_dictionaries(
    {
        "scenes": SCENES,
        "persons": st.none() | st.sampled_from([p.value for p in Persons]),
        "phases": st.lists(st.sampled_from([p.value for p in Phase]), max_size=2),
        "subsets": st.lists(st.sampled_from([NAME, OTHER_NAME, "web"]), max_size=2),
    }
)
SUBSETS = st.lists(TAGS, max_size=12, unique_by=lambda tag: tag.key)


@settings(max_examples=80, deadline=None)
@given(SUBSETS, SUBSETS, st.lists(OPTIONS, min_size=1, max_size=8))
def test_index_gives_the_same_results_as_the_files_for_any_query(one, other, queries):
    with text_registry(**{NAME: tags_text(one), OTHER_NAME: tags_text(other)}) as root:
        index, registry = open_index(root), Registry(root)
        for options in queries:
            query = resolve_query(registry, **options)
            assert index.resolve_query(**options) == query
            expected = find_samples(registry, query)
            assert indexed_samples(index, **options) == [(s.subset, *s.tag.key) for s in expected]
            rows = [row.as_json(registry.vocabulary) for row in find_rows(registry, query)]
            assert index.rows(query) == json.loads(json.dumps(rows))


@pytest.fixture
def root(monkeypatch) -> Iterator[Path]:
    monkeypatch.setattr(index_builder, "_MIN_AGE", -(10**12))
    with text_registry(**{NAME: ONE_SAMPLE, OTHER_NAME: ONE_SAMPLE}) as folder:
        yield folder


def test_index_is_not_updated_when_no_file_changed(root, monkeypatch):
    assert indexed_samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "a")]
    assert is_index_current(root)
    monkeypatch.delattr(index_builder, "_update")
    assert indexed_samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "a")]


@pytest.mark.parametrize("has_same_mtime", [False, True])
def test_index_is_updated_when_a_file_of_the_same_size_changed(root, has_same_mtime):
    open_index(root)
    path = root / f"registry/tags/{NAME}.csv"
    before = path.stat()
    path.write_text(ONE_SAMPLE.replace("a,ski", "z,ski"))
    if has_same_mtime:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert indexed_samples(open_index(root), subsets=[NAME]) == [(NAME, "train", "z")]


def test_index_is_updated_when_a_file_changed_twice_within_a_clock_tick(root, monkeypatch):
    monkeypatch.setattr(index_builder, "_MIN_AGE", 10**12)
    open_index(root)
    assert not is_index_current(root)  # files that changed just now are read again
    monkeypatch.setattr(index_builder, "signature", lambda _path: "1 2 3 4")
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    assert len(indexed_samples(open_index(root), subsets=[NAME])) == 2


def test_index_reads_only_the_subset_that_changed(root, monkeypatch):
    open_index(root)
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    names = record_indexed_subsets(monkeypatch)
    assert len(indexed_samples(open_index(root))) == 3
    assert names == [NAME]
    (root / f"registry/tags/{OTHER_NAME}.csv").touch()
    open_index(root)
    assert names == [NAME]
    assert is_index_current(root)


def test_index_follows_params_when_subsets_are_removed_and_added(root):
    open_index(root)
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["subsets"] = [OTHER_NAME]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").unlink()
    assert indexed_samples(open_index(root)) == [(OTHER_NAME, "train", "a")]
    assert is_index_current(root)
    with pytest.raises(UnknownNameError):
        open_index(root).resolve_query(subsets=[NAME])
    params["subsets"] = [NAME, OTHER_NAME]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    assert len(indexed_samples(open_index(root))) == 3


def test_index_resolves_a_new_alias_when_the_vocabulary_changed(root):
    with pytest.raises(UnknownNameError):
        open_index(root).resolve_query(["snowboards"])
    path = root / "registry/scenes.yaml"
    vocabulary = yaml.safe_load(path.read_text("utf-8"))
    next(s for s in vocabulary["scenes"] if s["key"] == "ski")["aliases"].append("snowboards")
    path.write_text(yaml.safe_dump(vocabulary, allow_unicode=True), "utf-8")
    assert len(indexed_samples(open_index(root), scenes=["SNOWBOARDS"])) == 2


def test_index_raises_findings_only_when_a_query_needs_the_broken_subset(root):
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(ONE_SAMPLE + "train,b,nowhere,single\n")
    for _ in range(2):
        index = open_index(root)
        assert indexed_samples(index, subsets=[OTHER_NAME]) == [(OTHER_NAME, "train", "a")]
        for options in ({}, {"subsets": [NAME]}):
            with pytest.raises(FindingsError) as error:
                index.resolve_query(**options)
            assert [p.code for p in error.value.findings] == ["unknown-scene"]
        with pytest.raises(FindingsError):
            index.scenes()
    path.write_text(ONE_SAMPLE)
    assert len(indexed_samples(open_index(root))) == 2
    assert is_index_current(root)


@pytest.mark.parametrize("meanwhile", ["missing", "other"])
def test_index_reads_a_subset_again_when_it_changed_while_it_was_read(root, meanwhile, monkeypatch):
    path = root / f"registry/tags/{NAME}.csv"
    insert_subset = index_builder._Updater._insert_subset

    def insert_while_changed(updater, name):
        if name == NAME:
            path.unlink() if meanwhile == "missing" else path.write_text(TWO_SAMPLES)
        try:
            return insert_subset(updater, name)
        finally:
            path.write_text(ONE_SAMPLE)

    with monkeypatch.context() as patch:
        patch.setattr(index_builder._Updater, "_insert_subset", insert_while_changed)
        early = open_index(root)
    for index in (open_index(root), open_index(root)):
        assert indexed_samples(index, subsets=[NAME]) == [(NAME, "train", "a")]
    if meanwhile == "missing":
        assert indexed_samples(early, subsets=[NAME]) == [(NAME, "train", "a")]


def test_index_is_current_when_a_modification_time_is_in_the_future(root, monkeypatch):
    monkeypatch.setattr(index_builder, "_MIN_AGE", 0)
    os.utime(root / "params.yaml", ns=(2 * 10**18, 2 * 10**18))
    open_index(root)
    assert is_index_current(root)


def test_index_reports_an_unknown_name_when_it_is_not_utf8(root):
    for options in ({"scenes": ["ski\udcff"]}, {"subsets": ["\udcff"]}):
        with pytest.raises(UnknownNameError):
            open_index(root).resolve_query(**options)


def test_index_does_not_read_a_broken_subset_when_others_are_queried(root, monkeypatch):
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(ONE_SAMPLE + "train,b,nowhere,single\n")
    open_index(root)
    assert is_index_current(root)
    names = []
    read_tags = Registry.tags
    monkeypatch.setattr(
        Registry,
        "tags",
        lambda self, name, **options: (names.append(name), read_tags(self, name, **options))[1],
    )
    monkeypatch.setattr(reader.Catalog, "tags", Registry.tags)
    assert indexed_samples(open_index(root), subsets=[OTHER_NAME]) == [(OTHER_NAME, "train", "a")]
    assert names == []
    with pytest.raises(FindingsError):
        open_index(root).resolve_query()
    assert names == [NAME]


def test_index_reads_a_subset_again_when_reading_failed_once(root, monkeypatch):
    with monkeypatch.context() as patch:

        def fail_to_read(self, name, **options):
            raise FindingsError([])

        patch.setattr(reader.Catalog, "tags", fail_to_read)
        open_index(root)
    assert is_index_current(root)
    assert len(indexed_samples(open_index(root))) == 2


@pytest.mark.parametrize("file", ["params.yaml", "registry/scenes.yaml"])
def test_index_reads_a_settings_file_again_when_it_changed_while_it_was_read(
    root, file, monkeypatch
):
    path, load = root / file, reader.load
    text = path.read_text("utf-8")
    other_text = text.replace("滑雪", "雪").replace(f"- {OTHER_NAME}\n", "")
    assert other_text != text

    def load_while_changed(loaded, *rest):
        if loaded == path:
            path.write_text(other_text, "utf-8")
        try:
            return load(loaded, *rest)
        finally:
            if loaded == path:
                path.write_text(text, "utf-8")

    with monkeypatch.context() as patch, suppress(FindingsError):
        patch.setattr(reader, "load", load_while_changed)
        open_index(root)
    index = open_index(root)
    groups = index.samples(index.resolve_query())
    assert [group.subset for group in groups] == [NAME, OTHER_NAME]
    assert "滑雪" in {scene["zh"] for scene in index.scenes()}


@pytest.mark.parametrize("name", ["a?b#c%41 d", "滑雪", "100%"])
def test_index_works_when_the_folder_has_special_characters(name: str, tmp_path: Path):
    with text_registry(**{NAME: ONE_SAMPLE}) as root:
        shutil.copytree(root, tmp_path / name)
    assert len(indexed_samples(open_index(tmp_path / name))) == 1
    assert (tmp_path / name / ".sceneset/index.sqlite").is_file()
    set_old_mtime(tmp_path / name / f"registry/tags/{NAME}.csv")
    assert len(indexed_samples(open_index(tmp_path / name))) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("lookup", "ski"),
        ("lookup", "ski", "--stems"),
        ("lookup", "滑雪", "--paths"),
        ("lookup", "ski", "--json", "--subset", NAME),
        ("scenes",),
        ("scenes", "--json"),
    ],
    ids=" ".join,
)
def test_command_loads_no_library_when_the_index_is_current(words, added, sceneset, monkeypatch):
    monkeypatch.setattr(index_builder, "_MIN_AGE", -(10**12))
    sceneset("lookup", cwd=added)
    program = ROOT / "tests/programs/loaded_modules.py"
    command = [sys.executable, str(program), *words]
    # The measurement of coverage would load libraries too.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, cwd=added, env=env, check=True, capture_output=True, text=True)
    assert done.stdout
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    libraries = {"dvc", "numpy", "pyarrow", "pydantic", "yaml", "rich", "PIL", "cv2", "git"}
    standard = {"dataclasses", "typing", "pathlib"}  # as slow as the look-up itself
    assert not (libraries | standard | {"filelock", "ruamel"}) & loaded


def test_revision_has_its_own_index_when_it_differs_from_the_working_tree(
    ready, sceneset, monkeypatch, tmp_path
):
    monkeypatch.setenv("SCENESET_CACHE_DIR", str(tmp_path / "cache"))
    path = ready / f"registry/tags/{NAME}.csv"
    path.write_text(path.read_text().replace("ski", "city"))
    assert sceneset("lookup", "ski", "--stems", cwd=ready).out == ""
    assert sceneset("lookup", "ski", "--stems", "--rev", "HEAD", cwd=ready).out == "a\nb\nc\nd\n"
    assert sceneset("lookup", "ski", "--stems", "--rev", "HEAD", cwd=ready).out == "a\nb\nc\nd\n"
