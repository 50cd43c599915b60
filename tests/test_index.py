"""The index of look-ups: the answers of the tags themselves, never stale, and made again."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from conftest import NAME, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import TAGS

from sceneset.registry import indexing
from sceneset.registry.catalog import Registry
from sceneset.registry.index import Index
from sceneset.registry.locking import alone
from sceneset.registry.query import UnknownNameError, ask, find_rows, find_samples
from sceneset.registry.tagsfile import tags_text
from sceneset.schemas.problem import ProblemsFoundError
from sceneset.schemas.words import TOTAL, Persons, Phase

OTHER = "CustomSeg_Person_20240116_more"
VOCABULARY = Registry(ROOT).vocabulary
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


def write_subset(root: Path, name: str, text: str, scenes: tuple[str, ...] = ("ski",)) -> None:
    rows = [
        {
            "scene": scene,
            "persons": persons,
            "phase": phase,
            "file": f"{scene}{persons}_{phase}.txt",
        }
        for scene in scenes
        for persons in ("single", "multi")
        for phase in ("train", "val")
    ]
    rows.append({"scene": TOTAL, "file": "total.txt"})
    entry = {"name": name, "kind": "full", "img_suffix": ".jpg", "splits": rows}
    for folder in ("subsets", "tags"):
        (root / "registry" / folder).mkdir(parents=True, exist_ok=True)
    (root / f"registry/subsets/{name}.yaml").write_text(yaml.safe_dump(entry))
    (root / f"registry/tags/{name}.csv").write_text(text, "utf-8")


@contextmanager
def text_registry(**subsets: str) -> Iterator[Path]:
    """Lay out the text of a registry: all that a look-up reads."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
        params["subsets"] = list(subsets)
        (root / "params.yaml").write_text(yaml.safe_dump(params))
        (root / "registry").mkdir()
        shutil.copy(ROOT / "registry/scenes.yaml", root / "registry/scenes.yaml")
        for name, text in subsets.items():
            write_subset(root, name, text, tuple(sorted(VOCABULARY.by_key)[:3]))
        yield root


def samples(index: Index, **words) -> list[tuple[str, str, str]]:
    found = index.samples(index.ask(**words))
    return [(group.subset, group.phase, stem) for group in found for stem in group.stems]


@settings(max_examples=80, deadline=None)
@given(SUBSETS, SUBSETS, st.lists(QUERIES, min_size=1, max_size=8))
def test_every_query_is_answered_as_the_tags_answer(one, other, queries):
    with text_registry(**{NAME: tags_text(one), OTHER: tags_text(other)}) as root:
        index, registry = Index.open(root), Registry(root)
        for words in queries:
            asked = ask(registry, **words)
            expected = find_samples(registry, asked)
            assert samples(index, **words) == [(s.subset, *s.tag.key) for s in expected]
            rows = [row.as_json(registry.vocabulary) for row in find_rows(registry, asked)]
            assert index.rows(index.ask(**words)) == json.loads(json.dumps(rows))


TEXT = "phase,stem,scenes,persons\ntrain,a,ski,single\n"
MORE = "phase,stem,scenes,persons\ntrain,a,ski,single\ntrain,b,ski,single\n"


def kept(root: Path) -> bool:
    """Whether a look-up would be answered from the file, with nothing brought up to date."""
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        return Index(root, connection).is_current()


def settled(path: Path) -> None:
    """Let a change be as old as most are: what changed just now is looked at twice."""
    os.utime(path, ns=(10**18, 10**18))


@pytest.fixture
def root(monkeypatch) -> Iterator[Path]:
    monkeypatch.setattr(indexing, "_SETTLED", -(10**12))
    with text_registry(**{NAME: TEXT, OTHER: TEXT}) as made:
        yield made


def test_it_is_made_once_and_read_from_then_on(root, monkeypatch):
    assert samples(Index.open(root), subsets=[NAME]) == [(NAME, "train", "a")]
    assert kept(root)
    monkeypatch.setattr(indexing, "refreshed", None)
    assert samples(Index.open(root), subsets=[NAME]) == [(NAME, "train", "a")]


@pytest.mark.parametrize("same_times", [False, True])
def test_a_changed_file_is_seen_at_once(root, same_times):
    Index.open(root)
    path = root / f"registry/tags/{NAME}.csv"
    before = path.stat()
    path.write_text(TEXT.replace("a,ski", "z,ski"))  # of the same size
    if same_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert samples(Index.open(root), subsets=[NAME]) == [(NAME, "train", "z")]


def test_a_change_within_a_tick_of_the_clock_is_seen(root, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", 10**12)
    Index.open(root)
    assert not kept(root)  # what changed just now may change again in the same tick: read it again
    monkeypatch.setattr(indexing, "signature", lambda _path: "1 2 3 4")
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    assert len(samples(Index.open(root), subsets=[NAME])) == 2


def test_only_the_changed_subset_is_read_again(root, monkeypatch):
    Index.open(root)
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    read = []
    subset = indexing._Writer._subset
    monkeypatch.setattr(
        indexing._Writer, "_subset", lambda self, name: (read.append(name), subset(self, name))
    )
    assert len(samples(Index.open(root))) == 3
    assert read == [NAME]
    (root / f"registry/tags/{OTHER}.csv").touch()
    Index.open(root)
    assert read == [NAME]
    assert kept(root)


def test_subsets_come_and_go(root):
    Index.open(root)
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["subsets"] = [OTHER]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").unlink()
    assert samples(Index.open(root)) == [(OTHER, "train", "a")]
    assert kept(root)
    with pytest.raises(UnknownNameError):
        Index.open(root).ask(subsets=[NAME])
    params["subsets"] = [NAME, OTHER]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    assert len(samples(Index.open(root))) == 3


def test_a_new_name_of_a_scene_is_known_at_once(root):
    with pytest.raises(UnknownNameError):
        Index.open(root).ask(["snowboards"])
    path = root / "registry/scenes.yaml"
    words = yaml.safe_load(path.read_text("utf-8"))
    next(s for s in words["scenes"] if s["key"] == "ski")["aliases"].append("snowboards")
    path.write_text(yaml.safe_dump(words, allow_unicode=True), "utf-8")
    assert len(samples(Index.open(root), scenes=["SNOWBOARDS"])) == 2


def test_a_broken_subset_is_told_to_those_who_ask_for_it(root):
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(TEXT + "train,b,nowhere,single\n")
    for _ in range(2):
        index = Index.open(root)
        assert samples(index, subsets=[OTHER]) == [(OTHER, "train", "a")]
        for words in ({}, {"subsets": [NAME]}):
            with pytest.raises(ProblemsFoundError) as found:
                index.ask(**words)
            assert [p.code for p in found.value.problems] == ["unknown-scene"]
        with pytest.raises(ProblemsFoundError):
            index.scenes()
    path.write_text(TEXT)
    assert len(samples(Index.open(root))) == 2
    assert kept(root)


@pytest.mark.parametrize(
    "damage", [b"", b"no index", b"SQLite format 3\0" + bytes(4000)], ids=["empty", "text", "zeros"]
)
def test_a_damaged_index_is_made_again(root, damage):
    Index.open(root)
    path = root / ".sceneset/index.sqlite"
    path.write_bytes(damage)
    assert len(samples(Index.open(root))) == 2
    assert kept(root)


@pytest.mark.parametrize("table", ["samples", "row", "name", "scene"])
def test_an_index_that_is_damaged_within_is_made_again(root, table):
    Index.open(root)
    path = root / ".sceneset/index.sqlite"
    with sqlite3.connect(path) as connection:
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
        pages = [page for (page,) in connection.execute(query, [table])]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"x" * size)
    assert kept(root)
    index = Index.open(root)
    assert len(samples(index, scenes=["ski"])) == 2
    assert len(index.rows(index.ask())) == 26
    assert {"ski"} <= {scene["key"] for scene in index.scenes()}
    assert len(samples(Index.open(root), scenes=["ski"])) == 2


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
        early = Index.open(root)
    for index in (Index.open(root), Index.open(root)):
        assert samples(index, subsets=[NAME]) == [(NAME, "train", "a")]
    if meanwhile == "gone":
        assert samples(early, subsets=[NAME]) == [(NAME, "train", "a")]


def test_a_writer_that_was_stopped_hinders_nobody_for_long(root, monkeypatch, capsys):
    monkeypatch.setattr(indexing, "_PATIENCE", 1.5)
    with alone(root / ".sceneset/index.lock"):
        assert len(samples(Index.open(root))) == 2
    assert "waiting" in capsys.readouterr().err
    assert not (root / ".sceneset/index.sqlite").exists()


def test_times_in_the_future(root, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", 10**8)
    os.utime(root / "params.yaml", ns=(2 * 10**18, 2 * 10**18))
    time.sleep(0.2)
    Index.open(root)
    assert kept(root)


def test_an_index_of_another_format_is_made_again(root):
    Index.open(root)
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE row")
    assert len(samples(Index.open(root))) == 2
    assert kept(root)


def test_where_nothing_can_be_written_it_is_made_in_memory(root):
    (root / ".sceneset").write_text("in the way")
    assert len(samples(Index.open(root))) == 2
    assert (root / ".sceneset").read_text() == "in the way"


def test_many_processes_may_build_it_at_once(root):
    code = (
        "import sys; from pathlib import Path; from sceneset.registry.index import Index;"
        "i = Index.open(Path(sys.argv[1])); print(sum(len(f.stems) for f in i.samples(i.ask())))"
    )
    command = [sys.executable, "-c", code, str(root)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in started] == [b"2\n"] * 4


def test_threads_may_ask_while_it_is_built(root):
    found: list[int] = []
    started = [
        threading.Thread(target=lambda: found.append(len(samples(Index.open(root)))))
        for _ in range(4)
    ]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert found == [2] * 4


def test_who_holds_it_open_keeps_his_answers_and_hinders_nobody(root):
    early = Index.open(root)
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    late = Index.open(root)
    assert kept(root)
    assert len(samples(late)) == 3
    assert len(samples(early)) == 2


def test_a_writer_that_was_killed_leaves_the_index_as_it_was(root):
    Index.open(root)
    code = (
        "import os, signal, sys; from pathlib import Path; from sceneset.registry import indexing;"
        "subset = indexing._Writer._subset;"
        "indexing._Writer._subset = lambda s, n: (subset(s, n),"
        " s.connection.execute('PRAGMA cache_spill = 1'),"
        " s.connection.execute('PRAGMA cache_size = 1'),"
        " s.connection.executemany('INSERT INTO row VALUES (?, ?, 0, 0, 0, ?)',"
        " (('x', k, 'y' * 4000) for k in range(200))), os.kill(os.getpid(), signal.SIGKILL));"
        "indexing.refreshed(Path(sys.argv[1]))"
    )
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    done = subprocess.run([sys.executable, "-c", code, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (root / ".sceneset/index.part").exists()
    assert len(samples(Index.open(root))) == 3
    assert kept(root)
    assert not (root / ".sceneset/index.part").exists()


@pytest.mark.parametrize("name", ["a?b#c%41 d", "滑雪", "100%"])
def test_a_folder_of_any_name(name: str, tmp_path: Path):
    with text_registry(**{NAME: TEXT}) as root:
        shutil.copytree(root, tmp_path / name)
    assert len(samples(Index.open(tmp_path / name))) == 1
    assert (tmp_path / name / ".sceneset/index.sqlite").is_file()
    settled(tmp_path / name / f"registry/tags/{NAME}.csv")
    assert len(samples(Index.open(tmp_path / name))) == 1


def test_a_lookup_loads_no_library(added, sceneset, monkeypatch):
    monkeypatch.setattr(indexing, "_SETTLED", -(10**12))
    sceneset("lookup", cwd=added)
    code = (
        "import sys; from sceneset.registry.cli import main; main(sys.argv[1:]);"
        "print(sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    heavy = {"dvc", "numpy", "pyarrow", "pydantic", "yaml", "rich", "PIL", "cv2", "git"}
    for words in (
        ("ski",),
        ("ski", "--stems"),
        ("滑雪", "--paths"),
        ("ski", "--json", "--subset", NAME),
    ):
        command = [sys.executable, "-c", code, "lookup", *words]
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
