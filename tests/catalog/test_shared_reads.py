"""Passes over a registry share what they read, up to a limit, and give the same findings."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sceneset.catalog import reader, shared_reads
from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import summarize, summarize_all
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import all_findings
from sceneset.reporting.derived import stale_files
from support.build import NAME


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often tags and scans are read from files."""
    counts: Counter[str] = Counter()

    def spy(name: str) -> None:
        read = getattr(reader, name)

        def counting(*words: object, **options: object) -> object:
            counts[name] += 1
            return read(*words, **options)

        monkeypatch.setattr(reader, name, counting)

    spy("read_tags")
    spy("read_scan")
    return counts


def test_check_reads_each_file_once_when_subsets_are_small(
    added: Path, reads: Counter[str]
) -> None:
    assert all_findings(Catalog(added), None, derived=stale_files) == []
    assert reads == {"read_tags": 1, "read_scan": 1}


def test_check_reads_files_again_when_samples_are_many(
    added: Path, reads: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_reads, "MAX_SAMPLES", 3)  # there are four
    assert all_findings(Catalog(added), None, derived=stale_files) == []
    assert reads["read_tags"] == 2  # leakage reads columns
    assert reads["read_scan"] >= 3


@pytest.mark.parametrize(("kept", "scans"), [(20_000, 1), (3, 8)], ids=["small", "large"])
def test_summaries_of_many_selections_read_each_small_scan_once(
    kept: int, scans: int, added: Path, reads: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_reads, "MAX_SAMPLES", kept)
    params = added / "params.yaml"
    chosen = "".join(f"  s{n}: {{scenes: [ski], cap: {n % 3 + 1}}}\n" for n in range(4))
    params.write_text(params.read_text().replace("selections: {}\n", f"selections:\n{chosen}"))
    names = [f"s{n}" for n in range(4)]
    expected = [summarize(Catalog(added), name) for name in names]
    reads.clear()
    assert summarize_all(Catalog(added), names) == expected
    assert reads == {"read_tags": 1, "read_scan": scans}
    assert [sum(summary.samples.values()) for summary in expected] == [1, 2, 3, 1]


def test_shared_scan_has_the_columns_of_a_read_one(added: Path) -> None:
    catalog = Catalog(added)
    columns = ("stem", "picture", "phase")
    wanted, whole = catalog.scan(NAME, columns), catalog.scan(NAME)
    with catalog.shared_reads():
        for _ in range(2):
            assert catalog.scan(NAME, columns).equals(wanted)
            assert catalog.scan(NAME).equals(whole)
            assert catalog.tags(NAME, cache=False) == Catalog(added).tags(NAME)


def test_nothing_is_kept_after_the_block(added: Path) -> None:
    catalog = Catalog(added)
    with catalog.shared_reads():
        assert len(catalog.tags(NAME, cache=False)) == 4
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text("".join(tags.read_text().splitlines(keepends=True)[:-1]))
    assert len(catalog.tags(NAME, cache=False)) == 3


def test_damaged_column_is_reported_only_to_those_who_read_it(
    added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = pq.ParquetFile.read

    def fail(self: pq.ParquetFile, columns: list[str] | None = None, **options: object) -> object:
        if columns is None or "holes" in columns:
            raise OSError("damaged")
        return read(self, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read", fail)
    catalog = Catalog(added)
    with catalog.shared_reads():
        assert len(catalog.scan(NAME, ("phase", "stem"))) == 4
        with pytest.raises(FindingsError, match="damaged"):
            catalog.scan(NAME, ("holes",))
