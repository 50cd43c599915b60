"""The manifest: digests and counts of everything in a state of the registry."""

import json
from typing import TYPE_CHECKING, Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import Selection, read_selection, split_text
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import fail
from sceneset.schemas.subset import Subset
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import DIGEST_COLUMNS
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1


def manifest(catalog: Catalog) -> dict[str, Any]:
    """Return the manifest of every listed subset.

    The digests of img_dir and ann_dir equal those in their .dvc files, but are computed from the
    scan: a version pins exactly the files that the statistics were computed from. Digests of tags
    and entries are taken after parsing, so that changed spaces or comments make no new version.
    """

    def part(name: str) -> tuple[str, dict[str, Any]]:
        selection = read_selection(catalog, name)
        return name, subset_part(catalog, selection, catalog.scan(name, DIGEST_COLUMNS))

    return manifest_of(dict(catalog.each(part)))


def manifest_of(subsets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest that has these parts, by subset."""
    return {
        "format": FORMAT,
        "samples": sum(sum(part["samples"].values()) for part in subsets.values()),
        "subsets": subsets,
    }


def manifest_text(catalog: Catalog) -> str:
    """Return the manifest as JSON; equal states give equal bytes."""
    return manifest_json(manifest(catalog))


def manifest_json(fields: dict[str, Any]) -> str:
    """Return a manifest as JSON."""
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def _entry_digest(entry: Subset) -> str:
    """Return the digest of an entry; without a provenance, it is that of releases before 0.2."""
    left_out = {"provenance"} if entry.provenance is None else set()
    return md5_of(entry.model_dump_json(exclude=left_out).encode())


def subset_part(catalog: Catalog, selection: Selection, table: "pa.Table") -> dict[str, Any]:
    """Return the part of a subset.

    Args:
        catalog: The registry.
        selection: The subset's tags and what its rows select.
        table: Its scan, with at least DIGEST_COLUMNS.
    """
    name, entry, tags = selection.name, selection.entry, selection.tags
    phases = table["phase"].to_pylist()
    if len(phases) != len(tags):  # the stage `check` reports this first, with the samples' names
        fail(
            "scan-incomplete",
            f"the scan has {len(phases)} samples, but the tags list {len(tags)}",
            subset=name,
            file=catalog.paths.relative(catalog.paths.scan(name)),
            hint="run `sceneset check` to list the differences",
        )
    folders = {
        folder: {"md5": digest.md5, "files": digest.files, "bytes": digest.size}
        for folder, digest in catalog.digests(name, table).items()
    }
    return {
        "kind": entry.kind,
        "samples": {p.value: phases.count(p) for p in Phase if p in phases},
        **folders,
        "entry": _entry_digest(entry),
        "tags": md5_of(tags_text(tags).encode()),
        "splits": {
            row.file: {
                "scene": row.scene,
                "persons": row.persons,
                "phase": row.phase,
                "images": len(selected),
                "md5": md5_of(split_text(selected).encode()),
            }
            for row, selected in sorted(selection.rows, key=lambda pair: pair[0].file)
        },
    }
