"""Scanning one subset: every sample measured, from files that are here or from the remote.

A scan is written only if it is whole, and holds what the .dvc files record. A folder that was
pulled in part would otherwise become the new truth.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from sceneset.registry.blobs import Blobs
from sceneset.registry.catalog import Registry
from sceneset.registry.digests import (
    COLUMNS,
    Tracked,
    digests_of_scan,
    recorded_otherwise,
    tracked,
)
from sceneset.registry.files import md5_of, replacing, write_text
from sceneset.registry.fromremote import listing
from sceneset.registry.knownrows import KnownRows, known_rows
from sceneset.registry.layout import Layout, listed_samples, read_samples
from sceneset.registry.measure import Measure, Measured, Pair
from sceneset.registry.places import DATA_ROOT
from sceneset.registry.processes import measure_many
from sceneset.registry.remote import Locked, Project, locked_stage
from sceneset.registry.scanfile import read_scan, scan_writer
from sceneset.schemas.problem import Problem, ProblemsFoundError, errors, problem

Progress = Callable[[Iterable[Measured], int], Iterable[Measured]]


def scan_here(
    registry: Registry, name: str, progress: Progress, measure: Measure = measure_many
) -> list[Problem]:
    """Scan the files in the subset's folders; return what is worth saying of them.

    Their hashes are those DVC knows: files that it has seen and a row is known of are not read.

    Raises:
        ProblemsFoundError: files are missing, unexpected, damaged or of wrong sizes; no scan is
            written then.
    """
    folder = registry.paths.subset(name)
    _check_here(registry, name)
    layout = read_samples(folder, img_suffix=registry.entry(name).img_suffix)
    problems = [
        # What a delivery is told, to deliver the file, does not help here.
        p.model_copy(update={"hint": restore(name)}) if p.code in _LOST else p
        for p in layout.problems
    ]
    problems += missing(registry, name, layout)
    if errors(problems):
        raise ProblemsFoundError(_of(name, problems))
    known = _known(registry, name)
    hashes = _hashes(registry, folder) if known else {}
    pairs = []
    for key in layout.pairs():
        image, mask = layout.images[key], layout.masks[key]
        md5 = (hashes.get(image, ""), hashes.get(mask, "")) if known else None
        pairs.append(Pair(*key, image, mask, registry.root, md5))
    measured = measure(pairs, registry.params.limits, known=known)
    return problems + _written(registry, name, progress(measured, len(pairs)))


def _check_here(registry: Registry, name: str) -> None:
    """Say it once where no file of a subset is here, as in a clone before `dvc pull`."""
    folders = [registry.paths.subset(name) / folder for folder in ("img_dir", "ann_dir")]
    if any(folder.exists() for folder in folders):
        return
    files = " ".join(f"{registry.paths.shown(folder)}.dvc" for folder in folders)
    raise ProblemsFoundError(
        [
            problem(
                "scan-incomplete",
                "none of its images and masks is here",
                subset=name,
                file=registry.paths.shown(registry.paths.subset(name)),
                hint=f"`dvc pull {files}` gets them; "
                f"`sceneset scan {name} --from-remote` needs none",
            )
        ]
    )


def _known(registry: Registry, name: str) -> KnownRows:
    return known_rows(registry.paths.scan(name), registry.params.algorithms.scan)


def _hashes(registry: Registry, folder: Path) -> dict[Path, str]:
    project = Project(registry.root)
    return {
        folder / part / path: md5
        for part in ("img_dir", "ann_dir")
        for path, md5 in project.hashes(folder / part).items()
    }


_LOST = {"image-missing", "mask-missing"}


def _of(name: str, problems: Iterable[Problem]) -> list[Problem]:
    return [p.model_copy(update={"subset": name}) for p in problems]


def _written(registry: Registry, name: str, measured: Iterable[Measured]) -> list[Problem]:
    """Write the scan of what was measured, or raise all that is wrong with it."""
    problems: list[Problem] = []
    path = registry.paths.scan(name)
    with replacing(path) as aside:
        with scan_writer(aside, registry.params.algorithms.scan) as write:
            for found in measured:
                problems += found.problems
                if found.row:
                    write(found.row)
        if not errors(problems):
            problems += recorded_otherwise(
                registry.paths,
                name,
                digests_of_scan(read_scan(aside, path.name, columns=COLUMNS)),
                "records other files than {folder} holds",
                f"`dvc add {DATA_ROOT}/{name}/{{folder}}` if the change is meant, "
                f"else {restore(name)}",
            )
        problems = _of(name, problems)
        if errors(problems):
            raise ProblemsFoundError(problems)
    return problems


def restore(name: str) -> str:
    """Say how to get a subset's files back; `dvc repro` has rewritten its .dvc files by now."""
    files = " ".join(f"{DATA_ROOT}/{name}/{folder}.dvc" for folder in ("img_dir", "ann_dir"))
    return (
        f"run `git checkout HEAD -- {files}` and `dvc checkout {files}` "
        "(`dvc pull` the same where the cache lacks them)"
    )


def missing(registry: Registry, name: str, layout: Layout) -> list[Problem]:
    """Compare the files found with the counts of the .dvc files and the names in the tags."""
    problems = []
    for folder, found in (("img_dir", layout.images), ("ann_dir", layout.masks)):
        path = registry.paths.subset(name) / f"{folder}.dvc"
        shown = registry.paths.shown(path)
        recorded = tracked(path, shown, subset=name)
        if len(found) < recorded.files:
            problems.append(
                problem(
                    "scan-incomplete",
                    f"records {recorded.files} files, {len(found)} are there",
                    file=shown,
                    hint=f"{restore(name)}; if files were taken out on purpose, "
                    f"`dvc add {DATA_ROOT}/{name}/{folder}`",
                )
            )
    gone = sorted({tag.key for tag in registry.tags(name, keep=False)} - set(layout.pairs()))
    tags_file = registry.paths.shown(registry.paths.tags(name))
    problems += [
        problem(
            "scan-incomplete",
            f"{phase} {stem!r} has tags, but its image or mask is not there",
            file=tags_file,
            phase=phase,
            stem=stem,
            hint=f"{restore(name)}; or delete the row if the sample is meant to go",
        )
        for phase, stem in gone
    ]
    return problems


def scan_remote(
    registry: Registry,
    name: str,
    blobs: Blobs,
    progress: Progress,
    measure: Measure,
) -> list[Problem]:
    """Scan what the .dvc files record, read by hash from the remote; return what is worth saying.

    No file of the subset need be here, and none is kept. ``measure`` may hand the work on.

    Raises:
        ProblemsFoundError: as ``scan_here``; or blobs are missing or damaged on the remote.
        DvcError: the remote can't be reached.
    """
    base = registry.paths.subset(name)
    listings = [listing(registry, name, folder, blobs) for folder in ("img_dir", "ann_dir")]
    images, masks = ([(phase, path) for phase, path in listed] for listed in listings)
    layout = listed_samples(base, images, masks, img_suffix=registry.entry(name).img_suffix)
    problems = layout.problems + missing(registry, name, layout)
    if errors(problems):
        raise ProblemsFoundError(_of(name, problems))
    hashes = {path: md5 for listed in listings for (_, path), md5 in listed.items()}
    pairs = [
        Pair(*key, image, mask, registry.root, (hashes[image], hashes[mask]))
        for key in layout.pairs()
        for image, mask in [(layout.images[key], layout.masks[key])]
    ]
    known = _known(registry, name)
    measured = measure(pairs, registry.params.limits, known=known)
    return problems + _written(registry, name, progress(measured, len(pairs)))


def record(registry: Registry, name: str) -> None:
    """Note in dvc.lock that the scan is what the .dvc files give: its stage need not run again."""
    paths, lock = registry.paths, registry.root / "dvc.lock"
    deps = {}
    for folder in ("img_dir", "ann_dir"):
        recorded = paths.subset(name) / f"{folder}.dvc"
        deps[f"{DATA_ROOT}/{name}/{folder}"] = tracked(recorded, paths.shown(recorded), subset=name)
    data = paths.scan(name).read_bytes()
    said = Locked(
        deps,
        registry.params.algorithms.scan,
        {paths.shown(paths.scan(name)): Tracked(md5_of(data), 1, len(data))},
    )
    text = lock.read_text("utf-8") if lock.is_file() else ""
    pipeline = (registry.root / "dvc.yaml").read_text("utf-8")
    made = locked_stage(text, pipeline, "scan", name, said)
    if made is not None and made != text:
        write_text(lock, made)
