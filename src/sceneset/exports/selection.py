"""Select the samples to export, with their files, measurements and tags."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sceneset.catalog.lookup import FoundSample, find_samples
from sceneset.catalog.provenance import Restricted, restricted
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import refuse_unscanned
from sceneset.exports.types import ExportSample, Key, Selection
from sceneset.reporting.group_statistics import group_statistics
from sceneset.reporting.provenance import ProvenanceTotals
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS, Measures
from sceneset.schemas.provenance import Restriction, missing_fields
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind
from sceneset.versions.pull import split_texts
from sceneset.versions.resolve import version_at

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = (
    *("image_md5", "mask_md5", "picture", "image_bytes", "mask_bytes", "orientation"),
    *STATISTICS_COLUMNS,
)


@dataclass
class _Parts:
    """What is collected from the subsets; see ``Selection``."""

    samples: list[ExportSample] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    restricted: dict[Key, str] = field(default_factory=dict)
    totals: ProvenanceTotals = field(default_factory=ProvenanceTotals)
    crops: int = 0
    unrecorded: dict[str, list[str]] = field(default_factory=dict)

    def add_entry(self, entry: Subset, tags: Sequence[Tag]) -> None:
        """Add what an entry says about the exported samples of its subset."""
        self.totals.add(entry.provenance, tags)
        if not tags:
            return
        if entry.kind is Kind.CROP:
            self.crops += len(tags)
        if missing := missing_fields(entry.provenance):
            self.unrecorded[entry.name] = missing


def select_samples(
    catalog: Catalog, query: Query, left_out: Collection[Restriction] = ()
) -> Selection:
    """Return the samples that a query selects, without withdrawn and restricted ones.

    Args:
        catalog: The registry.
        query: Selects the samples.
        left_out: Samples with one of these restrictions are left out.

    Raises:
        FindingsError: A file of the registry can't be read, or a sample is missing in a scan.
    """
    found: dict[str, list[FoundSample]] = {}
    for sample in find_samples(catalog, query):
        found.setdefault(sample.subset, []).append(sample)
    parts = _Parts()
    samples = parts.samples
    measures: list[Measures] = []

    def read(name: str) -> None:
        table = _rows_of(catalog, found[name])
        covered = restricted(catalog, name, left_out)
        kept = _read_samples(catalog, found[name], table, covered, parts)
        measures.append(Measures.from_scan(table).take(kept))
        parts.add_entry(catalog.entry(name), [found[name][row].tag for row in kept])

    for _ in catalog.each(read, sorted(found)):
        pass
    numbers = group_statistics(Measures.concatenate(measures), None)
    present = {scene for sample in samples for scene in sample.scenes}
    scenes = tuple(sorted(present, key=catalog.vocabulary.order.__getitem__))
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    origin = catalog.origin
    return Selection(
        samples,
        parts.withdrawn,
        parts.restricted,
        scenes,
        {scene: catalog.vocabulary.by_key[scene].name.text("en") for scene in scenes},
        numbers.colour,
        lambda bad: split_texts(
            catalog, query, names, bad.union(parts.withdrawn, parts.restricted)
        ),
        _title(query),
        (version_at(origin.git, origin.commit) or origin.commit) if origin else "",
        dict(sorted(parts.totals.licences.items())),
        tuple(sorted(parts.totals.contacts)),
        numbers,
        parts.totals,
        parts.crops,
        parts.unrecorded,
    )


def _rows_of(catalog: Catalog, found: list[FoundSample]) -> "pa.Table":
    """Return the rows of a subset's scan that belong to samples, in their order."""
    subset = found[0].subset
    table = catalog.scan(subset, _COLUMNS)
    keys = zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    missing = [sample.tag.key for sample in found if sample.tag.key not in row_of]
    refuse_unscanned(catalog, subset, missing)
    return table.take([row_of[sample.tag.key] for sample in found])


def _read_samples(
    catalog: Catalog,
    found: list[FoundSample],
    table: "pa.Table",
    covered: Restricted,
    parts: _Parts,
) -> list[int]:
    """Add the samples of one subset; return the rows of those that are not left out."""
    order = catalog.vocabulary.order
    names = [name for name in _COLUMNS if not name.startswith(("sum_", "sq_"))]
    columns = {name: table[name].to_pylist() for name in names}
    kept = []
    for row, sample in enumerate(found):
        tag = sample.tag
        image_md5, picture = columns["image_md5"][row].hex(), columns["picture"][row]
        if catalog.withdrawn.tombstone_of(image_md5, picture.hex() if picture else ""):
            parts.withdrawn.append((sample.subset, str(tag.phase), tag.stem))
            continue
        if restriction := covered.of(tag.key):
            parts.restricted[sample.subset, str(tag.phase), tag.stem] = str(restriction)
            continue
        kept.append(row)
        parts.samples.append(
            ExportSample(
                subset=sample.subset,
                phase=str(tag.phase),
                stem=tag.stem,
                image=sample.image.rpartition("/")[2],
                image_md5=image_md5,
                image_bytes=columns["image_bytes"][row],
                mask_md5=columns["mask_md5"][row].hex(),
                mask_bytes=columns["mask_bytes"][row],
                width=columns["width"][row],
                height=columns["height"][row],
                person=columns["person"][row],
                ignore=columns["ignore"][row],
                orientation=columns["orientation"][row],
                scenes=tuple(sorted({s for s, _ in tag.scenes}, key=order.__getitem__)),
                persons=tag.persons_summary,
                boxes=tag.boxes,
                source=tag.source,
            )
        )
    return kept


def _title(query: Query) -> str:
    """Return a query in words: "ski, city; single; train"."""
    scenes = ", ".join((*query.scenes, *query.selections))
    parts = [scenes, query.persons or "", ", ".join(query.phases)]
    return "; ".join(filter(None, [*parts, ", ".join(query.subsets)])) or "all samples"
