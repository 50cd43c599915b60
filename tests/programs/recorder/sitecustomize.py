"""Write down which programs every Python starts, and which Python files of a folder it reads.

Python imports this module when it starts, if its folder is on PYTHONPATH. RECORD_TO is a new file
for each process in that folder; RECORD_BELOW is the folder whose files are of interest.
"""

import json
import os
import sys

_FOLDER, _BELOW = os.environ["RECORD_TO"], os.environ["RECORD_BELOW"]
_STARTS = {
    "subprocess.Popen": lambda args: [args[0], *map(_text, args[1])],
    "os.exec": lambda args: [_text(args[0]), *map(_text, args[1])],
    "os.posix_spawn": lambda args: [_text(args[0]), *map(_text, args[1])],
    "os.spawn": lambda args: [_text(args[1]), *map(_text, args[2])],
    "os.system": lambda args: ["sh", "-c", _text(args[0])],
}
_CODE = (".py", ".pyc", ".pth", ".so")


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes | str | os.PathLike) else str(value)


def _write(kind: str, words: list[str], *, safe: bool = False) -> None:
    line = json.dumps({"kind": kind, "words": words, "safe": safe})
    file = os.open(f"{_FOLDER}/{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def _record(event: str, args: tuple) -> None:
    if event in _STARTS:
        words = _STARTS[event](args)
        _write("start", [_text(word) for word in words])
    elif event == "open" and isinstance(args[0], str) and args[0].endswith(_CODE):
        path = os.path.abspath(args[0])  # noqa: PTH100 - pathlib is slow to import
        if path.startswith(f"{_BELOW}/"):
            _write("read", [path])


_write("python", sys.orig_argv, safe=bool(sys.flags.safe_path))
sys.addaudithook(_record)
