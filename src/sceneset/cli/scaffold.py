"""A new, empty registry: the files it starts with, from the installed package."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from sceneset.catalog.tombstones import text_of
from sceneset.errors import DvcError, NotEmptyError
from sceneset.paths import DATA_ROOT
from sceneset.quality import policy as waivers
from sceneset.storage.dvc import dvc
from sceneset.storage.files import write_text

_README = """\
# A registry of person-segmentation subsets

    sceneset remote s3://bucket/people        where the images go, once
    sceneset add DELIVERY --name CustomSeg_Person_<YYYYMMDD>_<note>
    dvc repro --allow-missing
    git add . && git commit -m "Add a subset" && dvc push
    sceneset lookup ski
"""


def lay_out(folder: Path) -> None:
    """Make ``folder`` a registry: pipeline, settings, vocabulary, schemas, a DVC project.

    It must be missing or empty, but for a .git; `git init` is run where there is none.

    Raises:
        NotEmptyError: it holds other things; nothing is changed.
        DvcError: git or dvc refused; what was made is removed.
    """
    there = folder.exists()
    kept = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if (there and not folder.is_dir()) or kept - {".git"}:
        raise NotEmptyError(
            f"{folder} is not an empty folder; name a new one (or delete it first, if it is what "
            "an init that was cut off has left)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fill(folder)
    except BaseException:
        for path in [path for path in folder.iterdir() if path.name not in kept]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not there:
            folder.rmdir()
        raise


def _fill(folder: Path) -> None:
    _git(folder)
    dvc(folder, "init", "--quiet")
    dvc(folder, "config", "core.analytics", "false")
    texts = template()
    settings = texts.pop("params.yaml")
    for name, text in texts.items():
        write_text(folder / name, text)
    for name in ("subsets", "tags", "scans"):
        write_text(folder / "registry" / name / ".gitkeep", "")
    (folder / DATA_ROOT).mkdir()
    # At last, what makes it a registry: one that was cut off above is none to any command.
    write_text(folder / "params.yaml", settings)


def template() -> dict[str, str]:
    """Return the files a registry starts with, by path."""
    source, schemas = files("sceneset.cli") / "templates", files("sceneset.schemas")
    texts = {
        "README.md": _README,
        "dvc.yaml": (source / "pipeline.yaml").read_text("utf-8"),
        "params.yaml": (source / "params.yaml").read_text("utf-8"),
        ".github/workflows/registry.yml": (source / "workflow.yml").read_text("utf-8"),
        ".gitattributes": (source / "gitattributes").read_text("utf-8"),
        ".gitignore": (source / "gitignore").read_text("utf-8"),
        ".dvcignore": (source / "dvcignore").read_text("utf-8"),
        "registry/forgotten.yaml": text_of(()),
        "registry/waivers.yaml": waivers.EMPTY,
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
        raise DvcError("git is not installed; a registry lives in a git repository")
    command = ["git", "init", "--quiet", "--initial-branch=main"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True)
    if done.returncode:
        raise DvcError(f"git init failed: {done.stderr.decode(errors='replace').strip()}")
