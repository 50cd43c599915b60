"""Tiny registries and deliveries, and the programs that tests run on them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

from support.fork_server import ForkingSubprocess

ROOT = Path(__file__).resolve().parents[2]


SHARED = ROOT.parent / "shared"


NAME = "CustomSeg_Person_20240115_web"


needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="../shared with its real photos is not here"
)


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def git(cwd: Path, *words: str) -> str:
    """Run git as somebody, and return what it printed."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(
        ["git", *who, *words], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout


def dvc(
    cwd: Path, *words: str, check: bool = True, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run dvc with this Python first on PATH, as a person does in an activated environment.

    It runs in a fork of a process that has imported dvc, unless the test needs real processes.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = ForkingSubprocess.run(
        [sys.executable, "-m", "dvc", *words],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, **(env or {})},
    )
    if check and done.returncode:
        raise AssertionError(f"dvc {' '.join(words)}:\n{done.stdout}\n{done.stderr}")
    return Outcome(done.returncode, done.stdout, done.stderr)


def copy_home(template: Path, folder: Path) -> Path:
    """Copy a registry and the remote beside it; return the new registry."""
    return Path(shutil.copytree(template, folder / "home", symlinks=True)) / "registry"


Run = Callable[..., Outcome]
"""The fixture ``sceneset``: runs a command line in a folder."""
Splits = Mapping[str, Sequence[str]]


def write_image(path: Path, seed: int = 0, size: tuple[int, int] = (32, 24)) -> None:
    """Draw a small image that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    low = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(low).resize(size, Image.Resampling.BICUBIC).save(path, quality=90)


def write_mask(
    path: Path, size: tuple[int, int] = (32, 24), *, person: int = 1, ignore: bool = False
) -> None:
    """Draw a mask with a person in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    mask = Image.new("L", size)
    drawn = ImageDraw.Draw(mask)
    drawn.ellipse((width // 3, height // 4, 2 * width // 3, 3 * height // 4), fill=person)
    if ignore:
        drawn.line((0, 0, width, 0), fill=255)
    mask.save(path)


def make_delivery(
    folder: Path,
    splits: Splits | None = None,
    *,
    train: Sequence[str] = ("a", "b", "c", "d"),
    val: Sequence[str] = (),
    suffix: str = ".jpg",
) -> Path:
    """Write a good delivery: an image and a mask for each stem, and split files as given."""
    for phase, stems in (("train", train), ("val", val)):
        for seed, stem in enumerate(stems):
            write_image(folder / "img_dir" / phase / f"{stem}{suffix}", seed + 1000 * len(phase))
            write_mask(folder / "ann_dir" / phase / f"{stem}.png")
    if splits is None:
        splits = {"total.txt": train, "ski.txt": train[:2], "ski_muiltiperson.txt": train[2:]}
    for name, stems in splits.items():
        (folder / "split_dir").mkdir(exist_ok=True)
        (folder / "split_dir" / name).write_text("".join(f"{s}\n" for s in stems), "utf-8")
    return folder


def snapshot(root: Path) -> dict[str, bytes]:
    """Return every file below ``root`` but git's own and DVC's cache and temporary ones."""
    skipped = (".git/", ".dvc/cache/", ".dvc/tmp/", ".sceneset/")
    return {
        shown: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not (shown := path.relative_to(root).as_posix()).startswith(skipped)
    }


def blob(store: Path, md5: str) -> Path:
    """Return where a remote in a folder keeps a blob."""
    return store / "files/md5" / md5[:2] / md5[2:]


def restore_older_gitignore(root: Path) -> None:
    """Commit the .gitignore of an older registry, which lets ignore files of users hide files."""
    path = root / ".gitignore"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("!")), "utf-8")
    git(root, "commit", "--quiet", "--message", "An older .gitignore", "--", ".gitignore")


def images_of(root: Path, sceneset: Callable[..., Outcome]) -> dict[str, str]:
    """Return the content hash of every image, by stem."""
    samples = sceneset("lookup", "--samples", "--json", cwd=root).json
    return {sample["stem"]: sample["image_md5"] for sample in samples}
