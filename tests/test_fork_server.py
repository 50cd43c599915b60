"""The fork server of the tests ends a fork whose client has gone."""

import socket

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
