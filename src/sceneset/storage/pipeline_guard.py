"""Check the files that DVC is about to read, because a clone or a pull request may be hostile.

DVC expands YAML aliases without a limit, runs any command of dvc.yaml, and opens a cache of pickled
objects wherever .dvc/config says. sceneset starts DVC only on files without such surprises.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sceneset.errors import DvcError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.schemas.params import Params
from sceneset.storage.config_guard import check_own_config
from sceneset.storage.files import read_text
from sceneset.storage.git import tracked_files
from sceneset.storage.yaml_bounds import MAX_YAML, check_bounds
from sceneset.storage.yaml_files import load
from sceneset.storage.yaml_parser import syntax_error

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_OWN_STAGES = frozenset({"scan", "check", "splits", "stats", "leakage", "manifest", "card"})
_OWN_COMMAND = re.compile(r"python(?: -[PI])? -m sceneset\.stages\.\w+(?: \$\{[\w.]+\})*")
_OWN_FOLDERS = ("registry", DATA_ROOT, "params.yaml")
_LOCAL_URL = re.compile(r"~|(?:remote|file|local):", re.IGNORECASE)
_OWN_PATH = re.compile(r"[\w.-]+(?:/(?:[\w.-]|\$\{item\})+)*")

_PATTERNS = (":(glob)**/dvc.yaml", ":(glob)**/dvc.lock", ":(glob)**/*.dvc")


def check_dvc_files(root: Path, *, runs_stages: bool) -> None:
    """Check the files that DVC reads in a registry's folder before a dvc command is started.

    Args:
        root: The DVC project; nothing is checked if it is none.
        runs_stages: Whether the command runs stages, so that their commands are checked too.

    Raises:
        FindingsError: A YAML file is too large, holds too many values, is nested too deeply, or
            grows too much when its aliases are expanded.
        DvcError: The configuration or the pipeline would run a program of the repository.
    """
    if not (root / ".dvc").is_dir():
        return
    check_own_config(root)
    texts = {name: _bounded_text(root, name) for name in _dvc_files(root)}
    if Paths(root).params.exists():
        _bounded_text(root, Paths(root).params.name)  # DVC reads it for the values in dvc.yaml
    if runs_stages and "dvc.yaml" in texts:
        params = Paths(root).params
        load(params, Params, params.name)  # its values are put into the commands of the stages
        _check_commands(root, texts)


def _dvc_files(root: Path) -> Iterator[str]:
    """Yield the files below ``root`` that DVC parses: those in git, and the pipeline's own."""
    for name in sorted(tracked_files(root, *_PATTERNS) | {"dvc.yaml", "dvc.lock"}):
        if (root / name).exists():
            yield name


def _bounded_text(root: Path, name: str) -> str:
    """Return the text of a YAML file of limited size, also after its aliases are expanded.

    Raises:
        FindingsError: The file is too large, not UTF-8, nested too deeply, holds too many values,
            or expands too much.
    """
    hint = "restore it with git"
    text = read_text(root / name, name, limit=MAX_YAML, hint=hint)
    check_bounds(text, name, hint)
    return text


def _check_commands(root: Path, texts: Mapping[str, str]) -> None:
    """Check that no command of the repository runs when sceneset runs its own stages.

    Raises:
        DvcError: One would run.
    """
    for name, text in texts.items():
        if name.endswith(".lock"):
            continue
        loaded = _loaded(text, name)
        data = _mapping(loaded)
        folder = posixpath.dirname(name)
        if name.endswith(".dvc"):
            if data.get("deps") and not data.get("frozen"):
                _refuse(name, "it is an import that is not frozen")
            continue
        _refuse_other_structure(name, loaded)
        if data.get("vars"):
            _refuse(name, "`vars` can replace what the commands of the stages run")
        for stage, definition in _mapping(data.get("stages")).items():
            body = _mapping(_mapping(definition).get("do", definition))
            if not folder and stage in _OWN_STAGES:
                _check_own_stage(name, str(stage), _mapping(definition), body)
            else:
                _check_other_stage(root, name, str(stage), folder, body)


def _refuse_other_structure(name: str, pipeline: Any) -> None:
    """Refuse what is no pipeline: DVC would fail and, as it is run quietly, not say why.

    Raises:
        FindingsError: It is none.
    """
    stages = _mapping(pipeline).get("stages") or {}
    is_pipeline = pipeline is None or isinstance(pipeline, dict)
    if (
        not is_pipeline
        or not isinstance(stages, dict)
        or not all(isinstance(stage, dict) for stage in stages.values())
    ):
        fail(
            "yaml-broken",
            "does not hold the stages of a pipeline, by name",
            file=name,
            hint="restore it with git",
        )


def _loaded(text: str, name: str) -> Any:
    """Return the content of a YAML file; its aliases are expanded, which `_bounded_text` limits.

    Raises:
        FindingsError: It can't be read.
    """
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise syntax_error(error, text, name) from None
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        # For example 2024-13-45, which YAML takes for a date.
        reason = str(error).partition("\n")[0] or type(error).__name__
        fail("yaml-broken", reason, file=name, hint="restore it with git")


def _check_own_stage(
    name: str, stage: str, definition: Mapping[Any, Any], body: Mapping[Any, Any]
) -> None:
    command = body.get("cmd")
    if not isinstance(command, str) or not _OWN_COMMAND.fullmatch(command.strip()):
        _refuse(name, f"the stage {stage} runs {str(command)[:200]!r}")
    if body.get("wdir") or body.get("vars") or definition.get("matrix"):
        _refuse(name, f"the stage {stage} has wdir, vars or matrix")
    if definition.get("foreach", "${subsets}") != "${subsets}":
        _refuse(name, f"the stage {stage} runs for other items than the subsets")
    for out in _outs(body):
        if not _OWN_PATH.fullmatch(out) or ".." in out.split("/"):
            _refuse(name, f"the stage {stage} writes {out!r}")


def _check_other_stage(
    root: Path, name: str, stage: str, folder: str, body: Mapping[Any, Any]
) -> None:
    """Check that a stage is none of those that run before sceneset's own stages.

    DVC takes "../repository/registry/tags" and absolute paths for paths of the project too.
    """
    wdir = str(body.get("wdir") or ".")
    top = os.path.realpath(root)
    for out in _outs(body):
        path = os.path.normpath(f"{top}/{folder}/{wdir}/{out}" if out[:1] != "/" else out)
        is_named_otherwise = "$" in wdir or "$" in out or _LOCAL_URL.match(out)
        if is_named_otherwise or _is_read_by_own_stages(root, path):
            _refuse(name, f"the stage {stage} writes {out!r}, which sceneset's stages may read")


def _is_read_by_own_stages(root: Path, path: str) -> bool:
    """Return whether a path is in, or above, a file or folder that sceneset's stages read."""
    tops = {str(root.absolute()), os.path.realpath(root)}
    for own in (f"{top}/{name}/" for top in tops for name in _OWN_FOLDERS):
        # As it is written, and behind the links in it.
        for written in {f"{path.rstrip('/')}/", f"{os.path.realpath(path).rstrip('/')}/"}:
            if written.startswith(own) or own.startswith(written):
                return True
    return False


def _outs(body: Mapping[Any, Any]) -> Iterator[str]:
    for key in ("outs", "metrics", "plots"):
        listed = body.get(key) or []
        for out in listed if isinstance(listed, list) else [listed]:
            yield from map(str, out) if isinstance(out, dict) else (str(out),)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _refuse(name: str, reason: str) -> None:
    raise DvcError(
        f"{name}: {reason}. sceneset runs only its own stages; read {name}, and run `dvc repro` "
        "yourself if you trust it"
    )
