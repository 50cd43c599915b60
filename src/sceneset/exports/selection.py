"""Select the samples to export, with their files, measurements and tags."""

from typing import TYPE_CHECKING

from sceneset.catalog.lookup import FoundSample, find_samples
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.errors import fail
from sceneset.exports.types import ExportSample, Key, Selection
from sceneset.reporting.group_statistics import group_statistics
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS, Measures
from sceneset.versions.pull import split_texts
from sceneset.versions.resolve import version_at

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = (
    *("image_md5", "mask_md5", "picture", "image_bytes", "mask_bytes", "orientation"),
    *STATISTICS_COLUMNS,
)


def select_samples(catalog: Catalog, query: Query) -> Selection:
    """Return the samples that a query selects, without withdrawn ones.

    Raises:
        FindingsError: A file of the registry can't be read, or a sample is missing in a scan.
    """
    found: dict[str, list[FoundSample]] = {}
    for sample in find_samples(catalog, query):
        found.setdefault(sample.subset, []).append(sample)
    samples: list[ExportSample] = []
    withdrawn: list[Key] = []
    measures: list[Measures] = []

    def read(name: str) -> None:
        table = _rows_of(catalog, found[name])
        kept = _read_samples(catalog, found[name], table, samples, withdrawn)
        measures.append(Measures.from_scan(table).take(kept))

    for _ in catalog.each(read, sorted(found)):
        pass
    numbers = group_statistics(Measures.concatenate(measures), None)
    present = {scene for sample in samples for scene in sample.scenes}
    scenes = tuple(sorted(present, key=catalog.vocabulary.order.__getitem__))
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    origin = catalog.origin
    return Selection(
        samples,
        withdrawn,
        scenes,
        {scene: catalog.vocabulary.by_key[scene].name.text("en") for scene in scenes},
        numbers.colour,
        lambda bad: split_texts(catalog, query, names, bad.union(withdrawn)),
        _title(query),
        (version_at(origin.git, origin.commit) or origin.commit) if origin else "",
    )


def _rows_of(catalog: Catalog, found: list[FoundSample]) -> "pa.Table":
    """Return the rows of a subset's scan that belong to samples, in their order."""
    subset = found[0].subset
    table = catalog.scan(subset, _COLUMNS)
    keys = zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    missing = [sample.tag for sample in found if sample.tag.key not in row_of]
    if missing:
        fail(
            "scan-incomplete",
            f"{counted(len(missing), 'selected sample is', 'selected samples are')} in the tags "
            f"and not in the scan (first: {'/'.join(missing[0].key)})",
            subset=subset,
            file=catalog.paths.relative(catalog.paths.scan(subset)),
            hint="run `sceneset check` to list the differences",
        )
    return table.take([row_of[sample.tag.key] for sample in found])


def _read_samples(
    catalog: Catalog,
    found: list[FoundSample],
    table: "pa.Table",
    samples: list[ExportSample],
    withdrawn: list[Key],
) -> list[int]:
    """Add the samples of one subset; return the rows of those that are not withdrawn."""
    order = catalog.vocabulary.order
    names = [name for name in _COLUMNS if not name.startswith(("sum_", "sq_"))]
    columns = {name: table[name].to_pylist() for name in names}
    kept = []
    for row, sample in enumerate(found):
        tag = sample.tag
        image_md5, picture = columns["image_md5"][row].hex(), columns["picture"][row]
        if catalog.withdrawn.tombstone_of(image_md5, picture.hex() if picture else ""):
            withdrawn.append((sample.subset, str(tag.phase), tag.stem))
            continue
        kept.append(row)
        samples.append(
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
