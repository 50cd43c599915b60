"""The manifest: digests and counts of everything in a state of the registry."""

import json
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import samples_by_row, split_text
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import fail
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import DIGEST_COLUMNS, digests_of_scan
from sceneset.storage.files import md5_of

FORMAT = 1


def manifest(catalog: Catalog) -> dict[str, Any]:
    """Return the manifest of every listed subset.

    The digests of img_dir and ann_dir equal those in their .dvc files, but are computed from the
    scan: a version pins exactly the files that the statistics were computed from. Digests of tags
    and entries are taken after parsing, so that changed spaces or comments make no new version.
    """
    subsets = dict(catalog.each(lambda name: (name, _subset(catalog, name))))
    return {
        "format": FORMAT,
        "samples": sum(sum(part["samples"].values()) for part in subsets.values()),
        "subsets": subsets,
    }


def manifest_text(catalog: Catalog) -> str:
    """Return the manifest as JSON; equal states give equal bytes."""
    return json.dumps(manifest(catalog), indent=1, ensure_ascii=False) + "\n"


def _subset(catalog: Catalog, name: str) -> dict[str, Any]:
    entry, tags = catalog.entry(name), catalog.tags(name, cache=False)
    table = catalog.scan(name, DIGEST_COLUMNS)
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
        for folder, digest in digests_of_scan(table).items()
    }
    return {
        "kind": entry.kind,
        "samples": {p.value: phases.count(p) for p in Phase if p in phases},
        **folders,
        "entry": md5_of(entry.model_dump_json().encode()),
        "tags": md5_of(tags_text(tags).encode()),
        "splits": {
            row.file: {
                "scene": row.scene,
                "persons": row.persons,
                "phase": row.phase,
                "images": len(selected),
                "md5": md5_of(split_text(selected).encode()),
            }
            for row, selected in sorted(
                samples_by_row(entry.splits, tags), key=lambda pair: pair[0].file
            )
        },
    }
