"""The steps of `sceneset crop`: read boxes and originals, cut, check, and add or write."""

import argparse
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from sceneset.cli.commands.add_report import report
from sceneset.cli.commands.format_options import format_of
from sceneset.cli.commands.sources import ask_on_terminal, find_catalog, open_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.cropping.detect import Detected
    from sceneset.cropping.originals import Original, Originals
    from sceneset.cropping.run import CropSet
    from sceneset.cropping.types import Refusal, Rules
    from sceneset.delivery.types import Delivery
    from sceneset.formats.types import Options


class RefusedError(Exception):
    """Nothing is written; the folder that was filled is deleted."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class CropJob:
    """One run of the command."""

    def __init__(self, args: argparse.Namespace, work: Path) -> None:
        """Open the registry of the source, and the one that gets the crops."""
        from sceneset.cli.crop_output import check_refused_file

        self.args, self.work = args, work
        self.is_subset = _is_subset(args)
        self.catalog: Catalog | None = open_catalog(args) if self.is_subset else None
        is_same = self.catalog is not None and (args.to or self.catalog.origin is None)
        self.home = self.catalog if self.catalog and is_same else find_catalog()
        if args.refused:
            check_refused_file(args.refused, self.home)

    def run_or_raise(self, folder: Path) -> None:
        """Do what ``run`` does; raise if nothing is to be written."""
        if code := self.run(folder):
            raise RefusedError(code)

    def run(self, folder: Path) -> int:
        """Fill the folder of a delivery, check it, and add it unless --to or --dry-run is given."""
        from sceneset.cli.crop_output import print_crops, say_refused, write_refused
        from sceneset.cli.output import progress
        from sceneset.cropping.run import checked_delivery, crop, write_texts

        args = self.args
        originals = self._originals()
        boxes = self._boxes(originals)
        found = crop(
            originals,
            boxes.by_original,
            folder,
            self._rules(),
            self.home,
            about=boxes.about,
            progress=progress,
        )
        found.others = boxes.others
        found.refused = sorted([*originals.refused, *boxes.refused, *found.refused], key=_order)
        write_refused(args, found)
        is_refused = not found.tags or (found.errors and not args.skip_bad)
        delivery = None
        if not is_refused:
            write_texts(
                found,
                originals,
                folder,
                name=args.name,
                suffix=self._suffix,
                catalog=self.home,
            )
            is_new = not args.to
            delivery = checked_delivery(folder, args.name, self.home, progress, is_new=is_new)
        if not args.json:
            print_crops(found)
        if delivery is None:
            say_refused(args, found)
            return FINDINGS
        return self._finish(found, delivery)

    def say_written(self) -> int:
        """Say that the folder is complete, and how it is registered."""
        from sceneset.cli.output import say

        args = self.args
        if not args.json:
            say(f"crops written to {args.to}. To register them:", style="green")
            folder, entry, tags = (
                quote(str(path)) for path in (args.to, args.to / "entry.yaml", args.to / "tags.csv")
            )
            say(
                f"  sceneset add {folder} --name {args.name} --kind crop --entry {entry} "
                f"--tags {tags}"
            )
        return FINE

    def _options(self) -> "Options":
        """Return how annotations and class names are read."""
        from sceneset.formats.types import Options
        from sceneset.schemas.terms import fold_name

        args = self.args
        names = frozenset(map(fold_name, args.person))
        if not self.is_subset:
            return Options(names=names)
        given = [o for n, o in _DELIVERY_OPTIONS.items() if getattr(args, n)]
        if given:
            raise UsageError(f"{given[0]} is about a delivery; SOURCE is a registered subset")
        return Options(names=names)

    def _boxes(self, originals: "Originals") -> "Detected":
        """Return the boxes of each image, from a file or by a detector."""
        args, options = self.args, self._options()
        if args.detector:
            return self._detected(originals, options)
        from sceneset.cropping.box_file import read_boxes
        from sceneset.cropping.detect import Detected
        from sceneset.cropping.match import match
        from sceneset.formats.tree import phase_of

        boxes = read_boxes(args.boxes, args.images, options)
        matched = match(boxes, originals.images, hint=phase_of(args.boxes.name))
        if boxes.images and originals.images and not matched.by_original:
            raise UsageError(
                f"{args.boxes}: none of its {len(boxes.images):,} image names is one of the "
                f"source, for example {next(iter(boxes.images))[:80]}; the source has for example "
                f"{originals.images[0].names[0]}"
            )
        self._fetch([one for one in originals.images if matched.by_original.get(one.key)])
        return Detected(boxes.about, matched.by_original, matched.refused, boxes.others)

    def _detected(self, originals: "Originals", options: "Options") -> "Detected":
        from sceneset.cli.output import progress
        from sceneset.cropping.detect import Choice, detect

        args = self.args
        numbers = [int(name) for name in options.names if name.isascii() and name.isdigit()]
        self._fetch(originals.images)
        choice = Choice(
            args.detector,
            args.decoder,
            args.prepare,
            args.model_license,
            numbers[0] if numbers else None,
            self._rules().min_score,
        )
        return detect(originals, choice, self.home.params.limits, progress=progress)

    def _originals(self) -> "Originals":
        if self.catalog is None:
            return self._delivered()
        from sceneset.catalog.query import resolve_query
        from sceneset.cropping.registered import RegisteredSubset
        from sceneset.schemas.provenance import Restriction

        [name] = resolve_query(self.catalog, subsets=[_subset_name(self.args.source)]).subsets
        left_out = set(Restriction) - ({Restriction.INTERNAL} if self.args.internal else set())
        self.subset = RegisteredSubset(self.catalog, name, left_out)
        return self.subset.originals

    def _delivered(self) -> "Originals":
        """Read a delivery as `sceneset add` does."""
        from sceneset.cli.output import progress, say
        from sceneset.cropping.delivered import delivered_originals
        from sceneset.delivery.types import Request
        from sceneset.formats.archives import open_archives
        from sceneset.schemas.terms import Kind

        args = self.args
        args.delivery = Path(args.source)
        opened = open_archives(args.delivery.resolve(), self.work / "archives", progress=progress)
        form, options, reason = format_of(args, opened, self.work / "files")
        if reason and not args.json:
            say(reason)
        drawn = self.work / "drawn"
        drawn.mkdir()
        request = Request(
            opened.root,
            args.name,
            Kind.FULL,
            quarantine=True,
            form=form,
            options=options,
            work=drawn,
            opened=opened,
        )
        return delivered_originals(request, self.home, progress)

    def _fetch(self, images: "Sequence[Original]") -> None:
        """Download the files of originals, if --fetch is given."""
        from sceneset.cli.output import progress, say

        if not self.args.fetch or self.catalog is None:
            return
        subset = self.subset
        wanted = [file for original in images for file in subset.files_of(original)]
        subset.files.fetch(
            wanted, remote=self.args.remote, ask=ask_on_terminal, notify=say, progress=progress
        )

    def _rules(self) -> "Rules":
        from sceneset.cropping.types import Rules

        args, params = self.args, self.home.params
        given = {name: getattr(args, name) for name in params.crops.model_fields_set | _RULES}
        values = params.crops.model_dump() | {n: v for n, v in given.items() if v is not None}
        return Rules(
            **values,
            max_overlap=params.kinds.max_overlap,
            refuse_others=args.others == "refuse",
            boxes_as=args.boxes_as,
            jpeg_quality=args.jpeg,
        )

    @property
    def _suffix(self) -> str:
        return ".jpg" if self.args.jpeg else ".png"

    def _finish(self, found: "CropSet", delivery: "Delivery") -> int:
        """Add the crops, unless they have errors, are a trial, or go to a folder."""
        from sceneset.cli.crop_output import crops_json
        from sceneset.cli.findings import View, print_findings
        from sceneset.cli.output import print_json, progress, say
        from sceneset.edits.ingest import ingest
        from sceneset.schemas.finding import errors_of

        args = self.args
        errors = errors_of(delivery.findings)
        is_done = not errors and not args.dry_run
        if not args.json:
            print_findings(delivery.findings, view=View.of(args))
        if is_done and not args.to:
            ingest(self.home, delivery, progress=progress, notify=say)
        if args.json:
            print_json(crops_json(args.name, found, delivery, is_done=is_done))
        elif not args.to or errors or args.dry_run:
            args.quarantine = None
            report(self.home, args, delivery, is_added=is_done, errors=errors)
        return FINDINGS if errors else FINE


_RULES = {"grow", "max_iou", "min_gap", "min_side", "min_score"}
_DELIVERY_OPTIONS = {
    "format": "--format",
    "value_map": "--map",
    "crowd": "--crowd",
    "annotated_as": "--annotated-as",
    "resize_masks": "--resize-masks",
    "threshold": "--threshold",
}


def _is_subset(args: argparse.Namespace) -> bool:
    """Return whether SOURCE names a registered subset and not the path of a delivery."""
    from sceneset.cropping.registered import is_in_registry

    text = args.source
    if args.rev is not None or args.repo != ".":
        return True
    is_path = "/" in text or text in {".", ".."}
    return is_in_registry(text) or not (is_path or Path(text).exists())


def _subset_name(text: str) -> str:
    """Return the name in a path of a subset's folder, which the shell completes."""
    return text.rstrip("/").rpartition("/")[2]


def _order(refusal: "Refusal") -> tuple[str, str, str, str]:
    return (refusal.image, str(refusal.reason), refusal.place, refusal.detail)
