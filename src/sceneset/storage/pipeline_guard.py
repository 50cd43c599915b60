"""Check the files that DVC is about to read, because a clone or a pull request may be hostile.

DVC expands YAML aliases without a limit, runs any command of dvc.yaml, and opens a cache of pickled
objects wherever .dvc/config says. sceneset starts DVC only on files without such surprises.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from sceneset.errors import DvcError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.schemas.params import Params
from sceneset.storage.files import open_regular, read_text
from sceneset.storage.git import git
from sceneset.storage.yaml_files import MAX_YAML, load

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_EXPANDED = 64 << 20
"""Upper bound of the size of a file with its aliases written out, in bytes."""

_OWN_STAGES = frozenset({"scan", "check", "splits", "stats", "leakage", "manifest", "card"})
_OWN_COMMAND = re.compile(r"python(?: -[PI])? -m sceneset\.stages\.\w+(?: \$\{[\w.]+\})*")
_OWN_FOLDERS = ("registry", DATA_ROOT, "params.yaml")
_OWN_PATH = re.compile(r"[\w.-]+(?:/(?:[\w.-]|\$\{item\})+)*")

_PATTERNS = (":(glob)**/dvc.yaml", ":(glob)**/dvc.lock", ":(glob)**/*.dvc")

_MAX_CONFIG = 1 << 20  # bytes
_DANGEROUS = re.compile(
    r"^\s*['\"]?(site_cache_dir|configpath|credentialpath|plugins_path"
    r"|bearer_token_command)['\"]?\s*=\s*(.*?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Options that name a program, or files from which programs are read."""


def check_dvc_files(root: Path, *, runs_stages: bool) -> None:
    """Check the files that DVC reads in a registry's folder before a dvc command is started.

    Args:
        root: The DVC project; nothing is checked if it is none.
        runs_stages: Whether the command runs stages, so that their commands are checked too.

    Raises:
        FindingsError: A YAML file is too large, or grows too much when its aliases are expanded.
        DvcError: The configuration or the pipeline would run a program of the repository.
    """
    if not (root / ".dvc").is_dir():
        return
    check_own_config(root)
    texts = {name: _bounded_text(root, name) for name in _dvc_files(root)}
    if runs_stages and "dvc.yaml" in texts:
        params = Paths(root).params
        load(params, Params, params.name)  # its values are put into the commands of the stages
        _check_commands(texts)


def check_own_config(root: Path) -> None:
    """Check that .dvc/config does not name files of the repository that can run programs.

    A working tree's configuration is the user's, as it is for DVC, but it may have come with a
    clone. So options that name a program are obeyed only where the repository does not have the
    file.

    Raises:
        DvcError: It does.
    """
    for name in (".dvc/config", ".dvc/config.local"):
        try:
            with open(root / name, "rb", opener=open_regular) as file:
                text = file.read(_MAX_CONFIG).decode("utf-8", "replace")
        except OSError:
            continue
        for match in _DANGEROUS.finditer(text):
            option, value = match[1].lower(), match[2].strip("'\"")
            path = os.path.realpath(root / ".dvc" / os.path.expanduser(value))  # noqa: PTH111 - "~nobody" is a name too
            inside = path.startswith(f"{os.path.realpath(root)}{os.sep}")
            if option == "site_cache_dir":  # DVC resolves it in the current folder
                inside |= not Path(value).is_absolute()
            if inside or (option == "bearer_token_command" and _is_tracked(root, name)):
                raise DvcError(
                    f"{name}: {option} = {value} would let the repository run a program of its "
                    "own. Delete the line; if it is yours, use a path outside of the repository "
                    "and `dvc config --global`"
                )


def _is_tracked(root: Path, name: str) -> bool:
    return bool(_tracked(root, name))


def _tracked(root: Path, *patterns: str) -> set[str]:
    """Return the files that git tracks and that match a pattern."""
    with suppress(OSError):  # git is not installed
        return {*git(root, "ls-files", "-z", "--", *patterns, check=False).split("\0")} - {""}
    return set()


def _dvc_files(root: Path) -> Iterator[str]:
    """Yield the files below ``root`` that DVC parses: those in git, and the pipeline's own."""
    for name in sorted(_tracked(root, *_PATTERNS) | {"dvc.yaml", "dvc.lock"}):
        if (root / name).exists():
            yield name


def _bounded_text(root: Path, name: str) -> str:
    """Return the text of a YAML file of limited size, also after its aliases are expanded.

    Raises:
        FindingsError: The file is too large, or not UTF-8, or expands too much.
    """
    text = read_text(root / name, name, limit=MAX_YAML, hint="restore it with git")
    if "&" in text:  # without an anchor there is no alias
        _check_aliases(text, name)
    return text


def _check_aliases(text: str, name: str) -> None:
    depth, anchored, aliases = 0, [], 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if event.anchor:
                    anchored.append(depth)
            elif isinstance(event, yaml.CollectionEndEvent):
                if anchored and anchored[-1] == depth:
                    anchored.pop()
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
                if anchored or aliases * len(text) > _MAX_EXPANDED:
                    row = event.start_mark.line + 1 if event.start_mark else None
                    fail(
                        "yaml-alias",
                        "its aliases stand for too much text",
                        file=name,
                        row=row,
                        hint="write the values out",
                    )
    except yaml.YAMLError:
        return  # DVC refuses the file too, and its message is better


def _check_commands(texts: Mapping[str, str]) -> None:
    """Check that no command of the repository runs when sceneset runs its own stages.

    Raises:
        DvcError: One would run.
    """
    for name, text in texts.items():
        if name.endswith(".lock"):
            continue
        data = _mapping(yaml.load(text, Loader=_LOADER))  # noqa: S506 - a safe loader
        folder = posixpath.dirname(name)
        if name.endswith(".dvc"):
            if data.get("deps") and not data.get("frozen"):
                _refuse(name, "it is an import that is not frozen")
            continue
        if data.get("vars"):
            _refuse(name, "`vars` can replace what the commands of the stages run")
        for stage, definition in _mapping(data.get("stages")).items():
            body = _mapping(_mapping(definition).get("do", definition))
            if not folder and stage in _OWN_STAGES:
                _check_own_stage(name, str(stage), _mapping(definition), body)
            else:
                _check_other_stage(name, str(stage), folder, body)


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


def _check_other_stage(name: str, stage: str, folder: str, body: Mapping[Any, Any]) -> None:
    """Check that a stage is none of those that run before sceneset's own stages."""
    wdir = str(body.get("wdir") or ".")
    for out in _outs(body):
        path = posixpath.normpath(posixpath.join(folder, wdir, out))
        if "$" in wdir or "$" in out or path.split("/")[0] in {*_OWN_FOLDERS, "."}:
            _refuse(name, f"the stage {stage} writes {out!r}, which sceneset's stages may read")


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
