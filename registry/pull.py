"""Pulling samples by content hash into a folder of their own, never into a tracked one."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.registry.catalog import DATA_ROOT, Registry
from sceneset.registry.files import copy_file, md5_of, write_text
from sceneset.registry.query import Query, content_hashes, find_samples
from sceneset.registry.remote import Blobs
from sceneset.registry.views import rows_of

LINKS = ("copy", "hard", "sym", "ref")
RECORD = "sceneset.json"
_BATCH = 512  # blobs asked for at a time: between two batches the bar moves and a stop is heard


class DestinationError(Exception):
    """The folder can't take a pull; the message says why, and what can."""


class Wanted(NamedTuple):
    """One file to export."""

    md5: str
    path: str
    """Below the destination."""


@dataclass
class Pulled:
    """What came of a pull."""

    files: int = 0
    fetched: int = 0
    """Blobs that came from the remote; the others were in the cache or in place."""
    bad: dict[str, str] = field(default_factory=dict)
    """Files that could not be had, by path, and why."""


def wanted_files(
    registry: Registry, query: Query, folders: Sequence[str] = ("img_dir", "ann_dir")
) -> list[Wanted]:
    """Return every file of the samples that answer, with its hash."""
    found: list[Wanted] = []
    hashes: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for sample in find_samples(registry, query):
        if sample.subset not in hashes:
            hashes[sample.subset] = content_hashes(registry, sample.subset)
        of_image, of_mask = hashes[sample.subset][sample.tag.key]
        for folder, md5, path in (
            ("img_dir", of_image, sample.image),
            ("ann_dir", of_mask, sample.mask),
        ):
            if folder in folders:
                found.append(Wanted(md5, path.removeprefix(f"{DATA_ROOT}/")))
    return found


def split_texts(registry: Registry, query: Query) -> dict[str, str]:
    """Return the split files of the rows that answer, by path below the destination."""
    texts = {}
    for name in registry.names:
        if query.subsets and name not in query.subsets:
            continue
        for row, selected in rows_of(registry.entry(name).splits, registry.tags(name)):
            if query.wants_row(row) and selected:
                lines = "".join(f"{tag.stem}\n" for tag in selected)
                texts[f"{name}/split_dir/{row.file}"] = lines
    return texts


def check_destination(to: Path, record: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but this very pull, or that DVC or git track.

    Raises:
        DestinationError: with what to name instead.
    """
    to = to.absolute()
    for folder in (to, *to.parents)[:-1]:
        if folder.with_name(f"{folder.name}.dvc").is_file() or folder.name in {".git", ".dvc"}:
            raise DestinationError(
                f"{to} is inside {folder}, which is tracked; name another folder"
            )
    if (to / "params.yaml").exists() or any((up / DATA_ROOT) == to for up in to.parents):
        raise DestinationError(f"{to} belongs to a registry; name another folder")
    if not to.exists():
        return
    if not to.is_dir():
        raise DestinationError(f"{to} is no folder")
    held = {path.name for path in to.iterdir()}
    if held and (RECORD not in held or _read_record(to / RECORD).get("pull") != record["pull"]):
        raise DestinationError(f"{to} holds other things; name a new folder")


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def pull(
    registry: Registry,
    query: Query,
    blobs: Blobs,
    to: Path,
    *,
    what: dict[str, Any],
    folders: Sequence[str] = ("img_dir", "ann_dir"),
    link: str = "copy",
    progress: Callable[[Iterable[Wanted], int], Iterable[Wanted]],
) -> Pulled:
    """Put the samples that answer into ``to``, every file verified by its hash.

    The record sceneset.json says ``what`` this is; it is written first with ``complete: false``,
    so that the same pull, and no other, may go on after a kill. Files that can't be had are named
    in the result, the good ones are in place.

    Raises:
        DestinationError: the folder is in use.
        DvcError: there is no remote to ask.
    """
    record = {"pull": what, "complete": False}
    check_destination(to, record)
    wanted = wanted_files(registry, query, folders)
    write_text(to / RECORD, _json(record))
    for path, text in split_texts(registry, query).items():
        write_text(to / path, text)
    result = Pulled(files=len(wanted))
    for batch in _batches(progress(wanted, len(wanted))):
        _place(batch, blobs, to, link, result)
    if not result.bad:
        digest = md5_of("".join(f"{md5}  {path}\n" for md5, path in sorted(wanted)).encode())
        write_text(
            to / RECORD,
            _json(
                record
                | {
                    "complete": True,
                    "files": len(wanted),
                    "digest": digest,
                }
            ),
        )
    return result


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _batches(items: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _place(batch: list[Wanted], blobs: Blobs, to: Path, link: str, result: Pulled) -> None:
    """Bring one batch into place: from what is there, from the cache, then from the remote."""
    lacking = [one for one in batch if not _same(to / one.path, one.md5)]
    absent = [one for one in lacking if not _export(one, blobs, to, link)]
    if not absent:
        return
    hashes = sorted({one.md5 for one in absent})
    fetched = blobs.fetch(hashes)
    result.fetched += len(hashes) - len(fetched.missing | fetched.corrupt) - len(fetched.failed)
    for one in absent:
        if one.md5 in fetched.missing:
            result.bad[one.path] = f"the remote has no blob {one.md5}"
        elif one.md5 in fetched.corrupt:
            result.bad[one.path] = f"the remote's blob {one.md5} is damaged"
        elif one.md5 in fetched.failed:
            result.bad[one.path] = fetched.failed[one.md5]
        elif not _export(one, blobs, to, link):
            result.bad[one.path] = "could not be written"


def _same(path: Path, md5: str) -> bool:
    try:
        return md5_of(path.read_bytes()) == md5
    except OSError:
        return False


def _export(one: Wanted, blobs: Blobs, to: Path, link: str) -> bool:
    """Put a blob of the cache in place if it is what its name says; drop it there if it is not."""
    source, target = blobs.path(one.md5), to / one.path
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        return False
    if md5_of(data) != one.md5:
        blobs.drop(one.md5)  # bits rot in caches too; the remote is asked again
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    aside.unlink(missing_ok=True)
    if link == "hard":
        try:
            os.link(source, aside)
        except OSError:  # another file system
            aside.write_bytes(data)
    elif link == "sym":
        aside.symlink_to(source)
    elif link == "ref":
        copy_file(source, aside)
    else:
        aside.write_bytes(data)
    aside.replace(target)
    return True
