"""Draw the masks of samples in threads, as PNG files of the registry."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.subset_folder import Key, printable
from sceneset.errors import UndecodableError
from sceneset.formats.drawings import StoredDrawings
from sceneset.formats.mask_values import count_instances, from_segments, mapped
from sceneset.formats.tree import Tree
from sceneset.formats.types import FormatSample, Mapping, MaskFile, Options
from sceneset.imaging.draw import draw
from sceneset.imaging.frame import image_frame, resized_mask, save_mask, stored_from_shown
from sceneset.imaging.mask_file import read_colour_ids, read_values
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.imaging.shapes import Drawing
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.params import Limits
from sceneset.threads import map_in_threads

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]


class Job(NamedTuple):
    """A mask to draw."""

    sample: FormatSample
    """Its mask is a MaskFile, or an empty drawing in place of that in ``place``."""
    place: int | None
    """The place of the drawing, if the mask is one."""
    key: Key
    target: Path


class DrawnSample(NamedTuple):
    """The result of a job."""

    persons: int | None
    changes: tuple[str, ...]
    error: Finding | None = None


class SampleDrawer:
    """Draws the masks of samples in threads; decoders and encoders release the interpreter."""

    def __init__(
        self, tree: Tree, options: Options, limits: Limits, mapping: Mapping | None
    ) -> None:
        self.tree, self.options, self.limits, self.mapping = tree, options, limits, mapping

    def run(self, jobs: Iterable[Job], drawings: StoredDrawings) -> Iterator[DrawnSample]:
        """Yield the results in the order of the jobs."""
        tasks = (
            (job, job.sample.mask if job.place is None else drawings.read(job.place))
            for job in jobs
        )
        with no_warnings():
            yield from map_in_threads(self._draw, tasks)

    def _draw(self, task: tuple[Job, Drawing | MaskFile]) -> DrawnSample:
        job, given = task
        sample, (phase, stem) = job.sample, job.key

        def error(code: str, message: str, file: str, hint: str) -> DrawnSample:
            found = finding(
                code, message, file=printable(file), hint=hint, phase=phase, stem=printable(stem)
            )
            return DrawnSample(None, (), found)

        try:
            size, orientation = image_frame(self.tree.path(sample.image), self.limits)
        except UndecodableError as problem:
            return error(problem.code, problem.message, sample.image, problem.hint)
        try:
            mask, persons = self._mask(sample, given, size, orientation)
        except UndecodableError as problem:
            return error(problem.code, problem.message, sample.annotation, problem.hint)
        except ValueError as problem:
            hint = "correct the annotation, or leave the sample out with --quarantine"
            return error("annotation-broken", str(problem), sample.annotation, hint)
        changes = []
        has_size = not isinstance(given, Drawing) or given.size is not None
        turned = self._is_annotated_as_shown(mask.shape if has_size else None, size, orientation)
        if turned is None:
            return error(
                "format-unclear",
                f"the image has EXIF orientation {orientation}, and the size does not show whether "
                "the annotation fits the pixels as stored or as shown",
                sample.image,
                "say it with --annotated-as stored or --annotated-as shown",
            )
        if turned:
            mask = stored_from_shown(mask, orientation)
            changes.append(f"mask turned (orientation {orientation})")
        if mask.shape != size[::-1]:
            was = f"{mask.shape[1]} x {mask.shape[0]}"
            if self.options.resize_masks != "nearest":
                return error(
                    "size-differs",
                    f"the mask is {was}, the image {size[0]} x {size[1]}",
                    sample.annotation,
                    "ask for masks at the size of the images, or use --resize-masks nearest",
                )
            mask = resized_mask(mask, size)
            changes.append(f"mask resized from {was}")
        save_mask(job.target, mask)
        return DrawnSample(persons, tuple(changes))

    def _mask(
        self,
        sample: FormatSample,
        given: Drawing | MaskFile,
        size: tuple[int, int],
        orientation: int,
    ) -> tuple["Mask", int | None]:
        if isinstance(given, Drawing):
            annotated = given.size
            if annotated is None:
                is_shown = self.options.annotated_as == "shown" and STEPS[orientation][0]
                annotated = size[::-1] if is_shown else size
            if min(annotated) < 1 or annotated[0] * annotated[1] > self.limits.max_pixels:
                raise ValueError(f"names an impossible size: {annotated[0]} x {annotated[1]}")
            return draw(given, *annotated), None
        file, max_pixels = given, self.limits.max_pixels
        path = self.tree.path(file.path)
        persons = None
        if file.segments is not None:
            ids = read_colour_ids(path, max_pixels)
            mask = from_segments(ids, file.segments, needs_all=sample.persons is not None)
        else:
            mapping = self.options.mapping or file.mapping or self.mapping
            mask, persons = mapped(read_values(path, max_pixels), mapping, self.options)
        if file.instances:
            persons = count_instances(read_values(self.tree.path(file.instances), max_pixels), mask)
        return mask, persons

    def _is_annotated_as_shown(
        self, shape: tuple[int, ...] | None, size: tuple[int, int], orientation: int
    ) -> bool | None:
        """Return whether an annotation fits the picture as shown; None if this is not clear."""
        if orientation == 1:
            return False
        if self.options.annotated_as:
            return self.options.annotated_as == "shown"
        is_transposed = STEPS[orientation][0] and size[0] != size[1]
        if is_transposed and shape == size[::-1]:
            return False
        if is_transposed and shape == size:
            return True
        return None
