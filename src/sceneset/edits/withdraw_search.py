"""Find everything to withdraw: all samples, in all states of the registry, that show an image."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import TOMBSTONES_FILE, Tombstones, read_tombstones
from sceneset.edits.fix_sample import Key
from sceneset.errors import GitError, UnknownNameError, UsageError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.git import git
from sceneset.versions.history import History, Occurrence

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass
class Withdrawal:
    """What to withdraw, and where it occurs."""

    tombstones: Tombstones
    """New tombstones, by the content hash of the image."""
    found: list[Occurrence]
    """Every sample of every state that shows one of the images."""
    near: list[Occurrence] = field(default_factory=list)
    """Samples with a similar image in another file, for people to confirm."""
    purge: list[str] = field(default_factory=list)
    """Hashes of blobs that nothing else needs."""
    unread: list[str] = field(default_factory=list)
    """States that could not be searched, each with the reason."""
    masks_kept: str = ""
    """Why masks are not purged; "" if they are."""

    @property
    def current_samples(self) -> dict[str, set[Key]]:
        """The samples of the working tree, by subset."""
        keys: dict[str, set[Key]] = defaultdict(set)
        for sample in self.found:
            if not sample.version:
                keys[sample.subset].add((sample.phase, sample.stem))
        return dict(keys)


class _Target(NamedTuple):
    """An image to withdraw."""

    name: str
    """The argument that named it."""
    md5: str
    hashes: Sequence[tuple[int, int]] = ()
    """Perceptual hashes, each with that of the mirrored image, if the image file was given."""


def find_withdrawal(
    catalog: Catalog,
    names: Sequence[str],
    reason: str,
    *,
    with_near: bool = False,
    purge: bool = False,
) -> Withdrawal:
    """Find all samples that show some images. Nothing is changed.

    Args:
        catalog: The working tree of a registry.
        names: Image files, content hashes of images, or samples as SUBSET/PHASE/STEM.
        reason: The reason to record in the tombstones.
        with_near: Withdraw similar images too.
        purge: Find blobs to purge. All branches are searched then, and those of origin are
            fetched first, because blobs that others need must stay.

    Raises:
        UsageError: A name fits no image of any state of the registry, and no tombstone.
    """
    keep_masks = _fetch_origin(catalog.root) if purge else ""
    history = History(catalog, everywhere=purge)
    targets = [target for name in names for target in _targets(catalog, history, name)]
    images = {target.md5 for target in targets}
    found = history.find_by_hash(images)
    hashes = {pair for target in targets for pair in target.hashes}
    hashes |= {(sample.phash, sample.phash_mirror) for sample in found}
    known = read_tombstones(catalog.root)
    near = [
        sample
        for sample in history.find_similar(sorted(hashes))
        if sample.image_md5 not in images | known.keys()
    ]
    for target in targets:
        if target.md5 not in known.keys() | {sample.image_md5 for sample in found}:
            _refuse_unknown(target, near, with_near=with_near)
    if with_near:
        images |= {sample.image_md5 for sample in near}
        found, near = history.find_by_hash(images), []
    masks = {sample.mask_md5 for sample in found}
    masks |= {md5 for image in images & known.keys() for md5 in known[image].masks}
    masks -= history.masks_shared_with_other_images(images | known.keys(), masks)
    if purge and history.unread:
        keep_masks = keep_masks or "not every state could be searched"
    return Withdrawal(
        _new_tombstones(targets, found, reason, masks),
        _sorted(found),
        _sorted(near),
        sorted(images | (set() if keep_masks else masks)),
        sorted(history.unread),
        keep_masks if masks else "",
    )


def _fetch_origin(root: Path) -> str:
    """Fetch the branches of origin; return why the known history is incomplete, or ""."""
    if "origin" not in git(root, "remote", check=False).split():
        return ""
    try:
        git(root, "fetch", "--quiet", "--tags", "origin")
    except GitError as error:
        return f"origin can't be fetched, so what it needs is unknown ({error})"
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        return "the clone is shallow (run `git fetch --unshallow`)"
    return ""


def _new_tombstones(
    targets: Iterable[_Target], found: Sequence[Occurrence], reason: str, unshared_masks: set[str]
) -> Tombstones:
    """Return one tombstone per image; of its masks, it lists those that no other image uses."""
    masks: dict[str, set[str]] = defaultdict(set)
    for sample in found:
        masks[sample.image_md5] |= {sample.mask_md5} & unshared_masks
    hashes = {target.md5: target.hashes[0] for target in targets if target.hashes}
    hashes |= {sample.image_md5: (sample.phash, sample.phash_mirror) for sample in found}
    return {
        md5: Tombstone(
            image=md5,
            phash=f"{phash:016x}",
            phash_mirror=f"{mirror:016x}",
            masks=tuple(sorted(masks[md5])),
            reason=reason,
        )
        for md5, (phash, mirror) in hashes.items()
    }


def _sorted(samples: Iterable[Occurrence]) -> list[Occurrence]:
    return sorted(samples, key=lambda sample: (sample.place, sample.version))


def _refuse_unknown(target: _Target, near: Sequence[Occurrence], *, with_near: bool) -> None:
    """Raise UsageError for an image that is in no state, unless similar ones are withdrawn."""
    matches = sorted({f"{s.place} ({s.image_md5})" for s in near}) if target.hashes else []
    if matches and with_near:
        return
    if matches:
        raise UsageError(
            f"{target.name}: no state of the registry has this file, but these images are similar: "
            f"{', '.join(matches[:10])}. Look at them, then name those to withdraw, or give "
            "--with-near"
        )
    raise UsageError(f"{target.name}: no state of the registry has this image or a similar one")


def _targets(catalog: Catalog, history: History, name: str) -> list[_Target]:
    path = Path(name)
    if path.is_file():
        return [_target_of_file(catalog, name)]
    if _MD5.fullmatch(name.lower()):
        return [_Target(name, name.lower())]
    parts = name.replace(f"{DATA_ROOT}/", "").replace("/img_dir/", "/").split("/")
    if len(parts) != 3:
        raise UsageError(
            f"{name!r} is not a file, not a content hash of 32 digits, and not a sample; write a "
            "sample as SUBSET/PHASE/STEM"
        )
    subset, phase, stem = parts
    with suppress(UnknownNameError):  # it may be a subset of an older version
        [subset] = resolve_query(catalog, subsets=[subset]).subsets
    samples = history.find_by_name(subset, phase, stem)
    samples = samples or history.find_by_name(subset, phase, Path(stem).stem)
    # In the working tree, else in the last version that has it: in other versions the same name
    # may stand for another image.
    current = [sample for sample in samples if not sample.version] or samples[-1:]
    if not current:
        raise UsageError(
            f"no state of the registry has a sample {subset}/{phase}/{stem}; if it was withdrawn "
            f"before, {TOMBSTONES_FILE} has its hash"
        )
    return [_Target(name, sample.image_md5) for sample in current]


def _target_of_file(catalog: Catalog, name: str) -> _Target:
    from sceneset.errors import UndecodableError
    from sceneset.imaging.facts import hash_image_file

    limits = catalog.params.limits
    data = read_bytes(Path(name), name, limit=limits.max_bytes)
    try:
        return _Target(name, md5_of(data), hash_image_file(data, limits))
    except UndecodableError:
        return _Target(name, md5_of(data))  # the registry may have a file with these bytes
