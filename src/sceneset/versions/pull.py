"""Pull samples by content hash into a folder outside the registry."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.dropped import dropped_since
from sceneset.catalog.lookup import find_samples
from sceneset.catalog.matching import matches_row
from sceneset.catalog.provenance import restricted
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import ScannedFile, scanned_files
from sceneset.catalog.selections import chosen_samples
from sceneset.catalog.split_selection import samples_by_row
from sceneset.errors import NothingFoundError
from sceneset.progress import Progress, no_progress
from sceneset.schemas.dropped import DroppedRow
from sceneset.schemas.provenance import Restriction
from sceneset.storage.blob_export import BlobRequest, Export, ExportResult, check_space
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, write_text
from sceneset.storage.locking import exclusive_lock
from sceneset.storage.user_cache import cache_folder
from sceneset.versions.destination import check_destination, write_record
from sceneset.versions.resolve import version_at


@dataclass
class Pulled(ExportResult):
    """The result of a pull."""

    files: int = 0
    """Number of selected files, without those of withdrawn samples."""
    forgotten: int = 0
    """Number of selected samples that are left out because they were withdrawn."""
    restricted: int = 0
    """Number of other selected samples that are left out because they are for internal use."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Number of written samples that are in no later version, by the reason."""
    retired: dict[str, str] = field(default_factory=dict)
    """Subsets of written samples that are in no later version, each with the reason."""


class _Selection(NamedTuple):
    """What a pull writes."""

    blobs: list[BlobRequest]
    split_texts: dict[str, str]
    """The texts of split files, by path below the destination."""
    withdrawn: list[ScannedFile]
    """Files of withdrawn samples, which are left out."""
    restricted: list[ScannedFile]
    """Files of restricted samples, which are left out too."""
    digest: str
    """Digest of all selected files, including those left out: it identifies the selection."""


def _select(
    catalog: Catalog, query: Query, folders: Sequence[str], left_out: Collection[Restriction]
) -> _Selection:
    """Return the files and split files that match a query, without those that are left out."""
    selected = {(sample.subset, *sample.tag.key) for sample in find_samples(catalog, query)}
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    pairs = [
        pair
        for subset_pairs in catalog.each(
            lambda name: list(scanned_files(catalog, name)), names, what="read samples"
        )
        for pair in subset_pairs
        if (pair[0].subset, pair[0].phase, pair[0].stem) in selected
    ]
    withdrawn: list[tuple[ScannedFile, ScannedFile]] = []
    not_given: list[tuple[ScannedFile, ScannedFile]] = []
    kept: list[tuple[ScannedFile, ScannedFile]] = []
    covered = {name: restricted(catalog, name, left_out) for name in names}
    for pair in pairs:
        image = pair[0]
        if catalog.withdrawn.tombstone_of(image.md5, image.picture):
            withdrawn.append(pair)
        elif covered[image.subset].of((image.phase, image.stem)):
            not_given.append(pair)
        else:
            kept.append(pair)
    paths: dict[tuple[str, int], list[str]] = defaultdict(list)
    for pair in kept:
        for file in pair:
            if file.folder in folders:
                paths[file.md5, file.bytes].append(file.path)
    lines = sorted(
        f"{file.md5}  {file.path}\n" for pair in pairs for file in pair if file.folder in folders
    )
    excluded = {(i.subset, i.phase, i.stem) for i, _ in (*withdrawn, *not_given)}
    return _Selection(
        [BlobRequest(md5, size, tuple(places)) for (md5, size), places in paths.items()],
        split_texts(catalog, query, names, excluded),
        [file for pair in withdrawn for file in pair],
        [file for pair in not_given for file in pair],
        md5_of("".join(lines).encode()),
    )


def split_texts(
    catalog: Catalog, query: Query, names: Iterable[str], excluded: set[tuple[str, str, str]]
) -> dict[str, str]:
    """Return the text of every split file that matches; "" if it lists no sample.

    Args:
        catalog: The registry.
        query: Selects rows of scene tables.
        names: The subsets to read.
        excluded: Samples to leave out, as subset, phase and stem.
    """
    texts = {}
    for name in names:
        for row, selected in samples_by_row(catalog.entry(name).splits, catalog.tags(name)):
            stems = [tag.stem for tag in selected if (name, *tag.key) not in excluded]
            if matches_row(query, row):
                text = "".join(f"{stem}\n" for stem in stems)
                texts[f"{name}/split_dir/{row.file}"] = text
    for selection in query.selections:
        texts |= _selection_texts(catalog, query, selection, excluded)
    return texts


def _selection_texts(
    catalog: Catalog, query: Query, selection: str, excluded: set[tuple[str, str, str]]
) -> dict[str, str]:
    """Return the split files of a selection: selection.<name>.<phase>.txt for each subset.

    Names of scenes have no such dots.
    """
    texts: dict[str, str] = {}
    part = Query((), query.persons, query.phases, query.subsets, (selection,))
    for name, keys in chosen_samples(catalog, part).items():
        stems: dict[str, list[str]] = {}
        for phase, stem in sorted(keys):
            kept = stems.setdefault(phase, [])
            if (name, phase, stem) not in excluded:
                kept.append(f"{stem}\n")
        for part_name, lines in stems.items():
            texts[f"{name}/split_dir/selection.{selection}.{part_name}.txt"] = "".join(lines)
    return texts


def state_record(catalog: Catalog) -> dict[str, Any]:
    """Return what sceneset.json says about the registry and the revision that were read."""
    origin = catalog.origin
    return {
        "repo": origin.repo if origin else str(catalog.root),
        "rev": origin.rev if origin else None,
        "commit": origin.commit if origin else None,
        "version": version_at(origin.git, origin.commit) if origin else None,
    }


def query_record(query: Query, folders: Sequence[str]) -> dict[str, Any]:
    """Return what sceneset.json says about the query."""
    return {
        "scenes": list(query.scenes),
        "persons": query.persons,
        "phases": list(query.phases),
        "subsets": list(query.subsets),
        **({"selections": list(query.selections)} if query.selections else {}),
        "folders": list(folders),
    }


def subset_records(catalog: Catalog, subsets: Iterable[str]) -> dict[str, Any]:
    """Return what sceneset.json says about subsets: their kind, and whose data they are."""
    records: dict[str, dict[str, Any]] = {}
    for name in sorted(subsets):
        entry = catalog.entry(name)
        records[name] = {"kind": entry.kind}
        if entry.provenance:
            fields = entry.provenance.model_dump(mode="json", exclude_defaults=True)
            records[name] |= {"provenance": fields}
    return records


def _record(
    catalog: Catalog, query: Query, folders: Sequence[str], selection: _Selection
) -> dict[str, Any]:
    """Return the record of a pull: its query, the revision it reads, counts and a digest."""
    subsets = {path.split("/")[0] for blob in selection.blobs for path in blob.paths}
    return {
        "pull": query_record(query, folders),
        **state_record(catalog),
        "subsets": subset_records(catalog, subsets),
        "files": sum(len(blob.paths) for blob in selection.blobs),
        "forgotten": len(selection.withdrawn) // 2,
        "restricted": len(selection.restricted) // 2,
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
    left_out: Collection[Restriction] = (),
    link: str = "copy",
    progress: Progress = no_progress,
) -> Pulled:
    """Write the samples that match a query into the folder ``to``; verify every file by its hash.

    The record sceneset.json is written first, with ``complete: false``, so that only the same pull
    can continue in this folder after it was interrupted. Withdrawn and restricted samples are left
    out; if an earlier run of this pull wrote their files, these are deleted.

    Args:
        catalog: The registry.
        query: Selects the samples.
        blobs: The cache and the remote to read from.
        to: The destination.
        folders: "img_dir", "ann_dir", or both.
        left_out: Samples with one of these restrictions are left out.
        link: "copy", "hard", "sym" or "ref".
        progress: Called with the blobs.

    Returns:
        What was pulled. Files that could not be read are listed in ``bad``; all others are
        written.

    Raises:
        NothingFoundError: No sample matches.
        DestinationError: The folder has other content.
        FindingsError: The disk is too small.
        DvcError: The remote can't be reached.
    """
    with exclusive_lock(lock_file(to)):  # many ranks of one training job may pull into one folder
        selection = _select(catalog, query, folders, left_out)
        record = _record(catalog, query, folders, selection)
        done = _pull(selection, record, blobs, to, link=link, progress=progress)
    _note_dropped(done, selection, dropped_since(catalog))
    return done


def _note_dropped(done: Pulled, selection: _Selection, rows: Iterable[DroppedRow]) -> None:
    """Say what of a selection was dropped or retired later."""
    samples, subsets = set(), set()
    for blob in selection.blobs:
        for path in blob.paths:
            subset, _, phase, file = path.split("/")
            samples.add((subset, f"{phase}/{file.rpartition('.')[0]}"))
            subsets.add(subset)
    for row in rows:
        if not row.sample and row.subset in subsets:
            done.retired[row.subset] = row.reason
        elif (row.subset, row.sample) in samples:
            done.dropped[row.reason] = done.dropped.get(row.reason, 0) + 1


def lock_file(to: Path) -> Path:
    """Return the file that is locked while a pull or export writes into the folder ``to``."""
    return cache_folder() / "pulls" / f"{md5_of(str(to.resolve()).encode())}.lock"


def _pull(
    selection: _Selection,
    record: dict[str, Any],
    blobs: Blobs,
    to: Path,
    *,
    link: str,
    progress: Progress,
) -> Pulled:
    check_destination(to, record)
    gone = [*selection.withdrawn, *selection.restricted]
    if not selection.blobs and not gone:
        raise NothingFoundError("no sample matches; nothing was written")
    check_space(selection.blobs, blobs, to, link)
    export = Export(blobs, to, link)
    export.probe_remote(selection.blobs)  # raises before anything is written
    _delete_partial_texts(to)
    write_record(to, record)
    for file in gone:
        path = to / file.path
        path.unlink(missing_ok=True)
        # The export of a killed process may have left a partly written file.
        path.with_name(f".{path.name}.part").unlink(missing_ok=True)
    for relative, text in selection.split_texts.items():
        if text:
            write_text(to / relative, text)
        else:  # mmsegmentation fails on an empty split file
            (to / relative).unlink(missing_ok=True)
    export.run(progress(selection.blobs, len(selection.blobs), "pull"))
    if not export.result.bad:
        write_record(to, record | {"complete": True})
    counts = {name: record[name] for name in ("files", "forgotten", "restricted")}
    return Pulled(**vars(export.result), **counts)


def _delete_partial_texts(to: Path) -> None:
    """Delete partly written text files that a killed process left."""
    for pattern in (".*.part", "*/split_dir/.*.part"):
        for path in to.glob(pattern):
            path.unlink()
