"""A new, empty registry: the files it starts with, from the installed package."""

import shutil
from importlib.resources import files
from pathlib import Path

from sceneset.registry.catalog import DATA_ROOT
from sceneset.registry.files import write_text
from sceneset.registry.remote import DvcError, dvc

_README = """\
# A registry of person-segmentation subsets

    sceneset add DELIVERY --name CustomSeg_Person_<YYYYMMDD>_<note>
    dvc repro && git add . && git commit -m "Add a subset" && dvc push
    sceneset lookup ski
"""


class NotEmptyError(Exception):
    """The folder holds something already."""


def lay_out(folder: Path) -> None:
    """Make ``folder`` a registry: pipeline, settings, vocabulary, schemas, a DVC project.

    It must be missing or empty, but for a .git; `git init` is run where there is none.

    Raises:
        NotEmptyError: it holds other things; nothing is changed.
        DvcError: git or dvc refused.
    """
    if folder.exists() and (not folder.is_dir() or {p.name for p in folder.iterdir()} - {".git"}):
        raise NotEmptyError(f"{folder} is not an empty folder; name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in template().items():
        write_text(folder / name, text)
    for name in ("subsets", "tags", "scans"):
        write_text(folder / "registry" / name / ".gitkeep", "")
    (folder / DATA_ROOT).mkdir()
    _git(folder)
    dvc(folder, "init", "--quiet", "--force")
    write_text(folder / ".dvcignore", template()[".dvcignore"])
    dvc(folder, "config", "core.analytics", "false")


def template() -> dict[str, str]:
    """Return the files a registry starts with, by path."""
    package, schemas = files("sceneset.registry"), files("sceneset.schemas")
    source = package / "template"
    texts = {
        "README.md": _README,
        "dvc.yaml": (source / "dvc.yaml").read_text("utf-8"),
        "params.yaml": (source / "params.yaml").read_text("utf-8"),
        ".gitattributes": (source / "gitattributes").read_text("utf-8"),
        ".gitignore": (source / "gitignore").read_text("utf-8"),
        ".dvcignore": (source / "dvcignore").read_text("utf-8"),
        "registry/scenes.yaml": (package / "scenes.yaml").read_text("utf-8"),
    }
    for item in (schemas / "json").iterdir():
        if item.name.endswith(".json"):
            texts[f"schemas/json/{item.name}"] = item.read_text("utf-8")
    return texts


def _git(folder: Path) -> None:
    import subprocess

    if (folder / ".git").exists():
        return
    if shutil.which("git") is None:
        raise DvcError("git is not installed; a registry lives in a git repository")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
