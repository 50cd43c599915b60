"""Fix a delivery: write a fixed copy of it, completely or not at all."""

import os
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sceneset.edits.fix_sample import (
    FixedFiles,
    Key,
    MaskFrame,
    NewStems,
    SampleFiles,
    Unfixed,
    choose_stems,
    fix_files,
)
from sceneset.errors import FindingsError, UsageError
from sceneset.progress import Progress
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from sceneset.storage.files import atomic_folder, copy_file, read_bytes

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_BATCH = 256  # samples whose files are in memory at the same time


@dataclass(frozen=True)
class FixedSample:
    """What a fix changes in one sample."""

    phase: str
    stem: str
    new_stem: str
    fixed: tuple[str, ...]
    """Rules whose findings are fixed."""
    unfixed: Unfixed
    subset: str = ""
    """The subset, or "" for a sample of a delivery."""


@dataclass(frozen=True)
class FixOptions:
    """The options of a fix; see ``fix_files``."""

    rules: Collection[str]
    mask_frame: MaskFrame | None
    limits: Limits


class _Files(NamedTuple):
    """The image and mask files of a delivery, and new stems."""

    images: dict[Key, Path]
    masks: dict[Key, Path]
    names: NewStems


def fix_delivery(
    folder: Path, to: Path | None, options: FixOptions, progress: Progress
) -> list[FixedSample]:
    """Find what can be fixed in a delivery, and write a fixed copy of the whole delivery.

    The delivery itself is never changed.

    Args:
        folder: The delivery.
        to: The folder for the copy. None means to write nothing.
        options: What to fix.
        progress: Reports the number of samples.

    Returns:
        The samples with something that is fixed, or that can't be fixed.

    Raises:
        UsageError: ``folder`` is not a delivery, or ``to`` exists or is inside of it.
        OSError: A file can't be read or written.
    """
    images, masks = _list_files(folder / "img_dir"), _list_files(folder / "ann_dir")
    if not images:
        raise UsageError(f"{folder} has no images in img_dir/<phase>")
    files = _Files(images, masks, choose_stems(images.keys() | masks.keys(), options.rules))
    if to is None:
        return _fix_samples(files, options, progress, None)
    if to.exists() or to.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{to}: name a new folder, outside of the delivery")
    # The temporary name is fixed, so that the next fix removes what a killed one left.
    with atomic_folder(to, temporary=to.with_name(f".{to.name}.part")) as temporary:
        samples = _fix_samples(files, options, progress, temporary)
        _copy_other_files(folder, temporary, files)
    return samples


def _list_files(folder: Path) -> dict[Key, Path]:
    """Return the image files of every phase, by phase and stem; links are not followed."""
    found: dict[Key, Path] = {}
    for phase in Phase:
        if folder.is_symlink() or not (folder / phase).is_dir() or (folder / phase).is_symlink():
            continue
        with os.scandir(folder / phase) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = Path(entry.path)
                if entry.is_file(follow_symlinks=False) and path.suffix.lower() in _SUFFIXES:
                    found.setdefault((phase, path.name[: -len(path.suffix)]), path)
    return found


def _fix_samples(
    files: _Files, options: FixOptions, progress: Progress, to: Path | None
) -> list[FixedSample]:
    images, masks, names = files

    def fix(key: Key) -> FixedSample:
        result = _read_and_fix(images.get(key), masks.get(key), options)
        stem = names.stems.get(key, key[1])
        if to and result:
            _write_sample(result.files, to, key[0], stem)
        elif to:
            for part, path in (("img_dir", images.get(key)), ("ann_dir", masks.get(key))):
                if path:
                    _copy(path, to / part / key[0] / (stem + path.suffix))
        fixed = (*(result.fixed if result else ()), *names.fixed.get(key, ()))
        unfixed = (*(result.unfixed if result else ()), *names.unfixed.get(key, ()))
        return FixedSample(*key, stem, fixed, unfixed)

    keys = sorted(images.keys() | masks.keys())
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        samples = list(progress(_in_batches(pool, fix, keys), len(keys), "fix"))
    return [sample for sample in samples if sample.fixed or sample.unfixed]


def _in_batches(
    pool: ThreadPoolExecutor, fix: Callable[[Key], FixedSample], keys: list[Key]
) -> Iterator[FixedSample]:
    waiting = iter(keys)
    while batch := list(islice(waiting, _BATCH)):
        yield from pool.map(fix, batch)


def _read_and_fix(image: Path | None, mask: Path | None, options: FixOptions) -> FixedFiles | None:
    """Return a fixed sample, or None if it has no image or a file that can't be read."""
    if image is None:
        return None
    limit = options.limits.max_bytes
    try:
        files = SampleFiles(
            image.suffix,
            read_bytes(image, image.name, limit=limit),
            read_bytes(mask, mask.name, limit=limit) if mask else None,
        )
    except FindingsError:
        return None
    return fix_files(files, options.rules, options.limits, options.mask_frame)


def _write_sample(files: SampleFiles, to: Path, phase: str, stem: str) -> None:
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


def _copy_other_files(folder: Path, to: Path, files: _Files) -> None:
    """Copy all files but images and masks; split files get the new stems, links are left out."""
    new_stems = {stem: new_stem for (_, stem), new_stem in files.names.stems.items()}
    done = {*files.images.values(), *files.masks.values()}
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(base, name)
            if path in done or path.is_symlink() or not path.is_file():
                continue
            target = to / path.relative_to(folder)
            if path.parent == folder / "split_dir" and path.suffix == ".txt" and new_stems:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_replace_stems(path.read_bytes(), new_stems))
            else:
                _copy(path, target)


def _replace_stems(data: bytes, new_stems: dict[str, str]) -> bytes:
    """Return a split file with new stems; line ends and white space stay as they are."""
    try:
        lines = data.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return data  # `sceneset add` reports it
    normalized = {unicodedata.normalize("NFC", old): new for old, new in new_stems.items()}
    result = []
    for line in lines:
        stem = line.strip()
        new = new_stems.get(stem) or normalized.get(unicodedata.normalize("NFC", stem))
        result.append(line.replace(stem, new) if new else line)
    return "".join(result).encode()
