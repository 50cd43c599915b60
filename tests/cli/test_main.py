"""The command line: help, exit codes, streams, and the small commands."""

import shlex
import subprocess
import sys
from unicodedata import east_asian_width

import pytest

from sceneset.cli.main import COMMANDS, GROUPS, main, overview
from support.terminal import open_terminal


def printed_width(line: str) -> int:
    return len(line) + sum(east_asian_width(char) in "WF" for char in line)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param((), 0, id="no command shows the overview"),
        pytest.param(("--help",), 0, id="help"),
        pytest.param(("help",), 0, id="help command"),
        pytest.param(("--version",), 0, id="version"),
        pytest.param(("lokup",), 2, id="unknown command"),
        pytest.param(("help", "lokup"), 2, id="help on unknown command"),
        pytest.param(("lookup", "--persons", "two"), 2, id="unknown choice"),
        pytest.param(("lookup", "--stems", "--json"), 2, id="options that exclude each other"),
        pytest.param(("lookup", "nonsense"), 2, id="unknown scene"),
        pytest.param(("show", "nonsense"), 2, id="unknown subset"),
        pytest.param(("check",), 0, id="check without findings"),
        pytest.param(("remote", "/somewhere", "--endpoint", "http://127.0.0.1"), 2, id="endpoint"),
    ],
)
def test_command_exits_with_code(words, code, sceneset, registry):
    assert sceneset(*words, cwd=registry).code == code


@pytest.mark.parametrize("words", [("lokup",), ("help", "lokup")])
def test_unknown_command_suggests_the_nearest_one(words, sceneset, registry):
    outcome = sceneset(*words, cwd=registry)
    assert outcome.out == ""
    assert "Did you mean `lookup`?" in outcome.err


def test_message_of_wrong_use_is_wrapped_between_words(monkeypatch):
    terminal = open_terminal(monkeypatch)
    assert main(["lookup", "--phase", "foo"]) == 2
    lines = terminal.lines
    message = lines[next(n for n, line in enumerate(lines) if "error:" in line) :]
    assert max(map(len, message)) <= 60
    assert "'train', 'val', 'test'" in " ".join(message)


def test_overview_lists_every_command_once_in_its_group():
    lines = overview().splitlines()
    for group, commands in GROUPS.items():
        start = lines.index(f"{group}:") + 1
        names = [line.split()[0] for line in lines[start : start + len(commands)]]
        assert names == list(commands)
    assert sum(map(len, GROUPS.values())) == len(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_goes_to_stdout(name, sceneset, tmp_path):
    outcome = sceneset(name, "--help", cwd=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert "examples:" in outcome.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_command_prints_the_same_as_the_option(name, sceneset, tmp_path):
    assert sceneset("help", name, cwd=tmp_path) == sceneset(name, "--help", cwd=tmp_path)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_when_the_terminal_has_80_columns(name, sceneset, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    outcome = sceneset(*filter(None, [name]), "--help", cwd=tmp_path)
    assert [line for line in outcome.out.splitlines() if printed_width(line) > 80] == []


def test_lookup_names_init_when_outside_a_registry(sceneset, tmp_path):
    outcome = sceneset("lookup", cwd=tmp_path)
    assert outcome.code == 2
    assert "sceneset init" in outcome.err


def test_command_works_when_called_in_a_folder_of_the_registry(sceneset, added):
    outcome = sceneset("lookup", "ski", "--stems", cwd=added / "registry" / "tags")
    assert outcome.out.split() == ["a", "b", "c", "d"]


def test_command_exits_silently_when_the_pipe_is_closed(added):
    command = f"{shlex.quote(sys.executable)} -m sceneset lookup --samples --json | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=added, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"[", b"")


def test_piped_output_is_a_plain_table_without_messages(sceneset, added):
    outcome = sceneset("lookup", "ski", cwd=added)
    assert "\x1b" not in outcome.out
    assert outcome.err == ""
    header, *rows = outcome.out.splitlines()
    assert header.split()[:3] == ["subset", "scene", "persons"]
    assert len(rows) == 2


def test_remote_turns_verification_on(sceneset, registry):
    endpoint = "http://127.0.0.1:9"
    words = ("remote", "s3://bucket/people", "--endpoint", endpoint, "--no-check")
    outcome = sceneset(*words, cwd=registry)
    assert outcome.code == 0
    config = (registry / ".dvc" / "config").read_text()
    assert "remote = store" in config
    assert "verify = true" in config
    assert f"endpointurl = {endpoint}" in config


def test_scenes_counts_samples(sceneset, added):
    ski = next(s for s in sceneset("scenes", "--json", cwd=added).json if s["key"] == "ski")
    assert (ski["images"], ski["single"], ski["multi"]) == (4, 2, 2)


def test_show_prints_kind_counts_rows_and_statistics(sceneset, added):
    shown = sceneset("show", "web", "--json", cwd=added).json
    assert (shown["kind"], shown["samples"]) == ("full", 4)
    assert shown["statistics"]["images"] == 4
    plain = sceneset("show", "web", cwd=added).out
    assert "ski_muiltiperson.txt" in plain
    assert "pooled mean" in plain
