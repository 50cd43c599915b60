"""Fix a delivery: write a fixed copy of it, completely or not at all.

The copy has every file of the delivery. What is not fixed is copied as it is and reported with the
reason.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.subset_folder import IMAGE_SUFFIXES, layout_of_files, read_layout
from sceneset.edits.delivery_samples import DeliverySamples, list_samples, stem_of
from sceneset.edits.fix_copy import copy_other_files
from sceneset.edits.fix_delivery_sample import SampleResult, fix_delivered_sample, unused_path
from sceneset.edits.fix_sample import Key, NewStems, choose_stems
from sceneset.edits.fix_types import DeliveryFix, FixedSample, FixOptions
from sceneset.edits.split_renames import refused_renames, renamed_lines
from sceneset.edits.split_texts import SplitText, StemIndex, read_split_texts
from sceneset.errors import UsageError
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.progress import Progress
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.terms import Phase
from sceneset.storage.files import atomic_folder, copy_file
from sceneset.storage.locking import destination_lock
from sceneset.threads import map_in_threads


class _Files(NamedTuple):
    """The files of a delivery, and what they will be named."""

    found: DeliverySamples
    names: NewStems
    splits: list[SplitText]
    stems: StemIndex


def fix_delivery(
    folder: Path, to: Path | None, options: FixOptions, progress: Progress
) -> DeliveryFix:
    """Find what can be fixed in a delivery, and write a fixed copy of the whole delivery.

    The delivery itself is never changed.

    Args:
        folder: The delivery.
        to: The folder for the copy. None means to write nothing.
        options: What to fix.
        progress: Reports the number of samples.

    Raises:
        UsageError: ``folder`` is not a delivery, or ``to`` exists or is inside of it.
        FindingsError: Another fix is writing ``to``.
        OSError: A file can't be read or written.
    """
    if to is None:
        return _fix_all(folder, _read(folder, options), options, progress, None)
    if os.path.lexists(to) or to.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{to}: name a new folder, outside of the delivery")
    files = _read(folder, options)
    with destination_lock(to):
        if os.path.lexists(to):  # another run has ended since
            raise UsageError(f"{to}: name a new folder; this one was written meanwhile")
        # The temporary name is fixed, so that the next fix removes what a killed one left.
        with atomic_folder(to, temporary=to.with_name(f".{to.name}.part")) as temporary:
            return _fix_all(folder, files, options, progress, temporary)


def _read(folder: Path, options: FixOptions) -> _Files:
    """List the files of a delivery and choose their new names.

    Raises:
        UsageError: ``folder`` is not a delivery.
    """
    found = list_samples(folder)
    if not any(paths.image for paths in found.samples.values()) and not found.conflicts:
        raise UsageError(f"{folder} has no images in img_dir/<phase>")
    return _choose_names(folder, found, options)


def _choose_names(folder: Path, found: DeliverySamples, options: FixOptions) -> _Files:
    """Choose new stems; a sample whose lines in a split file can't follow keeps its stem."""
    shared = {(phase, stem_of(path)) for phase, _, path in found.conflicts}
    names = choose_stems(
        found.samples,
        options.rules,
        taken=[*found.taken, *shared],
        mask_stems=found.mask_stems,
    )
    stems: dict[Key, set[str]] = {key: {key[1]} for key in (*found.samples, *shared)}
    for key, stem in found.mask_stems.items():
        stems[key].add(stem)
    index = StemIndex(stems)
    splits = read_split_texts(folder / "split_dir", options.vocabulary, index)
    for key, reason in refused_renames(splits, stems, names.stems).items():
        del names.stems[key]
        names.unfixed[key] = tuple((code, reason) for code in names.fixed.pop(key))
    return _Files(found, names, splits, index)


def _fix_all(
    folder: Path, files: _Files, options: FixOptions, progress: Progress, to: Path | None
) -> DeliveryFix:
    results = _fix_samples(files, options, progress, to)
    samples = {key: result.sample for key, result in results.items()}
    texts = _fix_split_files(files, options, samples)
    if to:
        for phase, part, path in files.found.conflicts:
            copy_file(path, unused_path(to / part / phase / path.name))
        names = {path: name for result in results.values() for path, name in result.names}
        names |= {path: path.name for _, _, path in files.found.conflicts}
        copy_other_files(folder, to, names, texts)
    left = _add_layout_errors(folder, files, results, samples) if options.has_all_rules else []
    changed = (s for _, s in sorted(samples.items()) if s.fixed or s.unfixed or s.notes)
    return DeliveryFix(list(changed), left)


def _fix_samples(
    files: _Files, options: FixOptions, progress: Progress, to: Path | None
) -> dict[Key, SampleResult]:
    """Fix all samples: those with a mask of 0 and 255 last, when all other masks are known."""
    found, names = files.found.samples, files.names

    def fix_with(
        map_255: bool | None, *, has_classes: bool = False
    ) -> Callable[[Key], SampleResult]:
        return lambda key: fix_delivered_sample(
            key, found[key], names, options, to, map_255=map_255, has_classes=has_classes
        )

    keys = sorted(found)
    with no_warnings():
        first = map_in_threads(fix_with(True if options.map_255 else None), keys)
        results = dict(zip(keys, progress(first, len(keys), "fix"), strict=True))
        void = [key for key, result in results.items() if result.is_void]
        uses_1 = any(result.uses_1 for result in results.values())
        has_classes = not uses_1 and any(result.uses_classes for result in results.values())
        fix_void = fix_with(not uses_1 and not has_classes, has_classes=has_classes)
        results.update(zip(void, map_in_threads(fix_void, void), strict=True))
    return results


def _fix_split_files(
    files: _Files, options: FixOptions, samples: dict[Key, FixedSample]
) -> dict[Path, bytes]:
    """Return the split files with changed lines; ``samples`` gets lines in another normal form."""
    compose = "name-normal-form" in options.rules
    new = files.names.stems
    texts = {}
    for split in files.splits:
        if not new and (not compose or split.text.isascii()):
            continue
        data, keys = renamed_lines(split, files.stems, new, compose=compose)
        if not keys:
            continue
        texts[split.path] = data
        for key in keys & samples.keys() - new.keys():
            codes = dict.fromkeys((*samples[key].fixed, "name-normal-form"))
            samples[key] = replace(samples[key], fixed=tuple(codes))
    return texts


def _add_layout_errors(
    folder: Path,
    files: _Files,
    results: dict[Key, SampleResult],
    samples: dict[Key, FixedSample],
) -> list[Finding]:
    """Add to the samples what `sceneset add` will say about the names and places of files.

    Returns:
        Errors about other files.
    """
    parts: dict[str, list[tuple[Phase, Path]]] = {"img_dir": [], "ann_dir": []}
    keys: dict[tuple[str, str], Key] = {}
    for key, result in results.items():
        for path, name in result.names:
            new_path = path.with_name(name)
            parts[path.parents[1].name].append((Phase(key[0]), new_path))
            keys[key[0], stem_of(new_path)] = key
    for phase, part, path in files.found.conflicts:
        parts[part].append((Phase(phase), path))
    suffixes = Counter(path.suffix for _, path in parts["img_dir"])
    layout = layout_of_files(
        folder,
        *parts.values(),
        img_suffix=max(IMAGE_SUFFIXES, key=lambda suffix: suffixes[suffix]),
    )
    for p in errors_of(layout.findings):
        new_key = (str(p.phase), p.stem)
        key = keys.get(new_key, new_key)
        sample = samples.get(key) or FixedSample(*key, key[1], (), ())
        known = {code for code, _ in sample.unfixed}
        if p.code not in known:
            why = f"{Path(p.file).name} {p.message}"
            samples[key] = replace(sample, unfixed=(*sample.unfixed, (p.code, why)))
    return [
        p for p in errors_of(read_layout(folder).findings) if p.code in {"stray-file", "layout"}
    ]
