"""The log of runs: a line for each, sorted, safe to merge, shown with its version."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.errors import FindingsError
from sceneset.schemas.used import UsedRow
from sceneset.versions.used import add_used, parse_used, read_used, used_text
from support.build import Run, git

RUN = "https://example.com/runs/17"
HEADER = "version,selection,run,digest\n"


def row(version: str, run: str = RUN, selection: str = "", digest: str = "") -> UsedRow:
    return UsedRow(version=version, selection=selection, run=run, digest=digest)


def test_used_notes_a_run_and_versions_shows_it(ready: Path, sceneset: Run):
    params = ready / "params.yaml"
    before = params.read_text("utf-8").replace("selections: {}\n", "")
    params.write_text(f"{before}selections: {{few: {{cap: 2}}}}\n", "utf-8")
    git(ready, "commit", "--quiet", "--all", "--message", "x")
    assert sceneset("release", "1.0.0", "--notes", "first", cwd=ready).code == 0
    [record] = sceneset("versions", "--json", cwd=ready).json
    digest = record["selections"]["few"]["digest"]
    assert record["used"] == []
    words = ("used", "https://me:secret@example.com/runs/18", "--rev", "1.0.0")
    assert sceneset(*words, "--selection", "few", cwd=ready).code == 0
    assert sceneset("used", RUN, "--rev", "1.0.0", "--selection", "滑雪", cwd=ready).code == 0
    again = sceneset("used", RUN, "--rev", "1.0.0", "--selection", "ski", "--json", cwd=ready)
    assert again.json["new"] is False
    text = (ready / "registry/used.csv").read_text("utf-8")
    assert text == (f"{HEADER}1.0.0,few,https://example.com/runs/18,{digest}\n1.0.0,ski,{RUN},\n")
    [record] = sceneset("versions", "1.0.0", "--json", cwd=ready).json
    assert [used["run"] for used in record["used"]] == ["https://example.com/runs/18", RUN]
    shown = sceneset("versions", "1.0.0", cwd=ready)
    assert "https://example.com/runs/18" in shown.out
    assert digest in shown.out
    assert "2 runs used version 1.0.0" in shown.err
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "used")
    url = f"file://{ready}"
    [record] = sceneset("versions", "1.0.0", "--repo", url, "--json", cwd=ready.parent).json
    assert len(record["used"]) == 2
    check = sceneset("check", cwd=ready)
    assert check.code == 0, check.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((RUN, "--rev", "2.0.0"), "is no released version"),
        ((RUN, "--rev", "main"), "is no released version"),
        (("17", "--rev", "1.0.0"), "is no URL"),
        (("https://example.com/a b", "--rev", "1.0.0"), "is no URL"),
        ((RUN, "--rev", "1.0.0", "--selection", "skki"), "no selection 'skki'"),
    ],
)
def test_used_refuses_what_does_not_exist(words, message, released: Path, sceneset: Run):
    outcome = sceneset("used", *words, cwd=released)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (released / "registry/used.csv").exists()


def test_versions_says_which_versions_exist(released: Path, sceneset: Run):
    outcome = sceneset("versions", "1.0.1", cwd=released)
    assert outcome.code == 2
    assert "the last ones: 1.0.0" in outcome.err


def test_log_is_sorted_and_read_again_unchanged():
    rows = [row("1.10.0"), row("1.2.0", selection="ski"), row("1.2.0"), row("1.2.0")]
    text = used_text(rows)
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["1.2.0", "1.2.0", "1.10.0"]
    assert parse_used(text) == [rows[2], rows[1], rows[0]]
    assert used_text(parse_used(f"\ufeff{text}{text}".replace("\n", "\r\n"))) == text


@pytest.mark.parametrize("line", ["1.0,,x://y,", "1.0.0,,y,", "1.0.0,,x://y,,more", "1.0.0"])
def test_log_names_the_line_of_an_error(line):
    with pytest.raises(FindingsError) as caught:
        parse_used(f"{HEADER}1.0.0,,{RUN},\n{line}\n")
    assert {(found.file, found.row) for found in caught.value.findings} == {
        ("registry/used.csv", 3)
    }


def test_runs_that_end_at_once_are_all_noted(released: Path):
    def note(number: int) -> None:
        add_used(Registry.open(released), f"{RUN}/{number}", "1.0.0")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(40)))
    assert len(read_used(Registry.open(released).paths)) == 40


def test_branches_that_note_runs_merge(released: Path):
    attributes = (released / ".gitattributes").read_text("utf-8")
    assert "registry/used.csv merge=union" in attributes, "of a new registry"
    git(released, "switch", "--quiet", "--create", "other")
    for branch, names in (("other", "ac"), ("main", "bd")):
        git(released, "switch", "--quiet", branch)
        for name in names:
            add_used(Registry.open(released), f"{RUN}/{name}", "1.0.0")
        git(released, "add", "--all")
        git(released, "commit", "--quiet", "--message", branch)
    git(released, "merge", "--quiet", "--no-edit", "other")
    found = read_used(Registry.open(released).paths)
    assert [used.run[-1] for used in found] == ["a", "b", "c", "d"]
