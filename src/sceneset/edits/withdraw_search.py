"""Find everything to withdraw: all samples, in all states of the registry, that show a picture.

A picture has many files over time. Those that the registry knows to show the same picture are all
withdrawn; those that only look alike are listed for people to confirm.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.lineage import lineage_components
from sceneset.catalog.orientations import all_orientations
from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import TOMBSTONES_FILE, Tombstones, read_tombstones
from sceneset.edits.fix_sample import Key
from sceneset.errors import GitError, UnknownNameError, UsageError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.git import git
from sceneset.versions.full_history import FilesOfPictures, FullHistory
from sceneset.versions.history import Occurrence

_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass
class Withdrawal:
    """What to withdraw, and where it occurs."""

    tombstones: Tombstones
    """New tombstones, by the content hash of the image."""
    found: list[Occurrence]
    """Every sample of every state that shows one of the images."""
    how_found: dict[str, str] = field(default_factory=dict)
    """Content hashes of all image files, each with how it was found."""
    namesakes: list[Occurrence] = field(default_factory=list)
    """Samples of other states with the name of a withdrawn one that look different."""
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
    hashes: tuple[int, ...] = ()
    """Perceptual hashes in all orientations, if the image file was given."""
    picture: str = ""
    """Digest of the pixels as shown, if the image file was given."""


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
        purge: Find blobs to purge. The branches of origin are fetched first, because blobs that
            others need must stay.

    Raises:
        UsageError: A name fits no image of any state of the registry, and no tombstone.
    """
    keep_masks = _fetch_origin(catalog.root) if purge else ""
    history = FullHistory(catalog)
    targets = [target for name in names for target in _targets(catalog, history, name)]
    known = read_tombstones(catalog.root)
    pictures_of_targets = [target.picture for target in targets]
    files = history.find_files([target.md5 for target in targets], pictures_of_targets)
    files = _with_crops(history, files, pictures_of_targets)
    hashes = {phash for target in targets for phash in target.hashes}
    hashes |= {phash for sample in files.found for phash in sample.hashes}
    near = [
        sample
        for sample in history.find_similar(hashes)
        if sample.image_md5 not in files.images.keys() | known.keys()
    ]
    images = known.keys() | {sample.image_md5 for sample in files.found}
    images |= {md5 for row in files.lineage for md5 in (row.image_md5, row.new_image_md5)}
    pictures = {sample.picture for sample in files.found if sample.picture}
    for target in targets:
        if target.md5 not in images and target.picture not in pictures:
            _refuse_unknown(target, near, with_near=with_near)
    if with_near and near:
        seeds = {*files.images, *(sample.image_md5 for sample in near)}
        how_found = {sample.image_md5: "look-alike" for sample in near} | files.images
        files, near = history.find_files(seeds, pictures_of_targets), []
        files = _with_crops(history, files, pictures_of_targets)
        files.images |= {md5: how for md5, how in how_found.items() if md5 in files.images}
    images = set(files.images)
    masks = files.masks | {md5 for image in images & known.keys() for md5 in known[image].masks}
    masks -= history.masks_shared_with_other_images(images | known.keys(), masks)
    if purge and history.unread:
        keep_masks = keep_masks or "not every state could be searched"
    return Withdrawal(
        _new_tombstones(targets, files, reason, masks),
        _sorted(files.found),
        files.images,
        _sorted(files.namesakes),
        _sorted(near),
        sorted(images | (set() if keep_masks else masks)),
        sorted(history.unread),
        keep_masks if masks else "",
    )


def _with_crops(
    history: FullHistory, files: FilesOfPictures, pictures: Sequence[str]
) -> FilesOfPictures:
    """Return the files of pictures and of all crops that were cut out of them.

    A crop does not look like its original, so the record of `sceneset crop` is needed. The original
    of a withdrawn crop is not withdrawn: it may show other people.
    """
    while crops := history.crops_of(files.images):
        how_found = {**files.images, **dict.fromkeys(crops, "crop")}
        files = history.find_files([*files.images, *crops], pictures)
        files.images |= {md5: how for md5, how in how_found.items() if md5 in files.images}
    return files


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
    targets: Sequence[_Target], files: FilesOfPictures, reason: str, unshared_masks: set[str]
) -> Tombstones:
    """Return one tombstone per image file; of its masks, it lists those that no other image uses.

    A file that only the lineage knows gets the look of another file of the same withdrawal.
    """
    masks: dict[str, set[str]] = defaultdict(set)
    for sample in files.found:
        masks[sample.image_md5] |= {sample.mask_md5} & unshared_masks
    looks: dict[str, tuple[tuple[int, ...], str]] = {
        target.md5: (target.hashes, target.picture) for target in targets if target.hashes
    }
    looks |= {s.image_md5: (s.hashes, s.picture) for s in files.found}
    component = lineage_components(files.lineage)
    related: dict[str, str] = {}
    for md5 in sorted(looks.keys() & component.keys()):
        related.setdefault(component[md5], md5)
    for md5 in sorted(files.images.keys() & component.keys() - looks.keys()):
        if component[md5] in related:
            looks[md5] = looks[related[component[md5]]]
    return {
        md5: Tombstone(
            image=md5,
            phash=f"{hashes[0]:016x}",
            phash_mirror=f"{hashes[1]:016x}",
            picture=picture or None,
            masks=tuple(sorted(masks[md5])),
            reason=reason,
        )
        for md5, (hashes, picture) in looks.items()
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


def _targets(catalog: Catalog, history: FullHistory, name: str) -> list[_Target]:
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
    current = history.latest(samples)
    if not current:
        raise UsageError(
            f"no state of the registry has a sample {subset}/{phase}/{stem}; if it was withdrawn "
            f"before, {TOMBSTONES_FILE} has its hash"
        )
    return [_Target(name, sample.image_md5) for sample in current]


def _target_of_file(catalog: Catalog, name: str) -> _Target:
    from sceneset.errors import UndecodableError
    from sceneset.imaging.facts import hash_image_file, measure_image

    limits = catalog.params.limits
    data = read_bytes(Path(name), name, limit=limits.max_bytes)
    target = _Target(name, md5_of(data))
    # The file may be in a format that no sample has, or be damaged: the registry may still have a
    # file with these bytes or this look.
    with suppress(UndecodableError):
        pairs = hash_image_file(data, limits)
        hashes = (phash for pair in pairs for phash in all_orientations(*pair[:2], pair[2:]))
        target = target._replace(hashes=tuple(hashes))
    with suppress(UndecodableError):
        suffix = ".png" if data.startswith(b"\x89PNG") else ".jpg"
        target = target._replace(picture=measure_image(data, suffix, limits).picture)
    return target
