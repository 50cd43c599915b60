"""Scanning one subset: every sample measured, from files that are here or from the remote.

A scan is written only if it is whole, and holds what the .dvc files record. A folder that was
pulled in part would otherwise become the new truth.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import read_scan, scan_writer
from sceneset.catalog.subset_folder import Layout, listed_samples, read_samples
from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress
from sceneset.scanning.known_rows import KnownRows, known_rows
from sceneset.scanning.measure_sample import Measure, Measured, Pair
from sceneset.scanning.process_pool import measure_many
from sceneset.scanning.remote_reader import listing
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import Locked, Project, locked_stage
from sceneset.storage.dvc_digests import (
    COLUMNS,
    Tracked,
    digests_of_scan,
    recorded_otherwise,
    tracked,
)
from sceneset.storage.files import md5_of, replacing, write_text


class Scanned(NamedTuple):
    """The result of a scan that was written."""

    findings: list[Finding]
    """Warnings and notes."""
    measured: int
    """Samples that were decoded; the rows of the others were known."""


def scan_here(
    catalog: Catalog, name: str, progress: Progress, measure: Measure = measure_many
) -> Scanned:
    """Scan the files in the subset's folders; return what is worth saying of them.

    Their hashes are those DVC knows: files that it has seen and a row is known of are not read.

    Raises:
        ProblemsFoundError: files are missing, unexpected, damaged or of wrong sizes; no scan is
            written then.
    """
    folder = catalog.paths.subset(name)
    _check_here(catalog, name)
    layout = read_samples(folder, img_suffix=catalog.entry(name).img_suffix)
    findings = [
        # What a delivery is told, to deliver the file, does not help here.
        p.model_copy(update={"hint": restore(name)}) if p.code in _LOST else p
        for p in layout.findings
    ]
    findings += missing(catalog, name, layout)
    if errors_of(findings):
        raise FindingsError(_of(name, findings))
    known = _known(catalog, name)
    hashes = _hashes(catalog, folder) if known else {}
    pairs = []
    for key in layout.pairs():
        image, mask = layout.images[key], layout.masks[key]
        md5 = (hashes.get(image, ""), hashes.get(mask, "")) if known else None
        pairs.append(Pair(*key, image, mask, catalog.root, md5))
    measured = measure(pairs, catalog.params.limits, known=known)
    return _written(catalog, name, findings, progress(measured, len(pairs), f"scan {name}"))


def _check_here(catalog: Catalog, name: str) -> None:
    """Say it once where no file of a subset is here, as in a clone before `dvc pull`."""
    folders = [catalog.paths.subset(name) / folder for folder in ("img_dir", "ann_dir")]
    if any(folder.exists() for folder in folders):
        return
    files = " ".join(f"{catalog.paths.shown(folder)}.dvc" for folder in folders)
    fail(
        "scan-incomplete",
        "none of its images and masks is here",
        subset=name,
        file=catalog.paths.shown(catalog.paths.subset(name)),
        hint=f"`dvc pull {files}` gets them; `sceneset scan {name} --from-remote` needs none",
    )


def _known(catalog: Catalog, name: str) -> KnownRows:
    return known_rows(catalog.paths.scan(name), catalog.params.algorithms.scan)


def _hashes(catalog: Catalog, folder: Path) -> dict[Path, str]:
    project = Project(catalog.root)
    return {
        folder / part / path: md5
        for part in ("img_dir", "ann_dir")
        for path, md5 in project.hashes(folder / part).items()
    }


_LOST = {"image-missing", "mask-missing"}


def _of(name: str, findings: Iterable[Finding]) -> list[Finding]:
    return [p.model_copy(update={"subset": name}) for p in findings]


def _written(
    catalog: Catalog, name: str, before: Sequence[Finding], measured: Iterable[Measured]
) -> Scanned:
    """Write the scan of what was measured, or raise all that is wrong with it."""
    findings: list[Finding] = []
    count = 0
    path = catalog.paths.scan(name)
    with replacing(path) as aside:
        with scan_writer(aside, catalog.params.algorithms.scan) as write:
            for found in measured:
                findings += found.findings
                count += found.is_new
                if found.row:
                    write(found.row)
        if not errors_of(findings):
            findings += recorded_otherwise(
                catalog.paths,
                name,
                digests_of_scan(read_scan(aside, path.name, columns=COLUMNS)),
                "records other files than {folder} holds",
                f"`dvc add {DATA_ROOT}/{name}/{{folder}}` if the change is meant, "
                f"else {restore(name)}",
            )
        findings = _of(name, findings)
        if errors_of(findings):
            raise FindingsError(findings)
    return Scanned([*before, *findings], count)


def restore(name: str) -> str:
    """Say how to get a subset's files back; `dvc repro` has rewritten its .dvc files by now."""
    files = " ".join(f"{DATA_ROOT}/{name}/{folder}.dvc" for folder in ("img_dir", "ann_dir"))
    return (
        f"run `git checkout HEAD -- {files}` and `dvc checkout {files}` "
        "(`dvc pull` the same where the cache lacks them)"
    )


def missing(catalog: Catalog, name: str, layout: Layout) -> list[Finding]:
    """Compare the files found with the counts of the .dvc files and the names in the tags."""
    findings = []
    for folder, found in (("img_dir", layout.images), ("ann_dir", layout.masks)):
        path = catalog.paths.subset(name) / f"{folder}.dvc"
        shown = catalog.paths.shown(path)
        recorded = tracked(path, shown, subset=name)
        if len(found) < recorded.files:
            findings.append(
                finding(
                    "scan-incomplete",
                    f"records {recorded.files} files, {len(found)} are there",
                    file=shown,
                    hint=f"{restore(name)}; if files were taken out on purpose, "
                    f"`dvc add {DATA_ROOT}/{name}/{folder}`",
                )
            )
    gone = sorted({tag.key for tag in catalog.tags(name, keep=False)} - set(layout.pairs()))
    tags_file = catalog.paths.shown(catalog.paths.tags(name))
    findings += [
        finding(
            "scan-incomplete",
            f"{phase} {stem!r} has tags, but its image or mask is not there",
            file=tags_file,
            phase=phase,
            stem=stem,
            hint=f"{restore(name)}; or delete the row if the sample is meant to go",
        )
        for phase, stem in gone
    ]
    return findings


def scan_remote(
    catalog: Catalog,
    name: str,
    blobs: Blobs,
    progress: Progress,
    measure: Measure,
) -> Scanned:
    """Scan what the .dvc files record, read by hash from the remote; return what is worth saying.

    No file of the subset need be here, and none is kept. ``measure`` may hand the work on.

    Raises:
        ProblemsFoundError: as ``scan_here``; or blobs are missing or damaged on the remote.
        DvcError: the remote can't be reached.
    """
    base = catalog.paths.subset(name)
    listings = [listing(catalog, name, folder, blobs) for folder in ("img_dir", "ann_dir")]
    images, masks = ([(phase, path) for phase, path in listed] for listed in listings)
    layout = listed_samples(base, images, masks, img_suffix=catalog.entry(name).img_suffix)
    findings = layout.findings + missing(catalog, name, layout)
    if errors_of(findings):
        raise FindingsError(_of(name, findings))
    hashes = {path: md5 for listed in listings for (_, path), md5 in listed.items()}
    pairs = [
        Pair(*key, image, mask, catalog.root, (hashes[image], hashes[mask]))
        for key in layout.pairs()
        for image, mask in [(layout.images[key], layout.masks[key])]
    ]
    known = _known(catalog, name)
    measured = measure(pairs, catalog.params.limits, known=known)
    return _written(catalog, name, findings, progress(measured, len(pairs), f"scan {name}"))


def record(catalog: Catalog, name: str) -> None:
    """Note in dvc.lock that the scan is what the .dvc files give: its stage need not run again."""
    paths, lock = catalog.paths, catalog.root / "dvc.lock"
    deps = {}
    for folder in ("img_dir", "ann_dir"):
        recorded = paths.subset(name) / f"{folder}.dvc"
        deps[f"{DATA_ROOT}/{name}/{folder}"] = tracked(recorded, paths.shown(recorded), subset=name)
    data = paths.scan(name).read_bytes()
    said = Locked(
        deps,
        catalog.params.algorithms.scan,
        {paths.shown(paths.scan(name)): Tracked(md5_of(data), 1, len(data))},
    )
    text = lock.read_text("utf-8") if lock.is_file() else ""
    pipeline = (catalog.root / "dvc.yaml").read_text("utf-8")
    made = locked_stage(text, pipeline, "scan", name, said)
    if made is not None and made != text:
        write_text(lock, made)
