"""The manifest: digests and counts of all that a state of the registry holds."""

import json
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import rows_of, split_text
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import fail
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import COLUMNS, digests_of_scan
from sceneset.storage.files import md5_of

FORMAT = 1


def manifest(catalog: Catalog) -> dict[str, Any]:
    """Return the manifest of every listed subset.

    The digests of img_dir and ann_dir are those their .dvc files record, worked out from the
    scan: what the statistics were computed on is what the version pins. Tags and entry are
    digested by meaning, so that spaces and comments make no new version.
    """
    subsets = dict(catalog.each(lambda name: (name, _subset(catalog, name))))
    return {
        "format": FORMAT,
        "samples": sum(sum(part["samples"].values()) for part in subsets.values()),
        "subsets": subsets,
    }


def manifest_text(catalog: Catalog) -> str:
    """Return the manifest as JSON, the same bytes for the same state."""
    return json.dumps(manifest(catalog), indent=1, ensure_ascii=False) + "\n"


def _subset(catalog: Catalog, name: str) -> dict[str, Any]:
    entry, tags = catalog.entry(name), catalog.tags(name, keep=False)
    table = catalog.scan(name, COLUMNS)
    phases = table["phase"].to_pylist()
    if len(phases) != len(tags):  # the gate says which; here it must never be lost in silence
        fail(
            "scan-incomplete",
            f"holds {len(phases)} samples, the tags name {len(tags)}",
            subset=name,
            file=catalog.paths.shown(catalog.paths.scan(name)),
            hint="run `sceneset check`",
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
            for row, selected in sorted(rows_of(entry.splits, tags), key=lambda pair: pair[0].file)
        },
    }
