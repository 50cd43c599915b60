"""The edge: what a command found is what it ends with, whoever listens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.build import NAME

GATE = """
import sys
from sceneset.cli.exit_codes import FINDINGS, guarded
from sceneset.cli.output import print_json, print_problems, print_table, say
from sceneset.schemas.finding import problem

found = [problem("file-missing", "there is no such file", file=f"{n}.txt") for n in range(3000)]

def run():
    print_problems(found, stderr=sys.argv[1] == "stderr")
    print_table(("a", "b"), [(p.file, p.message) for p in found], stderr=sys.argv[1] == "stderr")
    if sys.argv[1] == "stdout":
        print_json([p.file for p in found])
    say("that is all")
    return FINDINGS

sys.exit(guarded(run))
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_gate_fails_though_nobody_reads_what_it_says(stream: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    other = "stderr" if stream == "stdout" else "stdout"
    try:
        done = subprocess.run(
            [sys.executable, "-c", GATE, stream],
            check=False,
            **{stream: writer, other: subprocess.PIPE},
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert not done.stdout
    assert not done.stderr or b"Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_stream_that_was_closed(closed: str) -> None:
    stream = {"1": "stdout", "2": "stderr"}[closed]
    command = ["sh", "-c", f'"$0" -c "$1" {stream} {closed}>&-', sys.executable, GATE]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == 1
    assert b"Traceback" not in done.stdout + done.stderr


def test_another_pipe_that_broke_is_an_error() -> None:
    code = (
        "import sys; from sceneset.cli.exit_codes import guarded\n"
        "def run(): raise BrokenPipeError(32, 'the server went away')\n"
        "sys.exit(guarded(run))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 1
    assert b"the server went away" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("lookup", "--json"),
        ("scenes",),
        ("show", NAME),
        ("rules", "mask-coarse"),
    ],
)
@pytest.mark.parametrize("buffered", ["", "1"])
def test_every_command_may_be_read_in_part_or_find_the_disk_full(
    words: tuple[str, ...], buffered: str, added: Path
) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": buffered}
    command = [sys.executable, "-m", "sceneset", *words]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as unread, Path("/dev/full").open("wb") as full:
        for stream, code, said in ((unread, 0, b""), (full, 1, b"sceneset: [Errno 28]")):
            done = subprocess.run(
                command, check=False, cwd=added, env=environment, stdout=stream,
                stderr=subprocess.PIPE,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            assert done.stderr.startswith(said)
            assert len(done.stderr.splitlines()) == code


@pytest.mark.parametrize(
    "write", ["write('line\\n' * 100000)", "writelines(['line\\n' * 4000] * 25)"]
)
def test_a_reader_that_has_read_enough_is_no_error(write: str) -> None:
    code = (
        "import sys; from sceneset.cli.exit_codes import guarded\n"
        f"def run(): sys.stdout.{write}; return 0\n"
        "sys.exit(guarded(run))"
    )
    command = ["sh", "-c", '{ "$0" -c "$1"; echo "ended with $?" >&2; } | head -n 1']
    done = subprocess.run([*command, sys.executable, code], check=False, capture_output=True)
    assert done.stdout == b"line\n"
    assert done.stderr == b"ended with 0\n"
