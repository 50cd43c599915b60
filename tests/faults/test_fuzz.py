"""Readers of damaged files: every answer is a finding, never a traceback.

SCENESET_FUZZ=50 runs fifty times as many examples.
"""

import json
import os
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
from sceneset.progress import no_progress
from sceneset.quality.evaluate import all_findings
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.terms import Kind
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction import recover
from sceneset.storage.transaction_rollback import unfinished_findings
from sceneset.versions.records import read_records
from support.build import NAME, ROOT, make_delivery
from support.spoil import FILES, spoiled

TRIES = 12 * int(os.environ.get("SCENESET_FUZZ", "1"))
few_examples = settings(
    max_examples=TRIES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_readable(findings: list[Finding]) -> None:
    for p in findings:
        assert p.message
        assert p.file
        assert "Traceback" not in p.message
        assert "\n" not in p.message.strip() or p.code == "schema"


def assert_refuses_with_findings(read: Callable[[], object]) -> None:
    """Let a reader refuse, if it says why."""
    found: list[Finding] | None = None
    try:
        read()
    except FindingsError as refusal:
        found = refusal.findings
    except OSError:
        pass  # the edge tells people what the system said
    assert found is None or errors_of(found), "a refusal has errors"
    assert_readable(found or [])


@cache
def valid(root: Path, file: str) -> bytes:
    return (root / file).read_bytes()


@pytest.mark.parametrize("file", FILES)
@given(seed=st.integers(0, 1 << 30))
@few_examples
def test_registry_reader_reports_findings_when_a_file_is_damaged(
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
        assert_readable(all_findings(registry, None))
        assert_refuses_with_findings(lambda: read_records(Registry(root)))
        assert_refuses_with_findings(
            lambda: find_samples(Registry(root), resolve_query(Registry(root), ["ski"]))
        )
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


DELIVERY_FILES = (
    "delivery/split_dir/ski.txt",
    "delivery/split_dir/total.txt",
    "delivery/img_dir/train/a.jpg",
    "delivery/ann_dir/train/b.png",
    "entry.yaml",
    "tags.csv",
)


@pytest.mark.parametrize("file", DELIVERY_FILES)
@given(seed=st.integers(0, 1 << 30))
@few_examples
def test_delivery_reader_reports_findings_when_a_file_is_damaged(
    file: str, _empty_registry: Path, tmp_path_factory, seed
) -> None:
    base = tmp_path_factory.getbasetemp() / f"delivery-{os.getpid()}"
    folder = delivery(base / "delivery")
    good = valid(base, file)
    (base / file).write_bytes(spoiled(good, seed))
    entry = base / "entry.yaml" if file in {"entry.yaml", "tags.csv"} else None
    tags = base / "tags.csv" if file in {"entry.yaml", "tags.csv"} else None
    request = Request(folder, NAME, Kind.FULL, entry, tags, quarantine=bool(seed % 2))
    try:
        found = read_delivery(request, Registry(_empty_registry), no_progress)
        assert_readable(found.findings)
        assert not [p for p in errors_of(found.findings) if not p.hint]
    finally:
        (base / file).write_bytes(good)


@given(words=st.lists(st.text(max_size=30), max_size=3), part=st.text(max_size=20))
@settings(max_examples=20 * TRIES, deadline=None, derandomize=True)
def test_lookup_answers_or_names_the_unknown_when_words_are_random(
    words: list[str], part: str
) -> None:
    registry = Registry(ROOT)
    try:
        asked = resolve_query(registry, words, subsets=[part] if part else [])
        find_rows(registry, asked)
    except UnknownNameError:
        pass


@given(seed=st.integers(0, 1 << 30))
@few_examples
def test_recovery_touches_nothing_outside_when_the_record_is_damaged(
    _empty_registry: Path, tmp_path_factory, seed
) -> None:
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
        assert_readable(found)
    with write_lock(registry.paths.work) as lock:
        assert_refuses_with_findings(lambda: recover(registry.paths, lock))
    assert outside.read_text() == "mine"
