"""Scan one subset: measure every sample, from files on this machine or from the remote.

A scan is written only if it is complete and matches the .dvc files. Otherwise the scan of a folder
that was pulled only in part would look like the whole subset.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import read_scan, scan_writer
from sceneset.catalog.subset_folder import Layout, layout_of_files, read_samples
from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress
from sceneset.scanning.known_rows import KnownRows, known_rows
from sceneset.scanning.measure_sample import Measure, Measured, Pair
from sceneset.scanning.process_pool import measure_files
from sceneset.scanning.remote_reader import read_listing
from sceneset.scanning.void_masks import settle_void_masks
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.cache_links import CacheLinks
from sceneset.storage.dvc import Project
from sceneset.storage.dvc_digests import (
    DIGEST_COLUMNS,
    Digest,
    digest_mismatches,
    digests_of_scan,
    read_dvc_file,
)
from sceneset.storage.dvc_lock_file import (
    LOCK,
    PIPELINE,
    StageRun,
    lock_with_stage_run,
    read_lock,
)
from sceneset.storage.files import atomic_write, md5_of, read_text, write_text
from sceneset.storage.yaml_bounds import MAX_YAML

_FOLDERS = ("img_dir", "ann_dir")


class Scanned(NamedTuple):
    """The result of a scan that was written."""

    findings: list[Finding]
    """Warnings and notes."""
    measured: int
    """Number of samples that were decoded; the rows of the others were known."""


def scan_local(
    catalog: Catalog, name: str, progress: Progress, measure: Measure = measure_files
) -> Scanned:
    """Scan the files in the folders of a subset.

    DVC knows the hashes of files that it has seen. Such a file is not read if its row is known.

    Raises:
        FindingsError: Files are missing, unexpected, damaged or have wrong sizes. No scan is
            written.
    """
    folder = catalog.paths.subset(name)
    _check_folders(catalog, name)
    links = CacheLinks(catalog.root)
    suffix = catalog.entry(name).img_suffix
    layout = read_samples(folder, img_suffix=suffix, is_blob=links.is_blob)
    findings = [
        # The hint of these rules is meant for a delivery: deliver the missing file.
        found.model_copy(update={"hint": _restore_hint(name)})
        if found.code in {"image-missing", "mask-missing"}
        else found
        for found in layout.findings
    ]
    findings += _missing_files(catalog, name, layout)
    if errors_of(findings):
        raise FindingsError(_with_subset(name, findings))
    known = _known(catalog, name)
    hashes = _hashes(catalog, folder) if known else {}
    pairs = []
    for key in layout.pairs():
        image, mask = layout.images[key], layout.masks[key]
        md5 = (hashes.get(image, ""), hashes.get(mask, "")) if known else None
        pairs.append(Pair(*key, image, mask, catalog.root, md5))
    measured = measure(pairs, catalog.params.limits, known=known)
    return _write(catalog, name, findings, progress(measured, len(pairs), f"measure {name}"))


def scan_remote(
    catalog: Catalog,
    name: str,
    blobs: Blobs,
    progress: Progress,
    measure: Measure,
) -> Scanned:
    """Scan the files that the .dvc files of a subset record, read by hash from the remote.

    The subset's files need not exist on this machine, and none is kept.

    Raises:
        FindingsError: As for ``scan_local``, or blobs are missing or damaged on the remote.
        DvcError: The remote can't be reached.
    """
    base = catalog.paths.subset(name)
    listings = [read_listing(catalog, name, folder, blobs) for folder in _FOLDERS]
    images, masks = (list(listed) for listed in listings)
    layout = layout_of_files(base, images, masks, img_suffix=catalog.entry(name).img_suffix)
    findings = layout.findings + _missing_files(catalog, name, layout)
    if errors_of(findings):
        raise FindingsError(_with_subset(name, findings))
    hashes = {path: md5 for listed in listings for (_, path), md5 in listed.items()}
    pairs = [
        Pair(*key, image, mask, catalog.root, (hashes[image], hashes[mask]))
        for key in layout.pairs()
        for image, mask in [(layout.images[key], layout.masks[key])]
    ]
    measured = measure(pairs, catalog.params.limits, known=_known(catalog, name))
    return _write(catalog, name, findings, progress(measured, len(pairs), f"measure {name}"))


def record_in_lock(catalog: Catalog, name: str) -> None:
    """Record in dvc.lock that the scan is up to date, so that `dvc repro` does not run it again."""
    paths, lock = catalog.paths, catalog.root / LOCK
    deps = {}
    for folder in _FOLDERS:
        dvc_file = paths.subset(name) / f"{folder}.dvc"
        digest = read_dvc_file(dvc_file, paths.relative(dvc_file), subset=name)
        deps[f"{DATA_ROOT}/{name}/{folder}"] = digest
    data = paths.scan(name).read_bytes()
    outs = {paths.relative(paths.scan(name)): Digest(md5_of(data), 1, len(data))}
    stage_run = StageRun(deps, catalog.params.algorithms.scan, outs)
    text = read_lock(catalog.root)
    pipeline = read_text(catalog.root / PIPELINE, PIPELINE, limit=MAX_YAML)
    updated = lock_with_stage_run(text, pipeline, "scan", name, stage_run)
    if updated is not None and updated != text:
        write_text(lock, updated)


def _check_folders(catalog: Catalog, name: str) -> None:
    """Raise one finding if both folders are missing, as in a clone before `dvc pull`."""
    folders = [catalog.paths.subset(name) / folder for folder in _FOLDERS]
    if any(folder.exists() for folder in folders):
        return
    files = " ".join(f"{catalog.paths.relative(folder)}.dvc" for folder in folders)
    fail(
        "scan-incomplete",
        "the images and masks of the subset are missing",
        subset=name,
        file=catalog.paths.relative(catalog.paths.subset(name)),
        hint=f"run `dvc pull {files}`, or scan without a local copy: "
        f"`sceneset scan {name} --from-remote`",
    )


def _known(catalog: Catalog, name: str) -> KnownRows:
    return known_rows(catalog.paths.scan(name), catalog.params.algorithms.scan)


def _hashes(catalog: Catalog, folder: Path) -> dict[Path, str]:
    """Return the MD5 hashes that DVC knows of files below a subset's folder."""
    project = Project(catalog.root)
    return {
        folder / part / path: md5
        for part in _FOLDERS
        for path, md5 in project.hashes(folder / part).items()
    }


def _with_subset(name: str, findings: Iterable[Finding]) -> list[Finding]:
    return [found.model_copy(update={"subset": name}) for found in findings]


def _write(
    catalog: Catalog, name: str, layout_findings: Sequence[Finding], measured: Iterable[Measured]
) -> Scanned:
    """Write the rows to the scan file, or raise all findings if one of them is an error."""
    findings: list[Finding] = []
    count = 0
    path = catalog.paths.scan(name)
    with atomic_write(path) as temporary:
        with scan_writer(temporary, catalog.params.algorithms.scan) as write:
            for result in settle_void_masks(measured):
                findings += result.findings
                count += result.is_new
                if result.row:
                    write(result.row)
        if not errors_of(findings):
            findings += digest_mismatches(
                catalog.paths,
                name,
                digests_of_scan(read_scan(temporary, path.name, columns=DIGEST_COLUMNS)),
                "records other files than {folder} contains",
                f"if the change is intended, run `dvc add {DATA_ROOT}/{name}/{{folder}}`; "
                f"otherwise {_restore_hint(name)}",
            )
        findings = _with_subset(name, findings)
        if errors_of(findings):
            raise FindingsError(findings)
    return Scanned([*layout_findings, *findings], count)


def _restore_hint(name: str) -> str:
    """Return the hint that says how to restore the files of a subset.

    It restores the .dvc files too: `dvc repro` rewrites them for the changed folders before it
    runs the scan.
    """
    files = " ".join(f"{DATA_ROOT}/{name}/{folder}.dvc" for folder in _FOLDERS)
    return (
        f"run `git checkout HEAD -- {files}` and `dvc checkout {files}` "
        "(or `dvc pull` with the same files, if they are not in the cache; if both fail, "
        "`sceneset doctor` says why)"
    )


def _missing_files(catalog: Catalog, name: str, layout: Layout) -> list[Finding]:
    """Report files that the .dvc files or the tags mention but that were not found."""
    findings = []
    for folder, files in (("img_dir", layout.images), ("ann_dir", layout.masks)):
        path = catalog.paths.subset(name) / f"{folder}.dvc"
        shown = catalog.paths.relative(path)
        recorded = read_dvc_file(path, shown, subset=name)
        if len(files) < recorded.files:
            findings.append(
                finding(
                    "scan-incomplete",
                    f"records {recorded.files} files, but {len(files)} were found",
                    file=shown,
                    hint=f"{_restore_hint(name)}; if you removed files on purpose, "
                    f"run `dvc add {DATA_ROOT}/{name}/{folder}`",
                )
            )
    tagged = {tag.key for tag in catalog.tags(name, cache=False)}
    tags_file = catalog.paths.relative(catalog.paths.tags(name))
    findings += [
        finding(
            "scan-incomplete",
            f"{phase} {stem!r} has tags, but its image or its mask is missing",
            file=tags_file,
            phase=phase,
            stem=stem,
            hint=f"{_restore_hint(name)}; if you removed the sample on purpose, "
            "delete its row of tags",
        )
        for phase, stem in sorted(tagged - set(layout.pairs()))
    ]
    return findings
