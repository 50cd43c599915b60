"""Fork server of the tests: run dvc, stages and sceneset in forks of one process.

Starting Python and importing dvc or a stage costs ten times as much as the work itself in a tiny
registry. This process imports everything once. Each request is served by a fork, which has the
working folder, environment and descriptors of the request, and sends its exit code back.

Usage: fork_server.py SOCKET
"""

import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import re
import signal
import socket
import sys
import tempfile
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import TextIO

_MODULES = (
    *("dvc.cli", "dvc.repo", "dvc.stage.run", "dvc.repo.reproduce", "dvc.repo.status"),
    *("dvc.repo.add", "dvc.repo.push", "dvc.repo.pull", "dvc.repo.checkout", "dvc.dvcfile"),
    *("dvc_data.index", "dvc_data.hashfile.state", "dvc_objects.fs.local", "networkx", "pygit2"),
    *(f"sceneset.stages.{name}" for name in ("scan", "check", "splits", "stats", "leakage")),
    *("sceneset.stages.manifest", "sceneset.stages.card", "sceneset.reporting.cards"),
    *("numpy", "pyarrow.parquet", "pyarrow.compute", "jinja2", "cv2", "simplejpeg", "kornia_rs.io"),
    *("sceneset.imaging.facts", "sceneset.quality.similarity", "sceneset.quality.hamming_search"),
)
_HIGH = 200  # most processes have no descriptors from here on
_STAGE = re.compile(r"python (?:-\w+ )*-m (sceneset\.stages\.\w+)((?: [\w.-]+)*)")


def run(module: str, arguments: list[str], address: str) -> int:
    """Run ``python -m module arguments`` in this process."""
    sys.argv = [module, *arguments]
    if module == "dvc":
        import dvc.stage.run
        from dvc.cli import main
        from dvc.stage.exceptions import StageCmdFailedError

        start = dvc.stage.run._run

        def run_command(executable: str, command: str, **options: object) -> None:
            match = _STAGE.fullmatch(command)
            if not match:
                start(executable, command, **options)
                return
            words = match[2].split()
            env = options["env"]
            # A stage looks for the write lock in its ancestors; a fork of the server has others.
            lent = [int(env["SCENESET_LOCK"])] if "SCENESET_LOCK" in env else []
            code = request(address, match[1], words, options["cwd"], env, [0, 1, 2, *lent])
            if code:
                raise StageCmdFailedError(command, code)

        dvc.stage.run._run = run_command
        _use_yaml_in_c()
        return int(main(arguments))
    if module == "sceneset.cli.main":
        _fork_dvc(address)
    return int(importlib.import_module(module).main(arguments))


def _fork_dvc(address: str) -> None:
    """Let a command of sceneset start dvc in forks too; each is a process with its own locks."""
    sys.path.append(str(Path(__file__).parents[1]))
    import sceneset.storage.dvc
    from support import fork_server as client

    client._address = lambda: address
    sceneset.storage.dvc.subprocess = client.ForkingSubprocess()


def _use_yaml_in_c() -> None:
    """Read and write dvc.lock, which has no comments to keep, by the YAML library in C.

    In a tiny registry, DVC spends most of its time on this file. The bytes are the same; where they
    would not be, what DVC uses writes the file. A test runs the pipeline in both ways.
    """
    from dvc.utils.serialize import _yaml
    from ruamel.yaml import YAML

    parse_for_update, dump = _yaml.parse_yaml_for_update, _yaml._dump
    fast = YAML(typ="safe")
    fast.default_flow_style = fast.sort_base_mapping_type_on_output = False
    fast.Representer.add_representer(OrderedDict, fast.Representer.represent_dict)

    def parse_yaml_for_update(text: str, path: str) -> object:
        is_lock = os.path.basename(path) == "dvc.lock"  # noqa: PTH119 - Path is slower
        return _yaml.parse_yaml(text, path) if is_lock else parse_for_update(text, path)

    def dump_yaml(data: object, stream: TextIO) -> None:
        if type(data) is dict and data.keys() == {"schema", "stages"}:
            text = io.StringIO()
            fast.dump(data, text)
            if not re.search(r"\\|\"|null|^$", text.getvalue().rstrip("\n"), re.MULTILINE):
                stream.write(text.getvalue())
                return
        dump(data, stream)

    _yaml.parse_yaml_for_update, _yaml._dump = parse_yaml_for_update, dump_yaml


def request(
    address: str, module: str, arguments: list[str], cwd: str, env: dict[str, str], fds: list[int]
) -> int:
    """Ask the server at ``address`` to run a module; return the exit code.

    The descriptors are stdin, stdout and stderr, then those that keep their number in the fork.
    """
    body = json.dumps([module, arguments, str(cwd), dict(env), fds[3:]]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [len(body).to_bytes(4, "big")], fds)
        connection.sendall(body)
        answer = connection.recv(4)
        connection.recv(1)  # returns when the fork has ended: only then are its locks free
    return int.from_bytes(answer, "big", signed=True) if answer else -signal.SIGKILL


def serve(connection: socket.socket, address: str) -> None:
    """Serve one request in this fork; never return."""
    code = 1
    try:
        size, fds, _, _ = socket.recv_fds(connection, 4, 16)
        body = b""
        while len(body) < int.from_bytes(size, "big"):
            received_bytes = connection.recv(1 << 16)
            if not received_bytes:  # the client was killed
                os._exit(1)
            body += received_bytes
        module, arguments, cwd, env, numbers = json.loads(body)
        # The targets of the descriptors must not be in use: move everything to higher numbers.
        high = max(_HIGH, *numbers, *fds, connection.fileno()) + 1
        connection = socket.socket(fileno=_moved(connection.detach(), high))
        fds = [_moved(fd, high) for fd in fds]
        for target, source in zip((0, 1, 2, *numbers), fds, strict=True):
            os.dup2(source, target)
            os.close(source)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        tempfile.tempdir = None  # TMPDIR may be another one
        code = run(module, arguments, address)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # a traceback on stderr and exit code 1, as Python does
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def _moved(descriptor: int, least: int) -> int:
    """Move a descriptor to a free number, and return it."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, least)
    os.close(descriptor)
    return moved


def _reap() -> None:
    """Wait for forks that have ended, so that their time counts as this process's."""
    with contextlib.suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            if os.WIFSIGNALED(status):
                signal_name = signal.Signals(os.WTERMSIG(status)).name
                print(f"fork server: a fork was ended by {signal_name}", file=sys.stderr)


def _warm_up() -> None:
    """Run a pipeline of one stage, so that forks find loaded what DVC loads when it works."""
    from dvc.cli import main

    start = os.open(".", os.O_RDONLY)
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nothing:
        root = Path(folder)
        with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            os.chdir(root)
            (root / ".git/objects").mkdir(parents=True)
            (root / ".git/refs").mkdir()
            (root / ".git/HEAD").write_text("ref: refs/heads/main\n")
            (root / ".dvc").mkdir()
            (root / ".dvc/config").write_text(
                f"[core]\n    analytics = false\n    site_cache_dir = {root}/cache\n"
            )
            (root / "params.yaml").write_text("names: [a]\n")
            (root / "dvc.yaml").write_text(
                "stages:\n  copy:\n    foreach: ${names}\n    do:\n      cmd: touch ${item}\n"
                "      params: [names]\n      outs:\n        - ${item}\n"
            )
            code = main(["repro", "--quiet"])
            os.fchdir(start)
    os.close(start)
    assert code == 0, "the pipeline of the warm-up failed"


def main(address: str) -> None:
    """Serve requests until stdin is closed, which happens when the tests end."""
    for name in _MODULES:
        importlib.import_module(name)
    _warm_up()
    gc.collect()
    gc.freeze()
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        server.settimeout(1)
        print("ready", flush=True)
        while os.getppid() == parent:
            _reap()
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            if os.fork() == 0:
                server.close()
                serve(connection, address)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
