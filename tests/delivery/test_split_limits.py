"""A split file with very many errors costs as little as one with a hundred."""

from pathlib import Path

import pytest

from sceneset.delivery.split_files import read_split_lines, resolve_stems
from sceneset.schemas.finding import MAX_ALIKE
from support.build import NAME, Run, make_delivery

MANY = 5000


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "split-blank-line"),
        (b"..", "split-unsafe-line"),
        (b"\xff\xfe", "split-encoding"),
        (b"a", "split-duplicate-line"),
    ],
)
def test_findings_of_one_rule_on_a_split_file_are_bounded(
    tmp_path: Path, line: bytes, code: str
) -> None:
    path = tmp_path / "ski.txt"
    path.write_bytes(b"a\n" + (line + b"\n") * MANY + b"/x\nb")
    lines = read_split_lines(path, "split_dir/ski.txt")
    assert lines.stems == {"a": 1, "b": MANY + 3}
    found = [p for p in lines.findings if p.code == code]
    assert len(found) == MAX_ALIKE + 1
    assert found[0].row == 2
    more = MANY + (code == "split-unsafe-line") - MAX_ALIKE
    assert found[-1].message == f"and {more:,} more findings of this kind in this file"
    if code != "split-unsafe-line":
        assert [p.code for p in lines.findings if p.row == MANY + 2] == ["split-unsafe-line"]


def test_findings_on_unknown_stems_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "ski.txt"
    path.write_text("".join(f"{n}\n" for n in range(MANY)))
    lines = read_split_lines(path, "split_dir/ski.txt")
    samples = {("train", "7")}
    assert resolve_stems(lines, samples, None, (".jpg",)) == {("train", "7"): 8}
    assert len(lines.findings) == MAX_ALIKE + 1
    assert lines.findings[-1].message.startswith(f"and {MANY - 1 - MAX_ALIKE:,} more findings")


def test_every_sample_that_is_not_listed_is_left_out_with_quarantine(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    stems = [f"s{n:03}" for n in range(MAX_ALIKE + 30)]
    folder = make_delivery(tmp_path / "d", {"total.txt": stems[:10]}, train=stems)
    words = ("add", folder, "--name", NAME, "--dry-run", "--json")
    refused = sceneset(*words, cwd=registry).json["problems"]
    found = [p for p in refused if p["code"] == "split-incomplete"]
    assert len(found) == MAX_ALIKE + 1
    assert found[-1]["message"].startswith("and 20 more findings")
    taken = sceneset(*words[:-1], "--quarantine", tmp_path / "q", cwd=registry)
    assert taken.code == 0, taken.err
    assert "10 samples would be added" in taken.err
