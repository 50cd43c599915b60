"""Readers under fire: whatever stands in a file, the answer is a finding, and no traceback.

SCENESET_FUZZ=50 makes fifty times as many tries.
"""

import json
import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sceneset import Registry
from sceneset.catalog.lookup import find_rows, find_samples
from sceneset.catalog.query import resolve_query
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Request
from sceneset.errors import FindingsError, UnknownNameError
from sceneset.quality.evaluate import all_findings
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.terms import Kind
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction import recover
from sceneset.storage.transaction_rollback import unfinished_findings
from sceneset.versions.records import read_records
from support.build import NAME, make_delivery

TRIES = 12 * int(os.environ.get("SCENESET_FUZZ", "1"))
many = settings(
    max_examples=TRIES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HOSTILE = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n", b"\r", b"\x1b[31m", b"\n\n"),
    *(b"../../etc/passwd", b"/etc/passwd", b"..", b"a/b", b"con", b"\xe2\x80\xae", b"\xe6\xbb\x91"),
    *(
        b"&a [*a, *a]",
        b"!!python/object/apply:os.system ['true']",
        b"? {",
        b"- - - - - -",
        b"<<: *x",
    ),
    *(b"1" * 400, b"-1", b"1e999", b".nan", b"9" * 30, b"[" * 2000, b"{" * 2000, b"'", b'"', b"\\"),
    *(
        b"x" * 20_000,
        b"~",
        b"null",
        b"true",
        b",,,,,,,,",
        b";;:",
        b"PAR1",
        b"IEND",
        b"\xff\xd8\xff",
    ),
)


def spoiled(data: bytes, seed: int) -> bytes:
    """Return data that was cut, flipped, doubled, or has something hostile in it."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at, end = sorted(chance.randrange(len(out) + 1) for _ in range(2))
        kind = chance.randrange(6)
        if kind == 0:
            del out[at:]
        elif kind == 1 and out:
            out[min(at, len(out) - 1)] ^= 1 << chance.randrange(8)
        elif kind == 2:
            out[at:at] = out[at:end][:5000]
        elif kind == 3:
            del out[at : min(end, at + 40)]
        else:
            out[at : at + chance.choice((0, 0, 3))] = chance.choice(HOSTILE)
    return bytes(out)


def taught(findings: list[Finding]) -> None:
    for p in findings:
        assert p.message
        assert p.file
        assert "Traceback" not in p.message
        assert "\n" not in p.message.strip() or p.code == "schema"


def tolerated(read: Callable[[], object]) -> None:
    """Let a reader refuse, if it says why."""
    found: list[Finding] | None = None
    try:
        read()
    except FindingsError as refusal:
        found = refusal.findings
    except OSError:
        pass  # the edge tells people what the system said
    assert found is None or errors_of(found), "a refusal has errors"
    taught(found or [])


FILES = (
    "params.yaml",
    "registry/scenes.yaml",
    f"registry/subsets/{NAME}.yaml",
    f"registry/tags/{NAME}.csv",
    f"registry/scans/{NAME}.parquet",
    "registry/forgotten.yaml",
    "registry/waivers.yaml",
    "registry/stats/dataset.yaml",
    "registry/versions/1.0.0.yaml",
    f"Insta360SemanticSeg/{NAME}/img_dir.dvc",
    f"Insta360SemanticSeg/{NAME}/ann_dir.dvc",
)


@cache
def valid(root: Path, file: str) -> bytes:
    return (root / file).read_bytes()


@pytest.mark.parametrize("file", FILES)
@given(seed=st.integers(0, 1 << 30))
@many
def test_a_file_of_the_registry(
    file: str, _released_registry: Path, tmp_path_factory, seed
) -> None:
    source = _released_registry / "registry"
    root = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}"
    if not root.exists():
        shutil.copytree(source, root, symlinks=True, ignore=shutil.ignore_patterns("cache", "tmp"))
    good = valid(source, file)
    (root / file).write_bytes(spoiled(good, seed))
    try:
        registry = Registry(root)
        taught(all_findings(registry, None))
        tolerated(lambda: read_records(Registry(root)))
        tolerated(lambda: find_samples(Registry(root), resolve_query(Registry(root), ["ski"])))
    except (FindingsError, UnknownNameError):
        pass
    finally:
        (root / file).write_bytes(good)


@cache
def delivery(folder: Path) -> Path:
    make_delivery(folder)
    (folder.parent / "entry.yaml").write_text(
        "description: {en: a, zh: 滑雪}\nsplits:\n  - {scene: ski, file: ski.txt, images: 2}\n"
    )
    rows = "".join(f"train,{stem},ski,single,1,clip,\n" for stem in "abcd")
    head = "phase,stem,scenes,persons,boxes,source,origin\n"
    (folder.parent / "tags.csv").write_text(head + rows)
    return folder


BROUGHT = (
    "delivery/split_dir/ski.txt",
    "delivery/split_dir/total.txt",
    "delivery/img_dir/train/a.jpg",
    "delivery/ann_dir/train/b.png",
    "entry.yaml",
    "tags.csv",
)


@pytest.mark.parametrize("file", BROUGHT)
@given(seed=st.integers(0, 1 << 30))
@many
def test_a_file_of_a_delivery(file: str, _empty_registry: Path, tmp_path_factory, seed) -> None:
    base = tmp_path_factory.getbasetemp() / f"brought-{os.getpid()}"
    folder = delivery(base / "delivery")
    good = valid(base, file)
    (base / file).write_bytes(spoiled(good, seed))
    entry = base / "entry.yaml" if file in {"entry.yaml", "tags.csv"} else None
    tags = base / "tags.csv" if file in {"entry.yaml", "tags.csv"} else None
    request = Request(folder, NAME, Kind.FULL, entry, tags, quarantine=bool(seed % 2))
    try:
        found = read_delivery(request, Registry(_empty_registry), lambda items, _: items)
        taught(found.findings)
        assert not [p for p in errors_of(found.findings) if not p.hint]
    finally:
        (base / file).write_bytes(good)


@given(words=st.lists(st.text(max_size=30), max_size=3), part=st.text(max_size=20))
@settings(max_examples=20 * TRIES, deadline=None, derandomize=True)
def test_any_question(words: list[str], part: str) -> None:
    registry = Registry(Path(__file__).parents[1])
    try:
        asked = resolve_query(registry, words, subsets=[part] if part else [])
        find_rows(registry, asked)
    except UnknownNameError:
        pass


@given(seed=st.integers(0, 1 << 30))
@many
def test_what_a_cut_off_command_has_left(_empty_registry: Path, tmp_path_factory, seed) -> None:
    root = tmp_path_factory.getbasetemp() / f"left-{os.getpid()}"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(_empty_registry, root, symlinks=True)
    outside = root.parent / "outside.txt"
    outside.write_text("mine")
    records = (
        {
            "command": {"name": "fix"},
            "state": "ready",
            "writes": [{"path": "params.yaml", "before": "0" * 32, "after": "1" * 32}],
            "deletes": [{"path": "registry/nothing.yaml", "before": ""}],
        },
        {"command": {"name": "add"}, "folders": [f"Insta360SemanticSeg/{NAME}"]},
    )
    folder = root / ".sceneset/transaction"
    folder.mkdir(parents=True)
    record = json.dumps(records[seed % len(records)]).encode()
    (folder / "record.json").write_bytes(spoiled(record, seed))
    registry = Registry(root)
    for found in (unfinished_findings(registry.paths), all_findings(registry, None)):
        taught(found)
    with write_lock(registry.paths.work) as lock:
        tolerated(lambda: recover(registry.paths, lock))
    assert outside.read_text() == "mine"
