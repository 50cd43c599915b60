"""Registries of tables without images: tags and scans of samples that tests describe."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.scan_table import write_scan
from sceneset.catalog.tags_csv import tags_text
from sceneset.evaluation.counts import Counts, Facts, Row, Widths, table_of
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.files import md5_of
from support.build import NAME


class Drawn(NamedTuple):
    """A sample; samples with the same picture or similar hashes are one image."""

    stem: str
    scenes: str = "ski"
    persons: str | None = "single"
    phase: str = "train"
    source: str = ""
    picture: str | None = ""
    """Names the pixels; "" gives pixels that no other stem has, None a scan without pictures."""
    phash: int | None = None
    """None gives a hash that is far from all others."""

    @property
    def key(self) -> str:
        return f"{self.phase}/{self.stem}"


def far_hash(text: str) -> int:
    """Return a hash of 64 bits; of a few hundred, no two are within 8 bits."""
    return int(md5_of(text.encode())[:16], 16)


def scan_row(sample: Drawn) -> ScanRow:
    picture = None if sample.picture is None else md5_of((sample.picture or sample.key).encode())
    phash = far_hash(sample.picture or sample.key) if sample.phash is None else sample.phash
    sums: dict[str, Any] = {f"{what}_{c}": 1000 for what in ("sum", "sq") for c in "rgb"}
    return ScanRow(
        phase=sample.phase,
        stem=sample.stem,
        image=f"{sample.stem}.jpg",
        mask=f"{sample.stem}.png",
        image_md5=md5_of(f"image {sample.key} {sample.scenes}".encode()),
        mask_md5=md5_of(f"mask {sample.key}".encode()),
        picture=picture,
        image_bytes=1000,
        mask_bytes=100,
        width=100,
        height=100,
        mode="RGB",
        phash=f"{phash:016x}",
        phash_mirror=f"{far_hash(f'mirror {sample.key}'):016x}",
        phash_turned="0" * 96,
        pdq=md5_of(sample.key.encode()) * 2,
        person=100,
        ignore=0,
        parts=(100,),
        parts_total=1,
        **sums,
    )


def write_registry(
    root: Path,
    samples: Iterable[Drawn],
    *,
    name: str = NAME,
    provenance: Mapping[str, Any] | None = None,
    targets: str = "",
) -> Path:
    """Write a subset of samples into an empty registry, and targets into its params.yaml."""
    samples = list(samples)
    tags = [
        Tag(
            phase=one.phase,
            stem=one.stem,
            scenes=one.scenes,
            persons=one.persons,
            source=one.source,
        )
        for one in samples
    ]
    for folder in ("tags", "scans", "subsets"):
        (root / "registry" / folder).mkdir(exist_ok=True, parents=True)
    (root / f"registry/tags/{name}.csv").write_text(tags_text(tags), "utf-8")
    write_scan(root / f"registry/scans/{name}.parquet", map(scan_row, samples), 6)
    fields: dict[str, Any] = {"name": name, "kind": "full", "provenance": provenance}
    fields["splits"] = [{"scene": "total", "file": "total.txt"}]
    entry = Subset.model_validate({key: value for key, value in fields.items() if value})
    (root / f"registry/subsets/{name}.yaml").write_text(entry_text(entry), "utf-8")
    params = root / "params.yaml"
    text = params.read_text("utf-8")
    text = text.replace("subsets: []", "subsets:").replace("subsets:\n", f"subsets:\n  - {name}\n")
    if targets:
        start = text.index("\ntargets:") + 1
        text = text[:start] + f"targets: {targets}\n" + text[text.index("# Severities") :]
    params.write_text(text, "utf-8")
    return root


def many(number: int, prefix: str = "a", **fields: Any) -> list[Drawn]:
    """Return samples of the same kind."""
    return [Drawn(f"{prefix}{place:03}", **fields) for place in range(number)]


def counts_of(
    samples: Sequence[Drawn], ious: Sequence[float | None], *, subset: str = NAME
) -> Counts:
    """Return an evaluation in which samples have an IoU; None is no usable prediction."""
    truth = 1000  # pixels; the prediction is a part of the true mask
    rows = [
        Row(
            Facts(subset, one.phase, one.stem, ("ski",), None, one.source, 100, 100, "0" * 32),
            None if iou is None else (0, truth, round(truth * iou), round(truth * iou)),
        )
        for one, iou in sorted(zip(samples, ious, strict=True), key=lambda pair: pair[0].key)
    ]
    return table_of(rows, Widths((), ()), {})
