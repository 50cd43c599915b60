"""Read and change the text of dvc.lock, written as DVC writes it.

For commands that change the inputs of a stage and its outputs together, or compute its outputs
themselves, so that the stage need not run.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.errors import FindingsError
from sceneset.schemas.finding import finding
from sceneset.storage.dvc_digests import Digest
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import MAX_YAML
from sceneset.storage.yaml_parser import may_be_deep

LOCK, PIPELINE = "dvc.lock", "dvc.yaml"
_NOT_A_LOCK = "does not have the structure that DVC gives it"
_HINT = "`sceneset doctor --fix` takes the last committed one"


class StageRun(NamedTuple):
    """The inputs and outputs of one run of a stage, by path."""

    deps: Mapping[str, Digest]
    algorithm: int
    outs: Mapping[str, Digest]


def read_lock(root: Path) -> str:
    """Return the text of a registry's dvc.lock; "" if there is none.

    Raises:
        FindingsError: It can't be read.
    """
    path = root / LOCK
    return read_text(path, LOCK, limit=MAX_YAML, hint=_HINT) if path.is_file() else ""


def check_lock(text: str) -> None:
    """Check that the text of dvc.lock can be read and has the structure that DVC gives it.

    Raises:
        FindingsError: It can't, or has another one.
    """
    for _ in _entries(_stages(_load(text, LOCK, _HINT) or {})):
        pass


def lock_with_digests(text: str, digests: Mapping[str, Digest], removed: Iterable[str]) -> str:
    """Return the text of dvc.lock with other digests of some paths and without some stages.

    Args:
        text: The text of dvc.lock.
        digests: The new digests, by path.
        removed: Names of the stages to remove.

    Raises:
        FindingsError: The text is not what DVC writes.
    """
    lock = _load(text, LOCK, _HINT) or {}
    stages = _stages(lock)
    for name in removed:
        stages.pop(name, None)
    for entry in _entries(stages):
        new = digests.get(entry["path"])
        if new:
            entry |= {"md5": new.md5, "size": new.size}
            if "nfiles" in entry:
                entry["nfiles"] = new.files
    return _dump(lock)


def lock_with_stage_run(
    text: str, pipeline: str, stage: str, item: str, run: StageRun
) -> str | None:
    """Return the text of dvc.lock with the run of one item of a foreach stage, as DVC writes it.

    Args:
        text: The text of dvc.lock, or "".
        pipeline: The text of dvc.yaml.
        stage: Name of the foreach stage.
        item: The item that was run.
        run: Its inputs and outputs.

    Returns:
        The new text, or None if the pipeline defines no such stage, or defines it differently.

    Raises:
        FindingsError: One of the texts can't be read.
    """
    try:
        definition = _load(pipeline, PIPELINE, "restore it with git")["stages"][stage]["do"]
        command = definition["cmd"].replace("${item}", item)
        command = command.replace(f"${{algorithms.{stage}}}", str(run.algorithm))
    except (LookupError, TypeError, AttributeError):
        return None
    lock = _load(text, LOCK, _HINT) or {"schema": "2.0"}
    _stages(lock)[f"{stage}@{item}"] = {
        "cmd": command,
        "deps": [_entry(path, digest) for path, digest in sorted(run.deps.items())],
        "outs": [_entry(path, digest) for path, digest in sorted(run.outs.items())],
    }
    return _dump(lock)


def _stages(lock: Any) -> dict[str, Any]:
    """Return the stages of a lock, by name; a lock without stages gets an empty list of them."""
    if isinstance(lock, dict):
        lock["stages"] = stages = lock.get("stages") or {}
        if isinstance(stages, dict):
            return stages
    raise _broken(LOCK, _NOT_A_LOCK, _HINT)


def _entries(stages: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a lock records of every dependency and output of its stages."""
    for stage in stages.values():
        listed = (
            [stage.get(key) or [] for key in ("deps", "outs")]
            if isinstance(stage, dict)
            else [None]
        )
        for entries in listed:
            if not isinstance(entries, list) or not all(map(_is_entry, entries)):
                raise _broken(LOCK, _NOT_A_LOCK, _HINT)
            yield from entries


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("path"), str)


def _entry(path: str, digest: Digest) -> dict[str, Any]:
    files = {"nfiles": digest.files} if digest.md5.endswith(".dir") else {}
    return {"path": path, "hash": "md5", "md5": digest.md5, "size": digest.size} | files


def _load(text: str, shown: str, hint: str) -> Any:
    """Return a YAML document as DVC reads it.

    Raises:
        FindingsError: There is a syntax error.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        # The parser in C takes a seventh of the time, but overflows the stack on deep nesting.
        return YAML(typ="safe", pure=may_be_deep(text)).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise _broken(shown, reason, hint, mark.line + 1 if mark else None) from None
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise _broken(shown, reason, hint) from None


def _dump(data: Any) -> str:
    """Return a document as DVC writes it (dvc.utils.serialize.dumps_yaml)."""
    from ruamel.yaml import YAML

    yaml, stream = YAML(), io.StringIO()
    yaml.default_flow_style = False
    yaml.dump(data, stream)
    return stream.getvalue()


def _broken(shown: str, reason: str, hint: str, row: int | None = None) -> FindingsError:
    return FindingsError([finding("yaml-broken", reason, file=shown, row=row, hint=hint)])
