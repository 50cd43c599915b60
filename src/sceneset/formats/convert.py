"""Convert a delivery in an annotation format into samples of the registry.

Masks are drawn as PNG files into a work folder; images are used where they are. Nothing is written
into the delivery. The result is then checked like any other delivery.

The shapes of a sample are not kept in memory: names and suffixes depend on all samples, so all are
read before the first is drawn.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.catalog.subset_folder import IMAGE_SUFFIXES, Key, Layout, printable
from sceneset.formats.draw_samples import DrawnSample, Job, SampleDrawer
from sceneset.formats.drawings import StoredDrawings
from sceneset.formats.json_files import forget_json
from sceneset.formats.mask_values import survey_of
from sceneset.formats.names import stems_of
from sceneset.formats.own_labels import labels_of_files
from sceneset.formats.tree import Tree, suffix_of
from sceneset.formats.types import Format, FormatSample, Labels, Mapping, MaskFile, Options
from sceneset.imaging.shapes import Drawing
from sceneset.progress import Progress
from sceneset.schemas.delivered import Delivered
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Limits
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

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
            Job(sample, place, (sample.phase, stem), work / f"{sample.phase}/{stem}.png")
            for sample, place, stem in zip(samples, places, stems, strict=True)
            if _has_good_suffix(sample, stem, done, options)
        ]
        for phase in {job.sample.phase for job in jobs}:
            (work / phase).mkdir(parents=True, exist_ok=True)
        converter = SampleDrawer(tree, options, limits, mapping)
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


def _add(done: Converted, job: Job, drawn: DrawnSample, tree: Tree) -> None:
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
