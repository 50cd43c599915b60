"""Finding what is to be forgotten: every sample, of every state, that shows an image."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.query import ask
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import FILE, Tombstones, in_folder
from sceneset.errors import GitError, UnknownNameError, UsageError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.git import git
from sceneset.versions.history import History, Sighting

Key = tuple[str, str]
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass
class Withdrawal:
    """What is to be forgotten, and where it stands."""

    stones: Tombstones
    """One for each image, by content hash."""
    found: list[Sighting]
    """Every sample of every state that shows one of them."""
    near: list[Sighting] = field(default_factory=list)
    """Samples that look like one of them, and are another file: for people to confirm."""
    purge: list[str] = field(default_factory=list)
    """Blobs that nothing else needs."""
    unread: list[str] = field(default_factory=list)
    """What could not be searched, and why."""
    masks_kept: str = ""
    """Why masks are not purged: somewhere else they may be needed; "" if they are."""

    @property
    def here(self) -> dict[str, set[Key]]:
        """The samples to take out of the registry as it stands, by subset."""
        keys: dict[str, set[Key]] = defaultdict(set)
        for sample in self.found:
            if not sample.version:
                keys[sample.subset].add((sample.phase, sample.stem))
        return dict(keys)


class _Target(NamedTuple):
    """An image that a word names."""

    word: str
    md5: str
    looks: Sequence[tuple[int, int]] = ()
    """Perceptual hashes and mirrored ones, where the image itself was given."""


def find(
    catalog: Catalog,
    words: Sequence[str],
    reason: str,
    *,
    with_near: bool = False,
    purge: bool = False,
) -> Withdrawal:
    """Find all that ``words`` name: image files, content hashes, or samples subset/phase/stem.

    ``with_near`` takes the look-alikes too. For a ``purge`` every branch is searched, those of
    origin as they are now: what others need must stay.

    Raises:
        UsageError: a word names nothing that any state of the registry holds, or has withdrawn.
    """
    kept = _unknown_elsewhere(catalog.root) if purge else ""
    history = History(catalog, everywhere=purge)
    targets = [target for word in words for target in _targets(catalog, history, word)]
    hashes = {target.md5 for target in targets}
    found = history.exactly(hashes)
    looks = {look for target in targets for look in target.looks}
    looks |= {(sample.phash, sample.phash_mirror) for sample in found}
    known = in_folder(catalog.root)
    near = [
        sample
        for sample in history.near(sorted(looks))
        if sample.image_md5 not in hashes | known.keys()
    ]
    for target in targets:
        if target.md5 not in known.keys() | {sample.image_md5 for sample in found}:
            _refuse_unknown(target, near, with_near=with_near)
    if with_near:
        hashes |= {sample.image_md5 for sample in near}
        found, near = history.exactly(hashes), []
    masks = {sample.mask_md5 for sample in found}
    masks |= {md5 for image in hashes & known.keys() for md5 in known[image].masks}
    masks -= history.masks_of_others(hashes | known.keys(), masks)
    if purge and history.unread:
        kept = kept or "not every state could be searched"
    return Withdrawal(
        _stones(targets, found, reason, masks),
        _in_order(found),
        _in_order(near),
        sorted(hashes | (set() if kept else masks)),
        sorted(history.unread),
        kept if masks else "",
    )


def _unknown_elsewhere(root: Path) -> str:
    """Bring what is known of origin up to date; return why that is not all, or ""."""
    if "origin" not in git(root, "remote", check=False).split():
        return ""
    try:
        git(root, "fetch", "--quiet", "--tags", "origin")
    except GitError as error:
        return f"origin can't be asked what it needs ({error})"
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        return "the history here is cut off (git fetch --unshallow)"
    return ""


def _stones(
    targets: Iterable[_Target], found: Sequence[Sighting], reason: str, own: set[str]
) -> Tombstones:
    """Return tombstones; ``own`` are the masks that no other image has."""
    masks: dict[str, set[str]] = defaultdict(set)
    for sample in found:
        masks[sample.image_md5] |= {sample.mask_md5} & own
    looks = {target.md5: target.looks[0] for target in targets if target.looks}
    looks |= {sample.image_md5: (sample.phash, sample.phash_mirror) for sample in found}
    return {
        md5: Tombstone(
            image=md5,
            phash=f"{look:016x}",
            phash_mirror=f"{mirror:016x}",
            masks=tuple(sorted(masks[md5])),
            reason=reason,
        )
        for md5, (look, mirror) in looks.items()
    }


def _in_order(samples: Iterable[Sighting]) -> list[Sighting]:
    return sorted(samples, key=lambda sample: (sample.place, sample.version))


def _refuse_unknown(target: _Target, near: Sequence[Sighting], *, with_near: bool) -> None:
    """Raise where an image is in no state, unless its look-alikes are meant."""
    alike = sorted({f"{s.place} ({s.image_md5})" for s in near}) if target.looks else []
    if alike and with_near:
        return
    if alike:
        raise UsageError(
            f"{target.word}: no state of the registry holds that very file, but these look like "
            f"it: {', '.join(alike[:10])}. Look at them; then name those that are meant, or give "
            "--with-near"
        )
    raise UsageError(f"{target.word}: no state of the registry holds that image, or one like it")


def _targets(catalog: Catalog, history: History, word: str) -> list[_Target]:
    path = Path(word)
    if path.is_file():
        return [_of_file(catalog, word)]
    if _MD5.fullmatch(word.lower()):
        return [_Target(word, word.lower())]
    parts = word.replace(f"{DATA_ROOT}/", "").replace("/img_dir/", "/").split("/")
    if len(parts) != 3:
        raise UsageError(
            f"{word!r} is no file, no content hash of 32 digits, and no sample; write a sample as "
            "SUBSET/PHASE/STEM"
        )
    subset, phase, stem = parts
    with suppress(UnknownNameError):  # else it may have been in a version
        [subset] = ask(catalog, subsets=[subset]).subsets
    seen = history.named(subset, phase, stem) or history.named(subset, phase, Path(stem).stem)
    # As it stands, or in the last version that had it: a name may have meant another image before.
    last = [sample for sample in seen if not sample.version] or seen[-1:]
    if not last:
        raise UsageError(
            f"no state of the registry has a sample {subset}/{phase}/{stem}; if it was forgotten "
            f"before, {FILE} has its hash"
        )
    return [_Target(word, sample.image_md5) for sample in last]


def _of_file(catalog: Catalog, word: str) -> _Target:
    from sceneset.errors import UndecodableError
    from sceneset.imaging.facts import looks_of

    limits = catalog.params.limits
    data = read_bytes(Path(word), word, limit=limits.max_bytes)
    try:
        return _Target(word, md5_of(data), looks_of(data, limits))
    except UndecodableError:
        return _Target(word, md5_of(data))  # whatever it is, its bytes may be known
