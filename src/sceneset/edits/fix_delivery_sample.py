"""Fix one sample of a delivery: read its files, judge them as `sceneset add` does, write them."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sceneset.edits.delivery_samples import SamplePaths
from sceneset.edits.fix_sample import (
    FixedFiles,
    Key,
    NewStems,
    SampleFiles,
    Unfixed,
    fix_files,
    standard_suffix,
)
from sceneset.edits.fix_types import FixedSample, FixOptions
from sceneset.errors import FindingsError
from sceneset.scanning.measure_sample import Content, LoadedPair, Measured, Pair, measure_loaded
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from sceneset.storage.files import copy_file, first_bytes

_DAMAGE = frozenset(
    {"image-unreadable", "image-format", "image-too-large", "image-too-small", "file-unreadable"}
)
"""Codes of errors after which the pixels of a file are not known."""
_VOID = "mask-0-255"
VOID_NOTE = (
    "255 was not changed to 1: other masks use 1 for person, so 255 is read as ignored and nobody "
    "is there. If 255 means person, give --map 255=1"
)


class SampleResult(NamedTuple):
    """The result for one sample of a delivery; the content of its files is not kept."""

    sample: FixedSample
    names: tuple[tuple[Path, str], ...] = ()
    """The old path and the new name of each file."""
    uses_1: bool = False
    """Whether its mask has pixels of value 1."""
    uses_classes: bool = False
    """Whether its mask has class numbers besides 0 and 255."""
    is_void: bool = False
    """Whether its mask holds 0 and 255 alone and other masks must decide; nothing was written."""


def fix_delivered_sample(
    key: Key,
    paths: SamplePaths,
    names: NewStems,
    options: FixOptions,
    to: Path | None,
    *,
    map_255: bool | None,
    has_classes: bool = False,
) -> SampleResult:
    """Fix one sample and write its files into a copy of the delivery.

    Files that are damaged, or of which `sceneset fix` knows no right form, get a new stem at most.

    Args:
        key: Phase and stem of the sample.
        paths: Its files.
        names: The new stems of all samples.
        options: What to fix.
        to: The folder of the copy, or None to write nothing.
        map_255: Whether 255 means person in a mask of 0 and 255. None if that is not known yet:
            such a sample is returned as it is.
        has_classes: Whether ``map_255`` is False because of class numbers other than 1.
    """
    data, errors = _read(key, paths, options.limits)
    before = _judge(paths, data, options.limits)
    errors += before.findings
    if map_255 is None and any(p.code == _VOID for p in errors):
        return SampleResult(FixedSample(*key, key[1], (), ()), is_void=True)
    fixed = FixedFiles(SampleFiles("", b"", None))
    new = dict(data)
    suffixes = {path: path.suffix for _, path in paths.existing()}
    image, mask = paths
    if image and _is_editable(paths) and not any(p.code in _DAMAGE for p in errors):
        fixed = _fix(image, mask, data, options, map_255=bool(map_255))
        new[image], suffixes[image] = fixed.files.image, fixed.files.suffix
        if mask:
            new[mask], suffixes[mask] = fixed.files.mask or b"", fixed.files.mask_suffix
        if new != data:
            errors = [*_judge(paths, new, options.limits).findings]
    unfixed, notes = _left(errors, options, map_255=bool(map_255), has_classes=has_classes)
    unfixed |= dict((*fixed.unfixed, *names.unfixed.get(key, ())))
    stem = names.stems.get(key, key[1])
    new_names = {path: stem + suffix for path, suffix in suffixes.items()}
    if to:
        for part, path in paths.existing():
            target = unused_path(to / part / key[0] / new_names[path])
            if path in data and new[path] != data[path]:
                target.write_bytes(new[path])
            else:
                copy_file(path, target)
    codes = (*fixed.fixed, *names.fixed.get(key, ()))
    sample = FixedSample(*key, stem, codes, tuple(unfixed.items()), notes=notes)
    return SampleResult(sample, tuple(new_names.items()), before.uses_1, before.uses_classes)


def _fix(
    image: Path,
    mask: Path | None,
    data: Mapping[Path, bytes],
    options: FixOptions,
    *,
    map_255: bool,
) -> FixedFiles:
    files = SampleFiles(
        image.suffix,
        data[image],
        data[mask] if mask else None,
        mask.suffix if mask else ".png",
    )
    return fix_files(files, options.rules, options.limits, options.mask_frame, map_255=map_255)


def _left(
    findings: Iterable[Finding], options: FixOptions, *, map_255: bool, has_classes: bool
) -> tuple[dict[str, str], Unfixed]:
    """Return the errors that are left and why, and notes on what may be right as it is."""
    left: dict[str, str] = {}
    notes: Unfixed = ()
    for p in errors_of(findings):
        if p.code == _VOID and has_classes:
            reason = (
                "255 was not changed to 1: other masks use class numbers but not 1, so 255 may "
                "mean ignored. Write 1 for person in all masks, or give --map 255=1 if 255 means "
                "person"
            )
            left[p.code] = reason
        elif p.code == _VOID and not map_255:
            notes = (("mask-empty", VOID_NOTE),)
        elif options.has_all_rules or p.code in options.rules:
            left.setdefault(p.code, f"{p.message}; {p.hint}" if p.hint else p.message)
    return left, notes


def unused_path(path: Path) -> Path:
    """Return a path for a new file of the copy, after creating its folder.

    Raises:
        FileExistsError: There is a file of this name. On a file system that ignores case or normal
            form, the names of two files of a delivery can be equal.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path):
        raise FileExistsError(
            f"{path}: another file of the delivery was copied to this name. Write the copy to a "
            "file system that distinguishes upper and lower case and Unicode normal forms"
        )
    return path


def _read(key: Key, paths: SamplePaths, limits: Limits) -> tuple[dict[Path, bytes], list[Finding]]:
    data: dict[Path, bytes] = {}
    errors: list[Finding] = []
    for part, path in paths.existing():
        try:
            # One byte beyond the limit: the decoder then reports that the file is too large.
            data[path] = first_bytes(path, f"{part}/{key[0]}/{path.name}", limits.max_bytes + 1)
        except FindingsError as error:
            errors += error.findings
    return data, errors


def _is_editable(paths: SamplePaths) -> bool:
    """Return whether the suffixes are those of a JPEG or PNG, and of a PNG mask."""
    image, mask = paths
    return (image is None or standard_suffix(image.suffix) is not None) and (
        mask is None or standard_suffix(mask.suffix) == ".png"
    )


def _judge(paths: SamplePaths, data: dict[Path, bytes], limits: Limits) -> Measured:
    """Measure a sample as `sceneset add` would if its files had the right suffixes."""
    image, mask = paths
    suffix = standard_suffix(image.suffix) if image else None
    # The stem does not matter here, and the real one may not be valid.
    pair = Pair(Phase.TRAIN, "x", Path(f"x{suffix}"), Path("mask.png"), Path())
    contents = {}
    if image and suffix and image in data:
        contents[pair.image] = Content(data[image])
    if mask and mask in data and standard_suffix(mask.suffix) == ".png":
        contents[pair.mask] = Content(data[mask])
    return measure_loaded(pair, LoadedPair(contents), limits)
