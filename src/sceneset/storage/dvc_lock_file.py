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
from sceneset.storage.yaml_bounds import MAX_YAML, check_bounds, may_be_deep

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


def check_complete_lock(text: str) -> None:
    """Check that DVC accepts the text of dvc.lock.

    DVC writes the file in place: a kill at that moment leaves an empty file, or the first part of
    one, which every DVC command refuses.

    Raises:
        FindingsError: DVC does not accept it.
    """
    check_lock(text)
    lock = _load(text, LOCK, _HINT)
    stages = lock.get("stages", {}) if lock and lock.get("schema") == "2.0" else None
    if not isinstance(stages, dict) or not all(map(_is_complete, stages.values())):
        raise _broken(LOCK, _NOT_A_LOCK, _HINT)


def _is_complete(stage: Mapping[str, Any]) -> bool:
    """Return whether a stage has what DVC demands."""
    lists = [stage.get(key, []) for key in ("deps", "outs")]
    params = stage.get("params", {})
    return (
        isinstance(stage.get("cmd"), str | list)
        and None not in lists
        and all(isinstance(entry.get("size", 0), int) for entries in lists for entry in entries)
        and isinstance(params, dict)
        and all(isinstance(values, dict) for values in params.values())
    )


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


def united_lock(base: str, ours: str, theirs: str) -> str:
    """Return the text of a dvc.lock that two branches changed.

    A stage that both changed is taken from ours: DVC runs it again, because its inputs differ. For
    scans, which need the images, `lock_with_digests` corrects what is recorded.

    Raises:
        FindingsError: A text is not what DVC writes.
    """
    sides = [_load(text, LOCK, _HINT) or {} for text in (base, ours, theirs)]
    before, mine, yours = map(_stages, sides)
    merged = {}
    for name in dict.fromkeys([*mine, *yours]):
        is_changed = mine.get(name) != before.get(name)
        if run := (mine if is_changed else yours).get(name):
            merged[name] = run
    return _dump((sides[1] if ours else sides[2]) | {"stages": merged})


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
        FindingsError: There is a syntax error, or it is too much to read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        check_bounds(text, shown, hint)
    except FindingsError as error:
        found = error.findings[0]
        raise _broken(shown, found.message, found.hint, found.row) from None
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
