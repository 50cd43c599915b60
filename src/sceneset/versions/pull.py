"""Pulling samples by content hash into a folder of their own, never into a tracked one."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.query import Query, Stored, find_samples, stored
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import rows_of
from sceneset.errors import DestinationError, NothingFoundError
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress, no_progress
from sceneset.storage.blob_export import Export, Exported, Wanted, check_space
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, write_text
from sceneset.storage.locking import alone

RECORD = "sceneset.json"


@dataclass
class Pulled(Exported):
    """What came of a pull."""

    files: int = 0
    """All that were asked for and not withdrawn."""
    forgotten: int = 0
    """Samples that were left out: they have been withdrawn."""


class _Selection(NamedTuple):
    blobs: list[Wanted]
    splits: dict[str, str]
    """Texts of split files, by path below the destination."""
    withdrawn: list[Stored]
    """Files of samples that are left out."""
    digest: str
    """Of all that was asked for, what is left out included."""


def select(catalog: Catalog, query: Query, folders: Sequence[str]) -> _Selection:
    """Return what a query asks for, and take out what was withdrawn."""
    answers = {(sample.subset, *sample.tag.key) for sample in find_samples(catalog, query)}
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    pairs = [
        pair
        for found in catalog.each(lambda name: list(stored(catalog, name)), names)
        for pair in found
        if (pair[0].subset, pair[0].phase, pair[0].stem) in answers
    ]
    withdrawn = [pair for pair in pairs if pair[0].md5 in catalog.forgotten]
    paths: dict[tuple[str, int], list[str]] = defaultdict(list)
    for pair in pairs:
        for file in pair:
            if pair[0].md5 not in catalog.forgotten and file.folder in folders:
                paths[file.md5, file.bytes].append(file.path)
    lines = sorted(f"{f.md5}  {f.path}\n" for p in pairs for f in p if f.folder in folders)
    gone = {(pair[0].subset, pair[0].phase, pair[0].stem) for pair in withdrawn}
    return _Selection(
        [Wanted(md5, size, tuple(places)) for (md5, size), places in paths.items()],
        _split_texts(catalog, query, names, gone),
        [file for pair in withdrawn for file in pair],
        md5_of("".join(lines).encode()),
    )


def _split_texts(
    catalog: Catalog, query: Query, names: Iterable[str], gone: set[tuple[str, str, str]]
) -> dict[str, str]:
    """Return the text of every split file that is wanted; "" where nothing is left for it."""
    texts = {}
    for name in names:
        for row, selected in rows_of(catalog.entry(name).splits, catalog.tags(name)):
            stems = [tag.stem for tag in selected if (name, *tag.key) not in gone]
            if query.wants_row(row):
                lines = "".join(f"{stem}\n" for stem in stems)
                texts[f"{name}/split_dir/{row.file}"] = lines
    return texts


def check_destination(to: Path, record: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but this very pull, or that DVC or git track.

    Raises:
        DestinationError: with what to name instead.
    """
    to = to.resolve()
    for folder in (to, *to.parents)[:-1]:
        if folder.with_name(f"{folder.name}.dvc").is_file() or folder.name in {".git", ".dvc"}:
            raise DestinationError(
                f"{to} is inside {folder}, which is tracked; name another folder"
            )
    own = (DATA_ROOT, "registry")
    if (to / "params.yaml").exists() or any(
        folder.name in own and (folder.parent / "registry/scenes.yaml").exists()
        for folder in (to, *to.parents)
    ):
        raise DestinationError(f"{to} belongs to a registry; name another folder")
    if not to.exists():
        return
    if not to.is_dir():
        raise DestinationError(f"{to} is no folder")
    if all(_is_part(path) for path in to.iterdir()):
        return
    before = _read_record(to / RECORD)
    if before.get("pull") != record["pull"]:
        other = "the samples of another pull" if "pull" in before else "other things"
        raise DestinationError(f"{to} holds {other}; name a new folder")
    if before.get("digest") != record["digest"]:
        raise DestinationError(
            f"{to} holds what that was at another revision (commit {before.get('commit')}); name a "
            "new folder"
        )


def _is_part(path: Path) -> bool:
    """Whether a file is the half of a record that a kill left."""
    return path.name.startswith(f".{RECORD}.") and path.name.endswith(".part")


def _read_record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _record_of(
    catalog: Catalog, query: Query, folders: Sequence[str], selection: _Selection
) -> dict[str, Any]:
    """Return what the destination says of itself: what was asked, of which version, and digests."""
    from sceneset.versions.revisions import version_at

    origin = catalog.origin
    entry = {name: catalog.entry(name) for name in catalog.names}
    held = {path.split("/")[0] for blob in selection.blobs for path in blob.paths}
    return {
        "pull": {
            "scenes": list(query.scenes),
            "persons": query.persons,
            "phases": list(query.phases),
            "subsets": list(query.subsets),
            "folders": list(folders),
        },
        "repo": origin.repo if origin else str(catalog.root),
        "rev": origin.rev if origin else None,
        "commit": origin.commit if origin else None,
        "version": version_at(origin.git, origin.commit) if origin else None,
        "subsets": {name: {"kind": entry[name].kind} for name in sorted(held)},
        "files": sum(len(blob.paths) for blob in selection.blobs),
        "forgotten": len(selection.withdrawn) // 2,
        "digest": selection.digest,
        "complete": False,
    }


def pull(
    catalog: Catalog,
    query: Query,
    blobs: Blobs,
    to: Path,
    *,
    folders: Sequence[str] = ("img_dir", "ann_dir"),
    link: str = "copy",
    progress: Progress = no_progress,
) -> Pulled:
    """Put the samples that answer into ``to``, every file verified by its hash.

    The record sceneset.json says what this is; it is written first with ``complete: false``, so
    that the same pull, and no other, may go on after a kill. Files that can't be had are named in
    the result, the good ones are in place. What was withdrawn is left out, and taken out where an
    earlier pull of the same has put it.

    Raises:
        NothingFoundError: no sample answers.
        DestinationError: the folder is in use.
        ProblemsFoundError: the disk has not the room.
        DvcError: the remote can't be reached.
    """
    with alone(_lock_of(to)):  # many ranks of one job may pull into one folder
        return _pull(catalog, query, blobs, to, folders=folders, link=link, progress=progress)


def _lock_of(to: Path) -> Path:
    from sceneset.versions.revisions import cache_folder

    return cache_folder() / "pulls" / f"{md5_of(str(to.resolve()).encode())}.lock"


def _pull(
    catalog: Catalog,
    query: Query,
    blobs: Blobs,
    to: Path,
    *,
    folders: Sequence[str],
    link: str,
    progress: Progress,
) -> Pulled:
    selection = select(catalog, query, folders)
    record = _record_of(catalog, query, folders, selection)
    check_destination(to, record)
    if not selection.blobs and not selection.withdrawn:
        raise NothingFoundError("no sample answers that; nothing was written")
    check_space(selection.blobs, blobs, to, link)
    export = Export(blobs, to, link)
    export.reach(selection.blobs)  # before anything is written: the remote may be away
    _sweep(to)
    write_text(to / RECORD, _json(record))
    for gone in selection.withdrawn:
        path = to / gone.path
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.part").unlink(missing_ok=True)  # the half a kill left
    for shown, text in selection.splits.items():
        if text:
            write_text(to / shown, text)
        else:  # mmsegmentation refuses an empty one
            (to / shown).unlink(missing_ok=True)
    export.bring(progress(selection.blobs, len(selection.blobs), "pull"))
    if not export.done.bad:
        write_text(to / RECORD, _json(record | {"complete": True}))
    return Pulled(**vars(export.done), files=record["files"], forgotten=record["forgotten"])


def _sweep(to: Path) -> None:
    """Take away the halves of texts that a kill left."""
    for pattern in (".*.part", "*/split_dir/.*.part"):
        for path in to.glob(pattern):
            path.unlink()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
