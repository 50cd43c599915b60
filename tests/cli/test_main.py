"""The command line's manners: exit codes, streams, help."""

import subprocess
import sys

import pytest

from sceneset.cli.main import COMMANDS


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param((), 0, id="nothing shows the overview"),
        pytest.param(("--help",), 0, id="help"),
        pytest.param(("--version",), 0, id="version"),
        pytest.param(("lokup",), 2, id="unknown command"),
        pytest.param(("lookup", "--persons", "two"), 2, id="unknown choice"),
        pytest.param(("lookup", "--stems", "--json"), 2, id="options that exclude each other"),
        pytest.param(("lookup", "nonsense"), 2, id="unknown scene"),
        pytest.param(("show", "nonsense"), 2, id="unknown subset"),
        pytest.param(("check",), 0, id="nothing wrong"),
        pytest.param(("remote", "/somewhere", "--endpoint", "http://127.0.0.1"), 2, id="endpoint"),
    ],
)
def test_exit_codes(words, code, sceneset, registry):
    assert sceneset(*words, cwd=registry).code == code


def test_a_misspelt_command_names_the_near_one(sceneset, registry):
    assert "Did you mean lookup?" in sceneset("lokup", cwd=registry).err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_goes_to_stdout(name, sceneset, tmp_path):
    outcome = sceneset(name, "--help", cwd=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert "examples:" in outcome.out


def test_outside_a_registry_the_way_in_is_named(sceneset, tmp_path):
    outcome = sceneset("lookup", cwd=tmp_path)
    assert outcome.code == 2
    assert "sceneset init" in outcome.err


def test_commands_work_from_a_folder_inside(sceneset, added):
    outcome = sceneset("lookup", "ski", "--stems", cwd=added / "registry" / "tags")
    assert outcome.out.split() == ["a", "b", "c", "d"]


def test_a_closed_pipe_is_no_error(added):
    command = f'"{sys.executable}" -m sceneset lookup --samples --json | head -c 1'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=added, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"[", b"")


def test_piped_output_is_plain_and_data_only(sceneset, added):
    outcome = sceneset("lookup", "ski", cwd=added)
    assert "\x1b" not in outcome.out
    assert outcome.err == ""
    head, *rows = outcome.out.splitlines()
    assert head.split()[:3] == ["subset", "scene", "persons"]
    assert len(rows) == 2


def test_a_remote_is_verified(sceneset, registry):
    endpoint = "http://127.0.0.1:9"
    outcome = sceneset("remote", "s3://bucket/people", "--endpoint", endpoint, cwd=registry)
    assert outcome.code == 0
    config = (registry / ".dvc" / "config").read_text()
    assert "remote = store" in config
    assert "verify = true" in config
    assert f"endpointurl = {endpoint}" in config


def test_scenes_counts_samples(sceneset, added):
    ski = next(s for s in sceneset("scenes", "--json", cwd=added).json if s["key"] == "ski")
    assert (ski["images"], ski["single"], ski["multi"]) == (4, 2, 2)


def test_show_says_what_is_known(sceneset, added):
    shown = sceneset("show", "web", "--json", cwd=added).json
    assert (shown["kind"], shown["samples"]) == ("full", 4)
    assert shown["statistics"]["images"] == 4
    plain = sceneset("show", "web", cwd=added).out
    assert "ski_muiltiperson.txt" in plain
    assert "pooled mean" in plain
