"""Create a new, empty registry from the templates of the installed package."""

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from sceneset.catalog.tombstones import tombstones_text
from sceneset.cli.new_folder import delete_abandoned, new_folder
from sceneset.cli.surroundings import larger_repository, workflow_text
from sceneset.errors import DvcError
from sceneset.paths import DATA_ROOT
from sceneset.rules.policy import EMPTY_WAIVERS
from sceneset.storage.dvc import dvc
from sceneset.storage.files import write_text


def lay_out(folder: Path, *, install: str = "") -> None:
    """Create a registry in ``folder``: a git and a DVC repository with the template files.

    The folder must not exist or be empty except for ``.git``. In a larger git repository it becomes
    a part of that one; otherwise `git init` is run if there is no ``.git``. A run that was killed
    at any moment is completed or replaced by the next one.

    Args:
        folder: The folder of the registry.
        install: Where the workflow installs sceneset from, as `pip install` takes it.

    Raises:
        NotEmptyError: The folder has other content; nothing is changed.
        DvcError: git or dvc failed; everything that was created is removed.
    """
    outer = larger_repository(folder)
    texts = template(install, outer.prefix if outer else "")
    if _is_untouched(folder, texts):  # an earlier run was killed after its last step
        delete_abandoned(folder)
        return
    with new_folder(folder, last="params.yaml") as content:
        if content is not None:
            _fill(content, texts)
            if outer or (folder / ".git").exists():
                shutil.rmtree(content / ".git")  # DVC needed a repository for `dvc init`


def _is_untouched(folder: Path, texts: dict[str, str]) -> bool:
    """Return whether a folder holds a new registry without any change."""
    try:
        return (folder / ".dvc/config").is_file() and all(
            (folder / name).read_bytes() == text.encode() for name, text in texts.items()
        )
    except OSError:
        return False


def _fill(folder: Path, texts: dict[str, str]) -> None:
    _git(folder)
    dvc(folder, "init", "--quiet")
    dvc(folder, "config", "core.analytics", "false")
    params = texts["params.yaml"]
    for name, text in texts.items():
        if text is not params:
            write_text(folder / name, text)
    for name in ("subsets", "tags", "scans"):
        write_text(folder / "registry" / name / ".gitkeep", "")
    (folder / DATA_ROOT).mkdir()
    write_text(folder / "params.yaml", params)


def template(install: str = "", prefix: str = "") -> dict[str, str]:
    """Return the contents of the files of a new registry, by path.

    Args:
        install: Where the workflow installs sceneset from.
        prefix: The registry's folder in a larger repository, with a slash at its end, or "".
    """
    source, schemas = files("sceneset.cli") / "templates", files("sceneset.schemas")
    texts = {
        "README.md": (source / "README.md").read_text("utf-8"),
        "AGENTS.md": (source / "AGENTS.md").read_text("utf-8"),
        "dvc.yaml": (source / "pipeline.yaml").read_text("utf-8"),
        "params.yaml": (source / "params.yaml").read_text("utf-8"),
        ".github/workflows/registry.yml": workflow_text(
            (source / "workflow.yml").read_text("utf-8"), install, prefix
        ),
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


def files_of(folder: Path) -> list[str]:
    """Return the files of a new registry that belong into its first commit."""
    names = [*template(), ".dvc/config", ".dvc/.gitignore"]
    names += [f"registry/{name}/.gitkeep" for name in ("subsets", "tags", "scans")]
    return [name for name in names if (folder / name).is_file()]


def _git(folder: Path) -> None:
    if (folder / ".git").exists():
        return
    if shutil.which("git") is None:
        raise DvcError("git is not installed, but a registry is a git repository")
    command = ["git", "init", "--quiet", "--initial-branch=main"]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True)
    if result.returncode:
        raise DvcError(f"git init failed: {result.stderr.decode(errors='replace').strip()}")
