"""Fixing a delivery: a mended copy of it, made aside and put in place whole."""

import os
import shutil
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from sceneset.edits.fix_sample import Files, Frame, Key, Mended, Names, mend, renamed
from sceneset.errors import FindingsError, UsageError
from sceneset.progress import Progress
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from sceneset.storage.files import copy_file, read_bytes

T = TypeVar("T")
_PICTURES = {".jpg", ".jpeg", ".png"}
_BATCH = 256  # samples whose bytes may wait in memory


@dataclass(frozen=True)
class Fixed:
    """What a fix does to one sample, or does not."""

    phase: str
    stem: str
    new_stem: str
    done: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    """Rules it was not mended by, and why."""
    subset: str = ""
    """The subset, where it is one of the registry's."""


@dataclass(frozen=True)
class Asked:
    """What a fix is to do."""

    rules: Collection[str]
    frame: Frame | None
    limits: Limits


def fix_delivery(folder: Path, to: Path | None, asked: Asked, progress: Progress) -> list[Fixed]:
    """Return what has one right answer in a delivery; with ``to``, write a mended copy there.

    The delivery itself is never changed. The copy is there whole or not at all.

    Raises:
        UsageError: ``folder`` is no delivery, or ``to`` is there already.
        OSError: a file can't be read or written.
    """
    images, masks = _pictures(folder / "img_dir"), _pictures(folder / "ann_dir")
    if not images:
        raise UsageError(f"{folder} holds no images in img_dir/<phase>")
    found = _Found(images, masks, renamed(images.keys() | masks.keys(), asked.rules))
    if to is None:
        return _mended(found, asked, progress, None)
    if to.exists() or to.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{to}: name a new folder, outside of the delivery")
    aside = to.with_name(f".{to.name}.part")
    shutil.rmtree(aside, ignore_errors=True)  # what a fix that was cut off has left
    aside.mkdir(parents=True)
    try:
        fixed = _mended(found, asked, progress, aside)
        _copy_rest(folder, aside, found)
        aside.rename(to)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return fixed


class _Found(NamedTuple):
    """The pictures of a delivery, and the new stems they get."""

    images: dict[Key, Path]
    masks: dict[Key, Path]
    names: Names


def _pictures(folder: Path) -> dict[Key, Path]:
    """Return the pictures of every phase, by phase and stem; links are not followed."""
    found: dict[Key, Path] = {}
    for phase in Phase:
        if folder.is_symlink() or not (folder / phase).is_dir() or (folder / phase).is_symlink():
            continue
        with os.scandir(folder / phase) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = Path(entry.path)
                if entry.is_file(follow_symlinks=False) and path.suffix.lower() in _PICTURES:
                    found.setdefault((phase, path.name[: -len(path.suffix)]), path)
    return found


def _mended(found: _Found, asked: Asked, progress: Progress, to: Path | None) -> list[Fixed]:
    images, masks, names = found

    def one(key: Key) -> Fixed:
        mended = _read_and_mend(images.get(key), masks.get(key), asked)
        stem = names.stems.get(key, key[1])
        if to and mended:
            _write(mended.files, to, key[0], stem)
        elif to:
            for part, path in (("img_dir", images.get(key)), ("ann_dir", masks.get(key))):
                if path:
                    _copy(path, to / part / key[0] / (stem + path.suffix))
        done = (*(mended.done if mended else ()), *names.done.get(key, ()))
        left = (*(mended.left if mended else ()), *names.left.get(key, ()))
        return Fixed(*key, stem, done, left)

    keys = sorted(images.keys() | masks.keys())
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        every = list(progress(_in_batches(pool, one, keys), len(keys), "fix"))
    return [fixed for fixed in every if fixed.done or fixed.left]


def _in_batches(
    pool: ThreadPoolExecutor, work: Callable[[Key], Fixed], keys: list[Key]
) -> Iterator[Fixed]:
    waiting = iter(keys)
    while batch := list(islice(waiting, _BATCH)):
        yield from pool.map(work, batch)


def _read_and_mend(image: Path | None, mask: Path | None, asked: Asked) -> Mended | None:
    """Return a sample mended, or None where it has no image, or one beyond the limits."""
    if image is None:
        return None
    try:
        read = [
            read_bytes(path, path.name, limit=asked.limits.max_bytes) if path else None
            for path in (image, mask)
        ]
    except FindingsError:
        return None
    assert read[0] is not None, "there is an image"
    return mend(Files(image.suffix, read[0], read[1]), asked.rules, asked.limits, asked.frame)


def _write(files: Files, to: Path, phase: str, stem: str) -> None:
    for part, suffix, data in (
        ("img_dir", files.suffix, files.image),
        ("ann_dir", ".png", files.mask),
    ):
        if data is not None:
            path = to / part / phase / (stem + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    copy_file(source, target)


def _copy_rest(folder: Path, to: Path, found: _Found) -> None:
    """Copy all other files as they are, split files with the new stems; links are left out."""
    new = {stem: clean for (_, stem), clean in found.names.stems.items()}
    taken = {*found.images.values(), *found.masks.values()}
    for base, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(base, name)
            if path in taken or path.is_symlink() or not path.is_file():
                continue
            target = to / path.relative_to(folder)
            if path.parent == folder / "split_dir" and path.suffix == ".txt" and new:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_relined(path.read_bytes(), new))
            else:
                _copy(path, target)


def _relined(data: bytes, new: dict[str, str]) -> bytes:
    """Return a split file's bytes with new stems; all else of it stays as it is."""
    try:
        lines = data.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return data  # an add says so
    composed = {unicodedata.normalize("NFC", stem): clean for stem, clean in new.items()}
    out = []
    for line in lines:
        stem = line.strip()
        clean = new.get(stem) or composed.get(unicodedata.normalize("NFC", stem))
        out.append(line.replace(stem, clean) if clean else line)
    return "".join(out).encode()
