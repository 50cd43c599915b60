"""Exit codes stay right when the output can't be written: closed pipes and streams, a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.build import NAME, ROOT

PRINT_FINDINGS = ROOT / "tests/programs/print_findings.py"
WRITE_GUARDED = ROOT / "tests/programs/write_guarded.py"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_failed_check_exits_with_1_when_its_output_is_not_read(stream: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    other = "stderr" if stream == "stdout" else "stdout"
    try:
        done = subprocess.run(
            [sys.executable, str(PRINT_FINDINGS), stream],
            check=False,
            **{stream: writer, other: subprocess.PIPE},
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert not done.stdout
    assert not done.stderr or b"Traceback" not in done.stderr


@pytest.mark.parametrize(("closed", "stream"), [("1", "stdout"), ("2", "stderr")])
def test_failed_check_exits_with_1_when_a_stream_is_closed(closed: str, stream: str) -> None:
    command = ["sh", "-c", f'"$0" "$1" {stream} {closed}>&-', sys.executable, str(PRINT_FINDINGS)]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == 1
    assert b"Traceback" not in done.stdout + done.stderr


def test_guarded_raises_when_another_connection_is_broken() -> None:
    command = [sys.executable, str(WRITE_GUARDED), "broken-connection"]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == 1
    assert b"the server closed the connection" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("help", "add"),
        ("completion", "bash"),
        ("lookup", "--json"),
        ("scenes",),
        ("show", NAME),
        ("rules", "mask-coarse"),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_command_exits_with_0_when_not_read_and_with_1_when_the_disk_is_full(
    words: tuple[str, ...], unbuffered: str, added: Path
) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "sceneset", *words]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as unread, Path("/dev/full").open("wb") as full:
        for stream, code, message in ((unread, 0, b""), (full, 1, b"sceneset: [Errno 28]")):
            done = subprocess.run(
                command, check=False, cwd=added, env=environment, stdout=stream,
                stderr=subprocess.PIPE,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            assert done.stderr.startswith(message)
            assert len(done.stderr.splitlines()) == code


@pytest.mark.parametrize("method", ["write", "writelines"])
def test_guarded_exits_with_0_when_the_reader_stops_early(method: str) -> None:
    command = ["sh", "-c", '{ "$0" "$1" "$2"; echo "exit code $?" >&2; } | head -n 1']
    command += [sys.executable, str(WRITE_GUARDED), method]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.stdout == b"line\n"
    assert done.stderr == b"exit code 0\n"
