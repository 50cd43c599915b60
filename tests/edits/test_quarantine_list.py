"""`add --quarantine` writes its list before it takes the subset."""

import csv
from pathlib import Path

import pytest

from sceneset.errors import DvcError
from support.build import NAME, Run, make_delivery, snapshot


@pytest.fixture
def bad_sample(tmp_path: Path) -> Path:
    folder = make_delivery(tmp_path / "d")
    (folder / "img_dir/train/b.jpg").write_bytes(b"")
    return folder


def test_nothing_is_taken_when_the_list_can_not_be_written(
    bad_sample: Path, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "file").write_text("x")
    before = snapshot(registry)
    command = ("add", bad_sample, "--name", NAME, "--quarantine", tmp_path / "file/left")
    outcome = sceneset(*command, cwd=registry)
    assert outcome.code == 1
    assert "can't be written" in outcome.err
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    ("error", "is_kept"), [(DvcError("no space"), False), (KeyboardInterrupt(), True)]
)
def test_list_exists_while_the_subset_is_taken(
    error: BaseException,
    is_kept: bool,
    bad_sample: Path,
    registry: Path,
    tmp_path: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "left" / f"{NAME}.csv"

    def refuse(*_: object, **__: object) -> None:
        with path.open(newline="") as file:
            assert [row["stem"] for row in csv.DictReader(file)] == ["b"]
        raise error

    monkeypatch.setattr("sceneset.edits.ingest.ingest", refuse)
    command = ("add", bad_sample, "--name", NAME, "--quarantine", path.parent)
    assert sceneset(*command, cwd=registry).code in (1, 130)
    assert path.exists() == is_kept
