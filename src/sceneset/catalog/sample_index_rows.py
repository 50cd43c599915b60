"""What the index of all samples holds of one subset: rows for SQL, and columns for the server."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.provenance import restricted
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_index_tables import NUMBER_SHIFT, PERSONS, RANGES
from sceneset.catalog.sample_text import fold_text, index_words
from sceneset.paths import DATA_ROOT
from sceneset.rules.broken_samples import JUDGED_CODES, broken_samples
from sceneset.rules.sample_columns import SAMPLE_COLUMNS
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.rules import Severity
from sceneset.schemas.tag import SceneMembership, Tag, memberships_of
from sceneset.schemas.terms import TOTAL, Persons, Phase
from sceneset.schemas.waiver import Waiver

if TYPE_CHECKING:
    import pyarrow as pa

_SCAN = (*SAMPLE_COLUMNS, "image_md5", "mask_md5", "picture")
_CHUNK = 4096  # rows of a scan that are converted to Python objects together
_PHASES = {phase: number for number, phase in enumerate(Phase)}

Key = tuple[str, str]
"""Phase and stem."""


class SubsetRows:
    """The samples of one subset that the index may hold, and their rows and columns.

    ``rows`` must be read to the end before ``columns`` and ``counts``.
    """

    def __init__(
        self,
        catalog: Catalog,
        name: str,
        number: int,
        *,
        left_out: Collection[Restriction],
        waivers: Sequence[Waiver],
    ) -> None:
        """Read the entry, the tags and the scan of a subset.

        Args:
            catalog: The registry.
            name: The subset.
            number: Its number in the index.
            left_out: Samples with one of these restrictions are not indexed.
            waivers: The waivers of the registry.

        Raises:
            FindingsError: A file of the subset can't be read.
        """
        self.entry = catalog.entry(name)
        self._catalog, self._name, self._first = catalog, name, number << NUMBER_SHIFT
        tags = catalog.tags(name, cache=False)
        self._scan = _read_scan(catalog, name)
        self._places = {
            key: place
            for place, key in enumerate(
                zip(self._scan["phase"].to_pylist(), self._scan["stem"].to_pylist(), strict=True)
            )
        }
        gone = withdrawn_keys(catalog, self._scan)
        covered = restricted(catalog, name, left_out)
        remaining = [tag for tag in tags if tag.key not in gone]
        self.withdrawn = len(tags) - len(remaining)
        self._tags = [tag for tag in remaining if not covered.of(tag.key)]
        self.internal = len(remaining) - len(self._tags)
        self._rules = self._broken_rules(tags, waivers)
        self._scene_words: dict[str, str] = {
            scene.key: index_words(" ".join(scene.all_names)) for scene in catalog.vocabulary.scenes
        }
        self.columns = _Columns()
        self.counts: Counter[tuple[str, str, str]] = Counter()
        """Number of samples by phase, scene and persons; "any" counts each sample once."""

    def __len__(self) -> int:
        return len(self._tags)

    @property
    def vendor(self) -> str:
        """The name of the vendor, site, dataset or camera that the images come from."""
        provenance = self.entry.provenance
        return provenance.origin.name if provenance and provenance.origin else ""

    def rows(self) -> Iterator["SampleRows"]:
        """Yield what the tables hold of each sample, in the order of phase and stem."""
        measured = _measured(self._scan, [self._places.get(tag.key) for tag in self._tags])
        self.columns.add_ranges(measured)
        about = index_words(f"{self._name} {self.vendor}")
        number = self._first
        for start in range(0, len(self._tags), _CHUNK):
            values = measured.slice(start, _CHUNK)
            columns = [values[name].to_pylist() for name in measured.column_names]
            tags = self._tags[start : start + _CHUNK]
            for tag, *numbers, image_md5, mask_md5 in zip(tags, *columns, strict=True):
                rules = self._rules.get(tag.key, ())
                labels = _labels(tag.scenes, tag.persons)
                self.columns.add(number - self._first, tag, labels, rules)
                self.counts.update((str(tag.phase), *key) for key in labels.counted)
                yield SampleRows(
                    (
                        *(number, self._first >> NUMBER_SHIFT, str(tag.phase), tag.stem),
                        *(labels.text, tag.persons_summary, tag.boxes, tag.source),
                        *(*numbers, image_md5, mask_md5, ";".join(rules)),
                    ),
                    [(scene, number, persons) for scene, persons in labels.scenes],
                    [(rule, number) for rule in rules],
                    (
                        *(number, index_words(tag.stem), self._words_of(labels.scenes)),
                        *(index_words(tag.source) if tag.source else "", about),
                    ),
                )
                number += 1

    def _words_of(self, scenes: tuple[tuple[str, str], ...]) -> str:
        """Return all names of scenes, for the index of words."""
        return " ".join(self._scene_words[key] for key in dict.fromkeys(key for key, _ in scenes))

    def _broken_rules(self, tags: list[Tag], waivers: Sequence[Waiver]) -> dict[Key, list[str]]:
        """Return the codes of the rules on single samples that samples break, by sample."""
        catalog, name = self._catalog, self._name
        found: dict[Key, list[str]] = {}
        for code in sorted(JUDGED_CODES):
            if catalog.params.severity(code) not in {Severity.ERROR, Severity.WARNING}:
                continue
            broken = broken_samples(
                [code],
                self.entry,
                tags,
                self._scan,
                params=catalog.params,
                waivers=waivers,
                folder=f"{DATA_ROOT}/{name}/",
                file=catalog.paths.relative(catalog.paths.tags(name)),
            )
            for key in broken:
                found.setdefault(key, []).append(code)
        return found


class SampleRows(NamedTuple):
    """What the tables hold of one sample."""

    sample: tuple[Any, ...]
    scenes: list[tuple[str, int, str]]
    findings: list[tuple[str, int]]
    search: tuple[Any, ...]


class _Labels(NamedTuple):
    """The scenes and persons of a sample; most samples share theirs with many others."""

    text: str
    scenes: tuple[tuple[str, str], ...]
    codes: tuple[tuple[str, int], ...]
    """Each scene with the number of its persons."""
    bits: int
    """The persons, as a set of bits."""
    counted: tuple[tuple[str, str], ...]
    """The scenes and persons that the sample counts in; "any" counts it once in each scene."""


@lru_cache(maxsize=4096)
def _labels(scenes: tuple[SceneMembership, ...], own: Persons | None) -> _Labels:
    pairs = memberships_of(scenes, own)
    named = tuple(sorted({(scene, str(persons or "unknown")) for scene, persons in pairs}))
    totals = {persons for _, persons in named} or {str(own or "unknown")}
    counted = {(scene, "any") for scene in (TOTAL, *(key for key, _ in named))}
    counted |= {(TOTAL, persons) for persons in totals} | set(named)
    return _Labels(
        ";".join(f"{scene}:{persons}" if persons else scene for scene, persons in scenes),
        named,
        tuple((scene, PERSONS.index(persons)) for scene, persons in named),
        sum(1 << PERSONS.index(persons) for persons in totals),
        tuple(counted),
    )


class _Columns:
    """The columns of a subset, from which the server answers queries without SQL."""

    def __init__(self) -> None:
        self._phases, self._persons = bytearray(), bytearray()
        self._lines: list[str] = []
        self._ranges: dict[str, bytes] = {}
        self._pairs: dict[str, tuple[array[int], bytearray]] = {}
        self._rules: dict[str, array[int]] = {}

    def add_ranges(self, measured: "pa.Table") -> None:
        """Add the numbers that queries can limit, of all samples."""
        for name in RANGES:
            values = measured[name].to_numpy().astype("float32")
            self._ranges[name] = values.tobytes()

    def add(self, place: int, tag: Tag, labels: _Labels, rules: Sequence[str]) -> None:
        """Add the next sample."""
        self._phases.append(_PHASES[tag.phase])
        self._persons.append(labels.bits)
        self._lines.append(fold_text(f"{tag.stem}\x1f{tag.source}" if tag.source else tag.stem))
        for scene, code in labels.codes:
            places, codes = self._pairs.setdefault(scene, (array("I"), bytearray()))
            places.append(place)
            codes.append(code)
        for rule in rules:
            self._rules.setdefault(rule, array("I")).append(place)

    def blobs(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the bytes of each column."""
        yield "phase", bytes(self._phases)
        yield "persons", bytes(self._persons)
        yield "lines", "".join(f"{line}\n" for line in self._lines).encode("utf-8", "replace")
        for name, values in self._ranges.items():
            yield f"range:{name}", values
        for scene, (places, codes) in self._pairs.items():
            yield f"scene:{scene}", places.tobytes()
            yield f"scene_persons:{scene}", bytes(codes)
        for rule, places in self._rules.items():
            yield f"rule:{rule}", places.tobytes()


def _measured(scan: "pa.Table", places: Sequence[int | None]) -> "pa.Table":
    """Return what a scan says of each sample: the columns of the index from ``RANGES`` on.

    Args:
        scan: The scan of a subset.
        places: The row of each sample; None gives nulls.
    """
    import numpy as np
    import pyarrow as pa

    width, height = (scan[name].to_numpy() for name in ("width", "height"))
    turned = [number for number, (transpose, *_) in STEPS.items() if transpose]
    is_turned = np.isin(scan["orientation"].to_numpy(), turned)
    pixels = width.astype(np.int64) * height
    table = pa.table(
        {
            "width": np.where(is_turned, height, width),
            "height": np.where(is_turned, width, height),
            "person_share": scan["person"].to_numpy() / pixels,
            "ignore_share": scan["ignore"].to_numpy() / pixels,
            "parts": scan["parts_total"],
            "holes": scan["holes_total"],
            "contrast": scan["contrast"],
            "straight": scan["straight"],
            "orientation": scan["orientation"],
            "image_md5": scan["image_md5"],
            "mask_md5": scan["mask_md5"],
        }
    )
    return table.take(pa.array(places, pa.int64())).combine_chunks()


def withdrawn_keys(catalog: Catalog, scan: "pa.Table") -> set[Key]:
    """Return phase and stem of the withdrawn samples in a scan with image_md5 and picture."""
    if not catalog.withdrawn.files:
        return set()
    return {(row["phase"], row["stem"]) for row, _ in catalog.withdrawn.rows_of(scan)}


def _read_scan(catalog: Catalog, name: str) -> "pa.Table":
    """Return a scan; an empty one for a subset of the working tree that has none yet."""
    if catalog.origin is None and not catalog.paths.scan(name).exists():
        from sceneset.catalog.scan_table import table_from_rows

        return table_from_rows([], catalog.params.algorithms.scan)
    return catalog.scan(name, _SCAN)
