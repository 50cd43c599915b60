"""Client of tests/programs/fork_server.py: dvc and stages without the cost of starting Python."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from programs import fork_server

PROGRAM = Path(fork_server.__file__)


class Mode:
    """Whether dvc commands run in forks; a fixture sets it for each test."""

    is_forked = True


@cache
def _address() -> str:
    """Start the server of this process and return its address."""
    folder = tempfile.mkdtemp(prefix="sceneset-tests-")
    address = f"{folder}/server"
    server = subprocess.Popen(
        [sys.executable, str(PROGRAM), address], stdout=subprocess.PIPE, start_new_session=True
    )
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"

    def stop() -> None:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return address


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    pass_fds: Sequence[int] = (),
) -> "subprocess.CompletedProcess[bytes]":
    """Run ``python -m module arguments`` in a fork and return what it printed."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
    ):
        fds = [nothing.fileno(), out.fileno(), err.fileno(), *pass_fds]
        code = fork_server.request(
            _address(), module, list(arguments), str(cwd.absolute()), dict(env), fds
        )
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess([module, *arguments], code, *texts)


class ForkingSubprocess:
    """Stands for the module subprocess in sceneset.storage.dvc: dvc commands run in forks."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    @staticmethod
    def run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[Any]":
        words = [word for word in command[1:] if word != "-P"]
        if not Mode.is_forked or command[0] != sys.executable or words[:2] != ["-m", "dvc"]:
            return subprocess.run(command, check=options.pop("check", False), **options)
        done = run_module(
            "dvc",
            words[2:],
            cwd=options["cwd"],
            env=options["env"],
            pass_fds=options.get("pass_fds", ()),
        )
        if encoding := options.get("encoding"):
            errors = options.get("errors", "strict")
            out, err = (data.decode(encoding, errors) for data in (done.stdout, done.stderr))
            return subprocess.CompletedProcess(command, done.returncode, out, err)
        return done
