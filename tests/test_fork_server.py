"""The fork server of the tests: lent descriptors, clients that end."""

import fcntl
import os
import socket
from pathlib import Path

import psutil

from support import fork_server
from support.waiting import wait_until


def test_fork_ends_when_its_client_ends_in_the_middle_of_a_request() -> None:
    address = fork_server._address()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
        socket.send_fds(client, [(1000).to_bytes(4, "big")], [0, 1, 2])
        client.sendall(b"half of it")
        server = next(
            process for process in psutil.Process().children() if address in process.cmdline()
        )
        assert wait_until(lambda: bool(server.children()))
    assert wait_until(lambda: not server.children())


def test_fork_answers_when_lent_descriptors_have_high_numbers(tmp_path: Path) -> None:
    """They have, in a process with hundreds of open files."""
    with (tmp_path / "lock").open("w") as lock:
        lent = [fcntl.fcntl(lock, fcntl.F_DUPFD, 200) for _ in range(5)]
        try:
            done = fork_server.run_module(
                "sceneset.cli.main", ["--version"], cwd=tmp_path, env=os.environ, pass_fds=lent
            )
        finally:
            for descriptor in lent:
                os.close(descriptor)
    assert (done.returncode, done.stdout[:8]) == (0, b"sceneset")
    assert (tmp_path / "lock").read_bytes() == b""
