"""Open what to train on: a selection of a registry at a version, or a pulled folder."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sceneset.api import Registry
from sceneset.catalog.lookup import FoundSample
from sceneset.catalog.provenance import restricted
from sceneset.catalog.query import Query, resolve_query
from sceneset.catalog.scanned_files import content_hashes
from sceneset.catalog.selections import chosen_samples
from sceneset.counts import counted
from sceneset.errors import NothingFoundError, UsageError
from sceneset.progress import Notify, no_notice
from sceneset.schemas.terms import Phase
from sceneset.storage.bounded_cache import BoundedCache
from sceneset.storage.user_cache import STREAM, cache_folder
from sceneset.torch.samples import Sample, Samples
from sceneset.torch.sources import FolderSource, RegistrySource
from sceneset.versions.foreign import blobs_of, is_foreign, never, restrictions_of

_SUFFIXES = (".jpg", ".png")


def from_registry(
    registry: Registry,
    *scenes: str,
    persons: str | None = None,
    phases: Iterable[str] = (),
    subsets: Iterable[str] = (),
    remote: str | None = None,
    cache: str | Path | None = None,
    cache_bytes: int = 20 << 30,
    internal: bool = False,
    ask: Callable[[str], bool] | None = None,
    notify: Notify = no_notice,
) -> RegistrySource:
    """Return the samples that ``registry.lookup`` returns, read by hash while training.

    Args:
        registry: The registry; open it with ``rev`` to train on a version.
        scenes: Scenes or selections, as for ``lookup``, like ``persons``, ``phases``, ``subsets``.
        persons: As for ``lookup``.
        phases: As for ``lookup``.
        subsets: As for ``lookup``.
        remote: The name of a DVC remote; without it, the default remote.
        cache: The folder that keeps downloaded files; by default one in the user's cache folder.
        cache_bytes: Largest size of this folder; 0 keeps nothing.
        internal: Include samples for internal use, as for ``pull``.
        ask: Asks whether to trust the remote of a registry opened by URL, as for ``pull``.
        notify: As for ``pull``.

    Raises:
        UnknownNameError: No scene, selection or subset has this name.
        NothingFoundError: No sample matches.
        UntrustedRemoteError: The remote needs trust; the message says how to give it.
    """
    phases, subsets = tuple(phases), tuple(subsets)
    found = registry.lookup(*scenes, persons=persons, phases=phases, subsets=subsets)
    found = _without_restricted(registry, found, internal=internal, notify=notify)
    if not found:
        raise NothingFoundError("no sample matches; there is nothing to train on")
    if is_foreign(registry):
        blobs_of(registry, remote, ask=ask or never, notify=notify).address()
    query = resolve_query(registry, scenes, persons=persons, phases=phases, subsets=subsets)
    weights = _weights(registry, query)
    hashes: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}

    def samples() -> Iterator[Sample]:
        for item in found:
            if item.subset not in hashes:
                hashes.clear()  # samples come subset by subset
                hashes[item.subset] = content_hashes(registry, item.subset)
            tag = item.tag
            if tag.key not in hashes[item.subset]:
                raise UsageError(
                    f"{item.subset}/{tag.phase}/{tag.stem} is in the tags and not in the scan; run "
                    "`sceneset check`"
                )
            image_md5, mask_md5 = hashes[item.subset][tag.key]
            yield Sample(
                item.subset,
                str(tag.phase),
                tag.stem,
                item.image.rpartition("/")[2],
                tuple(dict.fromkeys(scene for scene, _ in tag.scenes)),
                tag.persons_summary or "",
                image_md5,
                mask_md5,
                weights.get((item.subset, *tag.key), 1.0),
            )

    folder = Path(cache) if cache is not None else cache_folder() / STREAM
    bounded = BoundedCache(folder.absolute(), cache_bytes)
    return RegistrySource(registry, Samples(samples()), remote=remote, cache=bounded)


def _without_restricted(
    registry: Registry, found: list[FoundSample], *, internal: bool, notify: Notify
) -> list[FoundSample]:
    """Return the samples that a reader of the registry gets; say how many are left out."""
    left_out = restrictions_of(registry, internal=internal)
    covered = {name: restricted(registry, name, left_out) for name in {s.subset for s in found}}
    kept = [sample for sample in found if not covered[sample.subset].of(sample.tag.key)]
    if len(kept) < len(found):
        left = len(found) - len(kept)
        count = counted(left, "sample for internal use was", "samples for internal use were")
        notify(f"{count} left out; internal=True includes them, if you may")
    return kept


def _weights(registry: Registry, query: Query) -> dict[tuple[str, Phase, str], float]:
    """Return the weights of samples in selections; of several, the largest counts."""
    weights: dict[tuple[str, Phase, str], float] = {}
    for name in query.selections:
        weight = registry.params.selections[name].weight
        part = Query((), query.persons, query.phases, query.subsets, (name,))
        for subset, keys in chosen_samples(registry, part).items():
            for phase, stem in keys:
                key = (subset, phase, stem)
                weights[key] = max(weight, weights.get(key, 0.0))
    return weights


def from_folder(
    folder: str | Path, *, phases: Iterable[str] = (), split: str | None = None
) -> FolderSource:
    """Return the samples of a folder that `sceneset pull` wrote.

    Args:
        folder: The folder.
        phases: "train", "val", "test"; without it, all.
        split: The name of a split file, such as "ski.txt" or "selection.outdoor.train.txt"; only
            the samples that it lists in any subset.

    Raises:
        UsageError: The folder holds no complete pull of images and masks.
        NothingFoundError: No sample matches.
    """
    folder = Path(folder).expanduser().absolute()
    record = _record(folder)
    wanted = tuple(Phase(phase) for phase in phases) or tuple(Phase)
    samples: list[Sample] = []
    for subset in sorted(record["subsets"]):
        for phase in wanted:
            samples += _folder_samples(folder, subset, phase, split)
    if not samples:
        raise NothingFoundError(f"no sample of {folder} matches; there is nothing to train on")
    return FolderSource(folder, Samples(sorted(samples, key=lambda sample: sample.key)))


def _record(folder: Path) -> dict[str, Any]:
    record: dict[str, Any]
    try:
        record = json.loads((folder / "sceneset.json").read_text("utf-8"))
        is_pull = "pull" in record and "export" not in record and bool(record["subsets"])
        folders = set(record["pull"]["folders"]) if is_pull else set()
    except (OSError, ValueError, TypeError, LookupError):
        is_pull, folders, record = False, set(), {}
    if not is_pull:
        raise UsageError(f"{folder} holds no pull; write one with `sceneset pull ... --to FOLDER`")
    if folders != {"img_dir", "ann_dir"}:
        raise UsageError(
            f"{folder} has no {'masks' if 'img_dir' in folders else 'images'}; pull both"
        )
    if not record.get("complete"):
        raise UsageError(f"the pull into {folder} was interrupted; run the same pull again")
    return record


def _folder_samples(folder: Path, subset: str, phase: Phase, split: str | None) -> Iterator[Sample]:
    listed: set[str] | None = None
    if split is not None:
        path = folder / subset / "split_dir" / split
        listed = set(path.read_text("utf-8").splitlines()) if path.is_file() else set()
    images = folder / subset / "img_dir" / phase
    for name in os.listdir(images) if images.is_dir() else ():  # noqa: PTH208 - there may be a million
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        if suffix in _SUFFIXES and not name.startswith(".") and (listed is None or stem in listed):
            yield Sample(subset, str(phase), stem, name)
