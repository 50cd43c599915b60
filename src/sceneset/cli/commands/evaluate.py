"""Measure how well predicted masks agree with the registered ones.

PREDICTIONS is a folder of masks (.png, .bmp, .tif, .npy, .npz), a COCO results file (.json), or the
counts that --to wrote (.parquet). A folder may hold SUBSET/PHASE/STEM.png, PHASE/STEM.png or
STEM.png. With --against, the masks of another version are compared. A prediction is never resized;
one that is missing, ambiguous or not clear is left out and listed, with exit code 1.
docs/evaluate.md defines each measure.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_remote,
    add_source,
    ask_on_terminal,
    open_catalog,
    open_state,
    query_options,
)
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import add_open
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.evaluation.predictions import Predictions
    from sceneset.evaluation.report import Evaluation
    from sceneset.exports.types import ExportSample
    from sceneset.imaging.prediction_file import Reading

EXAMPLES = r"""
  sceneset evaluate ~/runs/unet --rev 1.2.0
  sceneset evaluate ~/runs/unet ski --phase val --threshold 0.4
  sceneset evaluate results.json --phase val --images instances_val.json
  sceneset evaluate ~/runs/unet --to ~/unet.parquet
  sceneset evaluate ~/runs/new --compare ~/unet.parquet   what a new run changes
  sceneset evaluate --against 1.0.0 ski                   do two versions agree
"""
_GROUPINGS = ("scene", "persons", "phase", "subset", "size")
_WORST = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "predictions",
        nargs="?",
        metavar="PREDICTIONS",
        help="a folder of masks, a COCO results file or a file of counts; left out with --against",
    )
    add_query(parser)
    add_source(parser)
    parser.add_argument(
        "--against", metavar="REV", help="compare with the masks of this version, tag or commit"
    )
    parser.add_argument(
        "--values",
        choices=("auto", "0/1", "0/255", "probability"),
        default="auto",
        help="what values mean (default: decided for each file, refused where it is not clear)",
    )
    parser.add_argument(
        "--threshold",
        type=_share,
        metavar="P",
        help="a pixel is person from this probability on, a COCO result from this score on "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--ending",
        default="",
        metavar="TEXT",
        help="what follows the stem in names of files, for example _mask",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="the COCO file that lists the images of a COCO results file",
    )
    parser.add_argument(
        "--empty",
        choices=("one", "zero", "skip", "positive"),
        default="one",
        help="what images without a person add to means: 1 if both masks are empty (default), 0, "
        "nothing, or nothing wherever the true mask is empty",
    )
    parser.add_argument(
        "--band",
        type=_share,
        action="append",
        metavar="SHARE",
        help="width of the band of Boundary IoU, as a share of the diagonal (default: 0.02; can be "
        "repeated)",
    )
    parser.add_argument(
        "--radius",
        type=_share,
        action="append",
        metavar="SHARE",
        help="distance up to which outlines match in the boundary F measure, as a share of the "
        "diagonal (default: 0.008; can be repeated)",
    )
    parser.add_argument(
        "--by",
        choices=_GROUPINGS,
        action="append",
        help="group by this only (can be repeated; default: scene, persons, phase, subset and size "
        "of person)",
    )
    parser.add_argument(
        "--to", type=_parquet, metavar="FILE", help="write the counts of each sample (.parquet)"
    )
    parser.add_argument(
        "--compare",
        type=_parquet,
        metavar="FILE",
        help="compare with another run, on the samples that both have: counts that --to wrote",
    )
    parser.add_argument(
        "--html", type=_page, metavar="FILE", help="write a page with pictures of the worst samples"
    )
    add_open(parser)
    parser.add_argument(
        "--worst",
        type=_number,
        default=_WORST,
        metavar="N",
        help=f"samples with the lowest IoU to list (default: {_WORST})",
    )
    parser.add_argument(
        "--fetch", action="store_true", help="download masks that are not on this machine"
    )
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number above 0 and up to 1")
    return value


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number from 0 to 1,000")
    return int(text)


def _parquet(text: str) -> Path:
    if not text.lower().endswith(".parquet"):
        raise argparse.ArgumentTypeError(f"{text!r}: end the name with .parquet")
    return Path(text)


def _page(text: str) -> Path:
    if not text.lower().endswith(".html"):
        raise argparse.ArgumentTypeError(f"{text!r}: end the name with .html")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Count, measure, compare, and print."""
    from sceneset.cli.evaluation_output import print_evaluation
    from sceneset.cli.output import print_json, say

    _check(args)
    is_counted = args.predictions is not None and args.predictions.lower().endswith(".parquet")
    found = _from_counts(args) if is_counted else _Run(args).evaluate()
    if args.to:
        from sceneset.evaluation.counts import write_counts

        write_counts(args.to, found.counts)
        say(f"counts written to {args.to}", style="green")
    if args.json:
        print_json(found.as_json())
    else:
        print_evaluation(found)
    return FINDINGS if found.has_problems else FINE


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not fit together, and put the first scene of --against in place."""
    if args.against is not None:
        if args.predictions is not None:  # with --against, there are only scenes
            args.scene = [args.predictions, *args.scene]
            args.predictions = None
        if args.images or args.ending or args.threshold or args.values != "auto":
            raise UsageError(
                "--images, --ending, --threshold and --values are about predictions in files; "
                "leave them out with --against"
            )
    elif args.predictions is None:
        raise UsageError("name a folder of predictions or a results file, or use --against REV")
    if args.open and not args.html:
        raise UsageError("--open opens the file of --html; add --html FILE")


def _from_counts(args: argparse.Namespace) -> "Evaluation":
    """Return the evaluation of counts that an earlier run wrote."""
    from sceneset.evaluation.counts import read_counts

    chosen = [args.scene, args.persons, args.phase, args.subset, args.rev, args.html, args.to]
    chosen += [args.band, args.radius, args.ending, args.images, args.threshold]
    if any(chosen) or args.values != "auto":
        raise UsageError(
            f"{args.predictions} has the counts of an earlier run; only --compare, --empty, --by, "
            "--worst and --json can be used with it"
        )
    return _measured(args, read_counts(Path(args.predictions)))


def _measured(args: argparse.Namespace, counts: Any) -> "Evaluation":
    """Return the measures of counts, and the difference to --compare."""
    from sceneset.cli.output import say
    from sceneset.evaluation.counts import read_counts
    from sceneset.evaluation.measures import Empty
    from sceneset.evaluation.report import difference_to, evaluate

    by = args.by or _GROUPINGS
    empty = Empty(args.empty)
    found = evaluate(counts, empty=empty, by=by, worst=args.worst)
    if args.compare and not found.compared:
        say("no sample was compared, so there is no difference to another run", style="yellow")
    elif args.compare:
        other = read_counts(args.compare)
        found.difference = difference_to(counts, other, empty=empty, by=by)
    return found


class _Run:
    """One evaluation of predictions or of another version."""

    def __init__(self, args: argparse.Namespace) -> None:
        from sceneset.versions.local_files import LocalFiles

        self.args = args
        self.catalog = open_catalog(args)
        self.samples = self._select()
        self.files = LocalFiles(self.catalog)
        if args.html:
            from sceneset.evaluation.page import GENERATOR

            _check_page(args.html, self.catalog, GENERATOR)

    def _select(self) -> "list[ExportSample]":
        """Return the selected samples; those that are withdrawn or restricted are left out."""
        from sceneset.catalog.query import resolve_query
        from sceneset.cli.output import say
        from sceneset.counts import counted
        from sceneset.errors import NothingFoundError
        from sceneset.exports.selection import select_samples
        from sceneset.versions.foreign import restrictions_of

        query = resolve_query(self.catalog, **query_options(self.args))
        left_out = restrictions_of(self.catalog, internal=self.args.internal)
        selection = select_samples(self.catalog, query, left_out)
        if selection.withdrawn:
            number = len(selection.withdrawn)
            text = counted(number, "withdrawn sample was", "withdrawn samples were")
            say(f"{text} left out", style="yellow")
        if selection.restricted:
            number = len(selection.restricted)
            text = counted(number, "sample for internal use was", "samples for internal use were")
            say(f"{text} left out; --internal includes them, if you may", style="yellow")
        if not selection.samples:
            raise NothingFoundError("no sample matches, so there is nothing to evaluate")
        self.version = selection.version
        return selection.samples

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
        found = _measured(args, counts)
        found.matches, found.other_files = predictions.matches, predictions.other_files
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
        from sceneset.cli.output import progress, say
        from sceneset.cli.picture_sheets import language, open_page, warn_if_committed
        from sceneset.evaluation.page import evaluation_page
        from sceneset.evaluation.pictures import draw_worst
        from sceneset.storage.files import atomic_write

        by_key = {sample.key: sample for sample in self.samples}
        worst = [by_key[sample.key] for sample in found.worst]
        if self.args.fetch:
            self._fetch([(one.image_path, one.image_md5) for one in worst], self.files)
        pictures = draw_worst(worst, predictions, self.files, self.catalog, progress=progress)
        text = evaluation_page(found, pictures, language())
        with atomic_write(self.args.html, fsync=False) as temporary:
            temporary.write_text(text, "utf-8")
        say(f"page written to {self.args.html}", style="green")
        warn_if_committed(self.args.html)
        if self.args.open:
            open_page(self.args.html)


def _check_page(path: Path, catalog: "Catalog", generator: str) -> None:
    """Refuse a file that the page must not replace."""
    from sceneset.paths import DATA_ROOT

    for folder in (catalog.project / DATA_ROOT, catalog.project / "registry"):
        if path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{path} is inside {folder}; write the page to another folder")
    if path.exists():
        start = b""
        if path.is_file():
            with path.open("rb") as file:
                start = file.read(4096)
        if generator.encode() not in start:
            raise UsageError(
                f"{path} exists and was not written by `sceneset evaluate`; use another file"
            )
