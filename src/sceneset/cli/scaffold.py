"""Create a new, empty registry from the templates of the installed package."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from sceneset.catalog.tombstones import tombstones_text
from sceneset.errors import DvcError, NotEmptyError
from sceneset.paths import DATA_ROOT
from sceneset.quality.policy import EMPTY_WAIVERS
from sceneset.storage.dvc import dvc
from sceneset.storage.files import write_text


def lay_out(folder: Path) -> None:
    """Create a registry in ``folder``: a git and a DVC repository with the template files.

    The folder must not exist or be empty except for ``.git``; `git init` is run if there is none.

    Raises:
        NotEmptyError: The folder has other content; nothing is changed.
        DvcError: git or dvc failed; everything that was created is removed.
    """
    is_new = not folder.exists()
    existing = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if existing - {".git"} or not (is_new or folder.is_dir()):
        raise NotEmptyError(
            f"{folder} is not an empty folder. Choose a new one, or delete this one first if an "
            "interrupted `sceneset init` created it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fill(folder)
    except BaseException:
        for path in [path for path in folder.iterdir() if path.name not in existing]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if is_new:
            folder.rmdir()
        raise


def _fill(folder: Path) -> None:
    _git(folder)
    dvc(folder, "init", "--quiet")
    dvc(folder, "config", "core.analytics", "false")
    texts = template()
    params = texts.pop("params.yaml")
    for name, text in texts.items():
        write_text(folder / name, text)
    for name in ("subsets", "tags", "scans"):
        write_text(folder / "registry" / name / ".gitkeep", "")
    (folder / DATA_ROOT).mkdir()
    # This file comes last, because commands recognize a registry by it: no command takes the folder
    # of an interrupted `init` for a registry.
    write_text(folder / "params.yaml", params)


def template() -> dict[str, str]:
    """Return the contents of the files of a new registry, by path."""
    source, schemas = files("sceneset.cli") / "templates", files("sceneset.schemas")
    texts = {
        "README.md": (source / "README.md").read_text("utf-8"),
        "dvc.yaml": (source / "pipeline.yaml").read_text("utf-8"),
        "params.yaml": (source / "params.yaml").read_text("utf-8"),
        ".github/workflows/registry.yml": (source / "workflow.yml").read_text("utf-8"),
        ".gitattributes": (source / "gitattributes").read_text("utf-8"),
        ".gitignore": (source / "gitignore").read_text("utf-8"),
        ".dvcignore": (source / "dvcignore").read_text("utf-8"),
        "registry/forgotten.yaml": tombstones_text(()),
        "registry/waivers.yaml": EMPTY_WAIVERS,
        "registry/scenes.yaml": (source / "scenes.yaml").read_text("utf-8"),
    }
    for item in (schemas / "json").iterdir():
        if item.name.endswith(".json"):
            texts[f"schemas/json/{item.name}"] = item.read_text("utf-8")
    return texts


def _git(folder: Path) -> None:
    if (folder / ".git").exists():
        return
    if shutil.which("git") is None:
        raise DvcError("git is not installed, but a registry is a git repository")
    command = ["git", "init", "--quiet", "--initial-branch=main"]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True)
    if result.returncode:
        raise DvcError(f"git init failed: {result.stderr.decode(errors='replace').strip()}")
