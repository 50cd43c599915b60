"""Draw pictures of what changed between two states.

Only the files of the changes that are shown are read. The pictures are drawn in threads; the
decoders release Python's lock.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.errors import BlobError, FindingsError, UndecodableError
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.reporting.changed_files import ChangedFiles
from sceneset.reporting.chosen_changes import LIMIT, ChosenGroup, choose_changes
from sceneset.reporting.contact_sheet import TEXTS, Translate, persons_text, reason_of
from sceneset.reporting.picture_diff import PAIRS, Photo, PictureChange, PictureDiff, PictureGroup
from sceneset.schemas.params import Limits
from sceneset.schemas.provenance import Restriction
from sceneset.threads import map_in_threads
from sceneset.versions.changed_samples import Sample
from sceneset.versions.diff import Change, ChangeKind
from sceneset.versions.foreign import Ask, never
from sceneset.versions.mask_iou import Overlap

if TYPE_CHECKING:
    from sceneset.imaging.mask_change import Side
    from sceneset.imaging.overlay import Overlay

PAIR_SIDE = 640
GRID_SIDE = 320
"""Longer side of a picture in pixels: of a changed mask or image, and of other changes."""
_QUALITY = 75


def draw_diff(
    old: Catalog,
    new: Catalog,
    changes: Sequence[Change],
    overlaps: Sequence[Overlap],
    *,
    limit: int = LIMIT,
    left_out: Collection[Restriction] = (),
    fetch: bool = False,
    language: str = "en",
    translate: Translate = str,
    ask: Ask = never,
    notify: Notify = no_notice,
    progress: Progress = no_progress,
) -> PictureDiff:
    """Return pictures of the changes between two states.

    Args:
        old: The state before.
        new: The state after.
        changes: All changes.
        overlaps: The IoU of the changed masks; those with the lowest one are shown.
        limit: Changes of each kind that are shown.
        left_out: Samples with one of these restrictions are not shown.
        fetch: Download the files of the shown changes that are not on this machine.
        language: "en" or "zh".
        translate: Translates messages about files that are not shown.
        ask: Asks whether to trust the remote of a registry opened by URL.
        notify: Called with the options of such a registry's configuration that are ignored.
        progress: Called with the files and the pictures.

    Raises:
        FindingsError: A file of a registry can't be read.
        DvcError: ``fetch`` is set and the remote can't be reached.
    """
    groups = choose_changes(old, new, changes, overlaps, limit=limit, left_out=left_out)
    shown = [change for group in groups for change in group.changes]
    files = ChangedFiles(old, new)
    fetched = 0
    if fetch:
        fetched = files.fetch(shown, ask=ask, notify=notify, progress=progress)
    painter = _Painter(
        files, new.params.limits, {id(o.change): o.iou for o in overlaps}, language, translate
    )
    with no_warnings():
        drawn = list(progress(map_in_threads(painter.draw, shown), len(shown), "draw"))
    remaining = iter(drawn)
    return PictureDiff(
        [_group(group, islice(remaining, len(group.changes))) for group in groups],
        masks=sum(change.kind is ChangeKind.MASK for change in changes),
        compared=sum(overlap.iou is not None for overlap in overlaps),
        fetched=fetched,
    )


def _group(group: ChosenGroup, items: Iterable[PictureChange]) -> PictureGroup:
    return PictureGroup(group.kind, list(items), group.total, group.withdrawn, group.restricted)


@dataclass(frozen=True)
class _Painter:
    files: ChangedFiles
    limits: Limits
    ious: dict[int, float | None]
    language: str
    translate: Translate

    def draw(self, change: Change) -> PictureChange:
        """Return the pictures of a change."""
        item = PictureChange(
            change.kind,
            printable(str(change.sample.place)),
            printable(str(change.old.place))
            if change.old and change.old.place != change.sample.place
            else "",
            tuple(self._facts(change)),
            self.ious.get(id(change)),
        )
        if change.kind in PAIRS:
            return self._pair(change, item)
        problems: list[str] = []
        side = self._side(change, problems, is_new=change.new is not None)
        photo = self._photo(side, GRID_SIDE, problems) if side else None
        before, after = (None, photo) if change.new else (photo, None)
        return replace(item, before=before, after=after, problems=tuple(problems))

    def _pair(self, change: Change, item: PictureChange) -> PictureChange:
        from sceneset.imaging.mask_change import draw_change

        problems: list[str] = []
        new = self._side(change, problems, is_new=True)
        old = self._side(change, problems, is_new=False)
        if new and old:
            try:
                drawn = draw_change(old, new, PAIR_SIDE, self.limits)
            except UndecodableError:
                pass  # one of the two images; the other one is shown
            else:
                after = encoded(drawn.after)
                same = drawn.before.photo is drawn.after.photo
                before = encoded(drawn.before, after if same else None)
                reasons = (drawn.before.problem, drawn.after.problem, drawn.problem)
                problems += [self._problem("mask", reason) for reason in reasons if reason]
                return replace(
                    item,
                    before=before,
                    after=after,
                    marks=drawn.marks_png(),
                    counts=drawn.counts,
                    box=drawn.box,
                    problems=tuple(dict.fromkeys(problems)),
                )
        return replace(
            item,
            before=self._photo(old, PAIR_SIDE, problems) if old else None,
            after=self._photo(new, PAIR_SIDE, problems) if new else None,
            problems=tuple(dict.fromkeys(problems)),
        )

    def _side(self, change: Change, problems: list[str], *, is_new: bool) -> "Side | None":
        """Return the files of a change on one side, or None if the image can't be read."""
        from sceneset.imaging.mask_change import Side

        try:
            image, suffix = self.files.image(change, is_new=is_new)
        except (BlobError, FindingsError) as error:
            problems.append(self._problem("image", reason_of(error)))
            return None
        try:
            return Side(image, suffix, self.files.mask(change, is_new=is_new))
        except (BlobError, FindingsError) as error:
            return Side(image, suffix, None, reason_of(error))

    def _photo(self, side: "Side", longest: int, problems: list[str]) -> Photo | None:
        from sceneset.imaging.overlay import draw_overlay

        try:
            overlay = draw_overlay(side.image, side.suffix, side.mask, longest, self.limits)
        except UndecodableError as error:
            problems.append(self._problem("image", error.message))
            return None
        if reason := overlay.problem or side.problem:
            problems.append(self._problem("mask", reason))
        return encoded(overlay)

    def _problem(self, name: str, message: str) -> str:
        colon = "：" if self.language == "zh" else ": "
        return f"{TEXTS[name].text(self.language)}{colon}{self.translate(message)}"

    def _facts(self, change: Change) -> Iterator[str]:
        after = self._scenes(change.sample)
        if change.kind is ChangeKind.SCENES and change.old:
            yield f"{self._scenes(change.old)} → {after}"
        else:
            yield after

    def _scenes(self, sample: Sample) -> str:
        by_key = self.files.vocabulary
        names = []
        for text in sample.scenes:
            key, _, persons = text.partition(":")
            name = by_key[key].name.text(self.language) if key in by_key else key
            words = persons_text(persons or None, self.language)
            names.append(" ".join(filter(None, (name, words))))
        return printable(", ".join(names))


def encoded(overlay: "Overlay", same: Photo | None = None) -> Photo:
    """Return a picture as files; ``same`` has the photo already."""
    from sceneset.imaging.encode import photo_webp

    height, width = overlay.photo.shape[:2]
    webp = same.webp if same else photo_webp(overlay.photo, _QUALITY)
    return Photo(width, height, webp, overlay.paints_png())
