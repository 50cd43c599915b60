"""Scan one subset: the only stage that opens pixels.

Reads img_dir and ann_dir of the subset; writes registry/scans/<subset>.parquet. The .dvc files
and the tags are read too, to fail where images are missing: a folder that was pulled in part
would otherwise become the new truth. They are no dependencies: relabelling a scene must not ask
for pixels.
"""

import sys
from collections.abc import Sequence

from sceneset.registry.catalog import Registry
from sceneset.registry.digests import digests_of_rows, recorded_otherwise, tracked
from sceneset.registry.edge import UsageError, guarded
from sceneset.registry.layout import Layout, read_samples
from sceneset.registry.measure import Pair, measure_all
from sceneset.registry.places import DATA_ROOT
from sceneset.registry.render import print_problems, progress
from sceneset.registry.scanfile import known_rows, write_scan
from sceneset.schemas.problem import Problem, ProblemsFoundError, errors, problem
from sceneset.schemas.sample import ScanRow

_LOST = {"image-missing", "mask-missing"}


def scan(registry: Registry, name: str) -> None:
    """Measure every sample of a subset and write its scan.

    Raises:
        ProblemsFoundError: files are missing, unexpected, damaged or of wrong sizes; no scan is
            written then.
    """
    folder = registry.paths.subset(name)
    layout = read_samples(folder, img_suffix=registry.entry(name).img_suffix)
    problems = [
        # What a delivery is told, to deliver the file, does not help here.
        p.model_copy(update={"hint": restore(name)}) if p.code in _LOST else p
        for p in layout.problems
    ]
    problems += missing(registry, name, layout)
    rows: list[ScanRow] = []
    if not errors(problems):
        pairs = [
            Pair(*key, layout.images[key], layout.masks[key], registry.root)
            for key in layout.pairs()
        ]
        path, algorithm = registry.paths.scan(name), registry.params.algorithms.scan
        known = known_rows(path, algorithm)
        measured = measure_all(pairs, registry.params.limits, known=known)
        for found in progress(measured, len(pairs), f"scan {name}"):
            problems += found.problems
            if found.row:
                rows.append(found.row)
    if not errors(problems):
        problems += recorded_otherwise(
            registry.paths,
            name,
            digests_of_rows(rows),
            "records other files than {folder} holds",
            f"`dvc add {DATA_ROOT}/{name}/{{folder}}` if the change is meant, else {restore(name)}",
        )
    problems = [p.model_copy(update={"subset": name}) for p in problems]
    if errors(problems):
        raise ProblemsFoundError(problems)
    print_problems(problems)
    write_scan(registry.paths.scan(name), rows, registry.params.algorithms.scan)


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
    gone = sorted({tag.key for tag in registry.tags(name)} - set(layout.pairs()))
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage for the subset named on the command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> int:
        if len(words) != 1:
            raise UsageError("usage: python -m sceneset.stages.scan SUBSET")
        scan(Registry.open(), words[0])
        return 0

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
