"""Convert a delivery in an annotation format into samples of the registry.

Masks are drawn as PNG files into a work folder; images are used where they are. Nothing is written
into the delivery. The result is then checked like any other delivery.

The shapes of a sample are not kept in memory: names and suffixes depend on all samples, so all are
read before the first is drawn.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.subset_folder import IMAGE_SUFFIXES, Key, Layout, printable
from sceneset.errors import UndecodableError
from sceneset.formats.drawings import StoredDrawings
from sceneset.formats.json_files import forget_json
from sceneset.formats.mask_values import count_instances, from_segments, mapped, survey_of
from sceneset.formats.names import stems_of
from sceneset.formats.own_labels import labels_of_files
from sceneset.formats.tree import Tree, suffix_of
from sceneset.formats.types import Format, FormatSample, Labels, Mapping, MaskFile, Options
from sceneset.imaging.draw import draw
from sceneset.imaging.frame import image_frame, resized_mask, save_mask, stored_from_shown
from sceneset.imaging.mask_file import read_colour_ids, read_values
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.imaging.shapes import Drawing
from sceneset.progress import Progress
from sceneset.schemas.delivered import Delivered
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.params import Limits
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_BATCH = 256  # samples that are drawn at a time; limits the shapes held in memory
_NO_DRAWING = Drawing(())
_JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".insp"}


@dataclass
class Converted:
    """A delivery as samples of the registry."""

    layout: Layout
    tags: list[Tag] = field(default_factory=list)
    delivered: dict[Key, Delivered] = field(default_factory=dict)
    """Where each sample comes from."""
    says: list[str] = field(default_factory=list)
    """What was concluded from the delivery, for the user to check."""
    scene_words: dict[Key, tuple[str, ...]] = field(default_factory=dict)

    def located(self, p: Finding) -> Finding:
        """Return a finding with the files of the delivery in place of those that were drawn."""
        origin = self.delivered.get((Phase(p.phase), p.stem)) if p.stem and p.phase else None
        if origin is None or not p.file:
            return p
        is_mask = p.file.startswith("ann_dir/") or p.file.endswith(f"/{p.phase}/{p.stem}.png")
        shown = origin.image if p.file == origin.image or not is_mask else origin.annotation
        return p.model_copy(update={"file": printable(shown)})


class _Job(NamedTuple):
    """A mask to draw."""

    sample: FormatSample
    """Its mask is a MaskFile, or an empty drawing in place of that in ``place``."""
    place: int | None
    """The place of the drawing, if the mask is one."""
    key: Key
    target: Path


class _Drawn(NamedTuple):
    """The result of a job."""

    persons: int | None
    changes: tuple[str, ...]
    error: Finding | None = None


def convert(
    form: Format, tree: Tree, options: Options, work: Path, *, limits: Limits, progress: Progress
) -> Converted:
    """Convert a delivery.

    Args:
        form: The annotation format.
        tree: The files of the delivery.
        options: What the user says about it.
        work: An empty folder for the masks. It must exist as long as the result is used.
        limits: The largest sizes to decode.
        progress: Called with the samples.

    Raises:
        FindingsError: The delivery as a whole can't be read.
        UsageError: The format needs a library that is not installed.
    """
    done = Converted(Layout(tree.root))
    findings = done.layout.findings
    with StoredDrawings(work) as drawings:
        samples, places = _read(form.read(tree, options, findings.append), drawings)
        forget_json()
        exported = labels_of_files(tree)
        for sample in samples if exported else ():
            sample.labels = sample.labels or exported.get(sample.image)
        stems = stems_of(samples, tree)
        done.layout.img_suffix = options.img_suffix or _image_suffix(samples)
        mapping = _mapping(samples, tree, options, limits, done)
        if any(p.code == "format-unclear" for p in findings):
            return done
        jobs = [
            _Job(sample, place, (sample.phase, stem), work / f"{sample.phase}/{stem}.png")
            for sample, place, stem in zip(samples, places, stems, strict=True)
            if _has_good_suffix(sample, stem, done, options)
        ]
        for phase in {job.sample.phase for job in jobs}:
            (work / phase).mkdir(parents=True, exist_ok=True)
        converter = _Converter(tree, options, limits, mapping)
        drawn = converter.run(progress(jobs, len(jobs), "convert"), drawings)
        for job, result in zip(jobs, drawn, strict=True):
            _add(done, job, result, tree)
    return done


def _read(
    found: Iterable[FormatSample], drawings: StoredDrawings
) -> tuple[list[FormatSample], list[int | None]]:
    """Return the samples without their shapes, and the place of each drawing."""
    samples: list[FormatSample] = []
    places: list[int | None] = []
    for sample in found:
        place = None
        if isinstance(sample.mask, Drawing):
            place, sample.mask = drawings.add(sample.mask), _NO_DRAWING
        samples.append(sample)
        places.append(place)
    return samples, places


def _add(done: Converted, job: _Job, drawn: _Drawn, tree: Tree) -> None:
    sample, key = job.sample, job.key
    changes = list(drawn.changes)
    if (name := sample.image.rpartition("/")[2]) != f"{key[1]}{done.layout.img_suffix}":
        changes.insert(0, f"renamed from {name}")
    done.delivered[key] = Delivered(
        phase=key[0],
        stem=key[1],
        image=printable(sample.image),
        annotation=printable(sample.annotation),
        changes="; ".join(changes),
    )
    done.layout.images[key] = tree.path(sample.image)
    if sample.scenes:
        done.scene_words[key] = sample.scenes
    if drawn.error:
        done.layout.findings.append(drawn.error)
        return
    done.layout.masks[key] = job.target
    labels = sample.labels
    if labels is None:
        count = drawn.persons if drawn.persons is not None else sample.persons
        persons = _persons(count, has_crowd=sample.has_crowd)
        labels = Labels(persons, None if sample.has_crowd else count, sample.source)
    done.tags.append(Tag(phase=key[0], stem=key[1], **labels._asdict()))


def _persons(count: int | None, *, has_crowd: bool) -> Persons | None:
    if has_crowd or (count or 0) > 1:
        return Persons.MULTI
    return Persons.SINGLE if count == 1 else None


def _image_suffix(samples: Sequence[FormatSample]) -> str:
    counts = Counter(_registry_suffix(sample.image) for sample in samples)
    return max(IMAGE_SUFFIXES, key=lambda suffix: counts[suffix])


def _registry_suffix(image: str) -> str:
    suffix = suffix_of(image)
    return ".jpg" if suffix in _JPEG_SUFFIXES else suffix


def _has_good_suffix(sample: FormatSample, stem: str, done: Converted, options: Options) -> bool:
    suffix = _registry_suffix(sample.image)
    if suffix == done.layout.img_suffix:
        return True
    others = "images of the subset" if options.img_suffix else "most images of the delivery"
    done.layout.findings.append(
        finding(
            "suffix",
            f"is a {suffix} file, but {others} are {done.layout.img_suffix}; "
            "mmsegmentation reads images of one suffix",
            file=printable(sample.image),
            hint=f"convert it to {done.layout.img_suffix}, or deliver it as a subset of its own",
            phase=sample.phase,
            stem=stem,
        )
    )
    return False


def _mapping(
    samples: Sequence[FormatSample], tree: Tree, options: Options, limits: Limits, done: Converted
) -> Mapping | None:
    """Return what the values of mask files mean; report it if this is not clear."""
    files = [
        s.mask.path
        for s in samples
        if isinstance(s.mask, MaskFile) and not s.mask.mapping and s.mask.segments is None
    ]
    if not files or options.mapping or options.colours:
        return options.mapping
    survey = survey_of(((file, tree.path(file)) for file in files), limits.max_pixels)
    mapping = survey.mapping()
    if mapping is None and not (options.threshold and not survey.coloured):
        message, hint = survey.question()
        done.layout.findings.append(finding("format-unclear", message, hint=hint))
    elif mapping and mapping.person == {255}:
        done.says.append(
            f"255 is read as person: {survey.values[255]:,} of {survey.masks:,} masks use it, and "
            "none uses 1"
        )
    return mapping


class _Converter:
    """Draws the masks of samples in threads; decoders and encoders release the interpreter."""

    def __init__(
        self, tree: Tree, options: Options, limits: Limits, mapping: Mapping | None
    ) -> None:
        self.tree, self.options, self.limits, self.mapping = tree, options, limits, mapping

    def run(self, jobs: Iterable[_Job], drawings: StoredDrawings) -> Iterator[_Drawn]:
        """Yield the results in the order of the jobs."""
        iterator = iter(jobs)
        with no_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
            while batch := list(islice(iterator, _BATCH)):
                masks = [
                    job.sample.mask if job.place is None else drawings.read(job.place)
                    for job in batch
                ]
                yield from pool.map(self._draw, batch, masks)

    def _draw(self, job: _Job, given: Drawing | MaskFile) -> _Drawn:
        sample, (phase, stem) = job.sample, job.key

        def error(code: str, message: str, file: str, hint: str) -> _Drawn:
            found = finding(
                code, message, file=printable(file), hint=hint, phase=phase, stem=printable(stem)
            )
            return _Drawn(None, (), found)

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
        return _Drawn(persons, tuple(changes))

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
