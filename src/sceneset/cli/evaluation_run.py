"""Run an evaluation as the options of `sceneset evaluate` say."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import ask_on_terminal, open_catalog, open_state
from sceneset.cli.selected_samples import selected_samples
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.evaluation.counts import Counts
    from sceneset.evaluation.predictions import Predictions
    from sceneset.evaluation.report import Evaluation
    from sceneset.imaging.prediction_file import Reading


def from_counts(args: argparse.Namespace) -> "Evaluation":
    """Return the evaluation of counts that an earlier run wrote."""
    from sceneset.evaluation.counts import read_counts

    chosen = [args.scene, args.persons, args.phase, args.subset, args.rev, args.html, args.to]
    chosen += [args.band, args.radius, args.ending, args.images, args.threshold]
    chosen += [args.fetch, args.remote, args.internal, args.repo != "."]
    if any(chosen) or args.values != "auto":
        raise UsageError(
            f"{args.predictions} has the counts of an earlier run; only --compare, --empty, --by, "
            "--worst and --json can be used with it"
        )
    return measured(args, read_counts(Path(args.predictions)), _other_run(args))


def _other_run(args: argparse.Namespace) -> "Counts | None":
    from sceneset.evaluation.counts import read_counts

    return read_counts(args.compare) if args.compare else None


def measured(args: argparse.Namespace, counts: "Counts", other: "Counts | None") -> "Evaluation":
    """Return the measures of counts, and the difference to those of --compare."""
    from sceneset.cli.output import say
    from sceneset.evaluation.difference import difference_to
    from sceneset.evaluation.measures import GROUPINGS, Empty
    from sceneset.evaluation.report import evaluate

    by = args.by or GROUPINGS
    empty = Empty(args.empty)
    found = evaluate(counts, empty=empty, by=by, worst=args.worst)
    if other and not found.compared:
        say("no sample was compared, so there is no difference to another run", style="yellow")
    elif other:
        found.difference = difference_to(counts, other, empty=empty, by=by)
    return found


class FolderRun:
    """One evaluation of predictions or of another version."""

    def __init__(self, args: argparse.Namespace) -> None:
        from sceneset.versions.local_files import LocalFiles

        self.args = args
        self.other = _other_run(args)  # before hours of work, not after them
        self.catalog = open_catalog(args)
        selection = selected_samples(args, self.catalog)
        self.samples, self.version = selection.samples, selection.version
        self.files = LocalFiles(self.catalog)
        if args.html:
            from sceneset.cli.output_files import check_output_file
            from sceneset.evaluation.page import GENERATOR

            check_output_file(args.html, self.catalog, "evaluate", marks=(GENERATOR,))
        if args.to:
            _check_counts(args.to, self.catalog)

    def evaluate(self) -> "Evaluation":
        """Count, measure, and write the page."""
        from sceneset.cli.output import progress
        from sceneset.evaluation.counts import Widths
        from sceneset.evaluation.run import count_predictions, refuse_mixed_values

        args = self.args
        predictions = self._predictions()
        if args.fetch:
            self._fetch([(one.mask_path, one.mask_md5) for one in self.samples], self.files)
        counts = count_predictions(
            self.catalog,
            self.samples,
            predictions,
            files=self.files,
            widths=Widths(
                tuple(dict.fromkeys(args.band or Widths().bands)),
                tuple(dict.fromkeys(args.radius or Widths().radii)),
            ),
            about=self._about(),
            progress=progress,
        )
        if args.values == "auto":
            counts = refuse_mixed_values(counts)
        found = measured(args, counts, self.other)
        found.matches, found.other_files = predictions.matches, predictions.other_files
        found.other_results = predictions.other_results
        if args.html:
            self._write_page(found, predictions)
        return found

    def _about(self) -> dict[str, str]:
        args = self.args
        truth = self.version or "working tree"
        if args.against is not None:
            return {"truth": truth, "predictions": f"--against {args.against}"}
        level = f"{self._reading().level:g}"
        return {"truth": truth, "predictions": args.predictions, "threshold": level}

    def _reading(self) -> "Reading":
        from sceneset.imaging.prediction_file import Reading, Values

        return Reading(Values(self.args.values), self.args.threshold)

    def _predictions(self) -> "Predictions":
        args = self.args
        if args.against is not None:
            from sceneset.evaluation.version_masks import VersionMasks

            other = VersionMasks(open_state(args.repo, args.against), self.samples)
            if args.fetch:
                self._fetch(other.wanted(), other.files)
            return other
        path = Path(args.predictions)
        if path.suffix.lower() == ".json":
            from sceneset.evaluation.coco_results import CocoResults

            if args.ending or args.values != "auto":
                raise UsageError(
                    "--ending and --values are about masks in files; leave them out with COCO "
                    "results"
                )
            return CocoResults(path, args.images, self.samples, self.catalog, self._reading())
        if args.images:
            raise UsageError("--images belongs to a COCO results file; PREDICTIONS is a folder")
        from sceneset.evaluation.predictions import FolderPredictions

        return FolderPredictions(
            path, self.samples, self.catalog, self._reading(), ending=args.ending
        )

    def _fetch(self, wanted: "list[tuple[str, str | None]]", files: Any) -> None:
        from sceneset.cli.output import progress, say

        files.fetch(
            wanted, remote=self.args.remote, ask=ask_on_terminal, notify=say, progress=progress
        )

    def _write_page(self, found: "Evaluation", predictions: "Predictions") -> None:
        """Write the page with pictures of the worst samples."""
        from sceneset.cli.language import translate
        from sceneset.cli.output import progress, say
        from sceneset.cli.output_files import warn_if_committed
        from sceneset.cli.picture_sheets import language, open_page
        from sceneset.evaluation.page import evaluation_page
        from sceneset.evaluation.pictures import draw_worst
        from sceneset.storage.files import atomic_write

        by_key = {sample.key: sample for sample in self.samples}
        worst = [by_key[sample.key] for sample in found.worst]
        if self.args.fetch:
            self._fetch([(one.image_path, one.image_md5) for one in worst], self.files)
        pictures = draw_worst(worst, predictions, self.files, self.catalog, progress=progress)
        text = evaluation_page(found, pictures, language(), translate)
        with atomic_write(self.args.html, fsync=False) as temporary:
            temporary.write_text(text, "utf-8")
        say(f"page written to {self.args.html}", style="green")
        warn_if_committed(self.args.html)
        if self.args.open:
            open_page(self.args.html)


def _check_counts(path: Path, catalog: "Catalog") -> None:
    """Refuse a file that counts must not replace: a scan and outside vectors are Parquet, too."""
    from sceneset.cli.output_files import check_output_place
    from sceneset.evaluation.counts import read_counts

    check_output_place(path, catalog)
    if path.exists():
        try:
            read_counts(path)
        except UsageError:
            raise UsageError(
                f"{path} exists and was not written by `sceneset evaluate`; use another file"
            ) from None
