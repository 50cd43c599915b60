"""The record of a new version: what it contains, what changed, and what it was made from."""

import json
from collections.abc import Sequence
from importlib.metadata import version

from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import summarize_all
from sceneset.schemas.version import (
    MadeBy,
    Version,
    VersionChanges,
    VersionNumber,
    VersionSelection,
    VersionSubset,
)
from sceneset.storage.files import md5_of
from sceneset.versions.diff import Diff, compare
from sceneset.versions.manifest import manifest, manifest_text
from sceneset.versions.revisions import open_at

_INPUTS = (
    *("params.yaml", "dvc.yaml", "dvc.lock"),
    *("registry/scenes.yaml", "registry/waivers.yaml", "registry/forgotten.yaml"),
)
"""The files besides those of subsets that a state is computed from."""


def build_record(
    catalog: Catalog, number: VersionNumber, notes: str, records: Sequence[Version], command: str
) -> tuple[Version, Diff | None]:
    """Return the record of a new version, and its differences from the last version, if any.

    Args:
        catalog: The state to release.
        number: The number of the new version.
        notes: The release notes, or "".
        records: The records of all versions, oldest first.
        command: The command that releases it.
    """
    last = records[-1].version if records else None
    diff = (
        compare(open_at(catalog.root, last, progress=catalog.progress), catalog) if last else None
    )
    parts = manifest(catalog)["subsets"]
    subsets = {
        name: VersionSubset(
            kind=part["kind"],
            samples=part["samples"],
            img_dir=part["img_dir"]["md5"],
            ann_dir=part["ann_dir"]["md5"],
            entry=part["entry"],
            tags=part["tags"],
            splits=md5_of(json.dumps(part["splits"], sort_keys=True).encode()),
        )
        for name, part in parts.items()
    }
    changes = (
        VersionChanges(step="major")
        if diff is None
        else VersionChanges(
            step=diff.step,
            samples={kind: n for kind, n in diff.counts.items() if n},
            subsets_added=tuple(diff.subsets_added),
            subsets_removed=tuple(diff.subsets_removed),
            scenes_added=tuple(diff.scenes_added),
            scenes_removed=tuple(diff.scenes_removed),
        )
    )
    record = Version(
        version=str(number),
        previous=last,
        notes=notes,
        state=md5_of(manifest_text(catalog).encode()),
        samples=sum(sum(part.samples.values()) for part in subsets.values()),
        subsets=subsets,
        selections=_selections(catalog),
        changes=changes,
        made_by=MadeBy(sceneset=version("sceneset"), command=command),
        inputs={
            name: md5_of((catalog.root / name).read_bytes())
            for name in _INPUTS
            if (catalog.root / name).is_file()
        },
    )
    return record, diff


def _selections(catalog: Catalog) -> dict[str, VersionSelection]:
    summaries = summarize_all(catalog, sorted(catalog.params.selections))
    return {s.name: VersionSelection(samples=s.samples, digest=s.digest) for s in summaries}
