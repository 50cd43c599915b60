"""CVAT: images and video tracks in XML 1.1.

Source of the form: docs.cvat.ai, "CVAT for image" and "CVAT for video". Polygons are drawn as
CVAT's own export of masks draws them, by pycocotools.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sceneset.errors import FindingsError, fail
from sceneset.formats.classes import Classes
from sceneset.formats.cvat_elements import Task, drawn_shape, task_of, whole_number
from sceneset.formats.image_json import Used, ignored_shapes, missing_image
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import FormatSample, Options, Report
from sceneset.formats.xml_files import Element, elements_of, root_of
from sceneset.imaging.shapes import BACKGROUND, PERSON, Broken, Drawing, Shape
from sceneset.schemas.finding import finding
from sceneset.schemas.terms import Phase

_WITH_AREA = {"polygon", "mask", "ellipse"}
_WITHOUT_AREA = {"box", "polyline", "points", "cuboid", "skeleton"}
_LOOKED_AT = 8  # XML files, to recognize the format
_MAX_FRAMES = 10_000_000
_FRAME = re.compile(r"frame_([0-9]{6,9})")


class _Cvat:
    name = "cvat"
    title = "CVAT XML"
    loses = "boxes, lines, points"

    def detect(self, tree: Tree) -> str | None:
        for file in tree.with_suffix(".xml")[:_LOOKED_AT]:
            root, children = root_of(tree.path(file))
            if root == "annotations" and {"version", "meta", "image", "track"} & set(children):
                kind = "tracks" if "track" in children else "images"
                return f"{file} has annotations of {kind}"
        return None

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        classes, used = Classes(options), Used(tree, report)
        problems = []
        for file in tree.with_suffix(".xml"):
            if root_of(tree.path(file))[0] not in {"annotations", ""}:
                continue  # XML of something else; what is no XML is reported
            reader = _File(file, tree, classes, used, report)
            try:
                for element in elements_of(tree.path(file), file):
                    yield from reader.take(element)
            except FindingsError as error:
                problems += error.findings
                continue
            yield from reader.frames()
        if problems:
            raise FindingsError(problems)
        classes.check(tree.root.name)
        used.report_lone_images()


@dataclass
class _Shape:
    """A shape of an image, or of a track in one frame."""

    element: Element
    label: str
    track: int
    """Number of the shape in its image, or of the track."""
    group: str
    """Shapes of one group are one person; "0" is no group."""


class _File:
    """One XML file."""

    def __init__(self, file: str, tree: Tree, classes: Classes, used: Used, report: Report) -> None:
        self.file, self.tree, self.classes = file, tree, classes
        self.used, self.report = used, report
        self.task = Task()
        self.images = 0
        self.tracks: list[list[_Shape]] = []

    def take(self, element: Element) -> Iterator[FormatSample]:
        """Take a child of the root, and yield its sample if it is an image."""
        if element.name == "meta":
            self.task = task_of(element)
            for head in ("task", "project", "job"):
                if labels := element.find(head, "labels"):
                    self.classes.declare(label.words("name") for label in labels.children)
        elif element.name == "image":
            yield from self._image(element)
        elif element.name == "track":
            label, number = element.attributes.get("label", ""), len(self.tracks) + 1
            group = element.attributes.get("group_id", "0")
            if label:
                self.tracks.append(
                    [_Shape(child, label, number, group) for child in element.children]
                )
            else:
                self._broken(element, "a track has no label")

    def _broken(self, element: Element, message: str) -> None:
        self.report(
            finding(
                "annotation-broken",
                message,
                file=self.file,
                row=element.line,
                hint="correct the file, or export it again",
            )
        )

    def _image(self, element: Element) -> Iterator[FormatSample]:
        name = element.attributes.get("name", "")
        image = self.tree.find(name, near=self.file) if name else None
        if image is None:
            missing_image(name, self.file, self.report)
            return
        self.images += 1
        place = f"{self.file} (image {self.images}, line {element.line})"
        if not self.used.add(image, place):
            return
        shapes = [
            _Shape(
                child,
                child.attributes.get("label", ""),
                number,
                child.attributes.get("group_id", "0"),
            )
            for number, child in enumerate(element.children, 1)
            if child.name != "tag"
        ]
        tags = [c.attributes.get("label", "") for c in element.children if c.name == "tag"]
        width, height = (whole_number(element.attributes.get(key)) for key in ("width", "height"))
        subset = phase_of(element.attributes.get("subset", ""))
        sample = self._sample(image, place, shapes, (width, height), subset)
        sample.source = self.task.names.get(element.attributes.get("task_id", ""), self.task.name)
        sample.scenes = tuple(filter(None, tags))
        yield sample

    def frames(self) -> Iterator[FormatSample]:
        """Yield the frames of the tracks."""
        if not self.tracks:
            return
        by_frame: dict[int, list[_Shape]] = defaultdict(list)
        gaps: dict[int, int] = {}
        last = -1
        for shapes in self.tracks:
            last = max(last, self._add_track(shapes, by_frame, gaps))
        images = self._images_by_frame()
        for frame in sorted(by_frame.keys() - images.keys()):
            missing_image(f"frame_{frame:06}.png", self.file, self.report)
        for frame, image in sorted(images.items()):
            place = f"{self.file} (frame {frame})"
            if frame > max(last, self.task.frames - 1):
                report_lone_files([image], (), self.report)
            if not self.used.add(image, place) or frame > max(last, self.task.frames - 1):
                continue
            sample = self._sample(image, place, by_frame[frame], self.task.size, None)
            sample.source = self.task.name
            if frame in gaps and isinstance(sample.mask, Drawing):
                message = f"track {gaps[frame]} has no shape in frame {frame}, but before and after"
                sample.mask = Drawing((Broken(message),), sample.mask.size)
            yield sample

    def _add_track(
        self, shapes: list[_Shape], by_frame: dict[int, list[_Shape]], gaps: dict[int, int]
    ) -> int:
        """Sort the shapes of a track by frames; return the last frame."""
        own: dict[int, _Shape | None] = {}
        for shape in shapes:
            frame = whole_number(shape.element.attributes.get("frame"))
            if not 0 <= frame < _MAX_FRAMES:
                self._broken(shape.element, "a shape of a track has no frame")
            elif frame in own:
                self._broken(shape.element, f"a track has two shapes in frame {frame}")
            else:
                is_outside = shape.element.attributes.get("outside") == "1"
                own[frame] = None if is_outside else shape
        before: int | None = None
        for frame, found in sorted(own.items()):
            if before is not None:
                # CVAT writes every frame; what is missing was never exported.
                gaps.update(dict.fromkeys(range(before + 1, frame), shapes[0].track))
            before = frame if found else None
            if found:
                by_frame[frame].append(found)
        return max(own, default=-1)

    def _images_by_frame(self) -> dict[int, str]:
        """Return the frames near the file, which CVAT calls frame_000000.

        Other names are not numbered as the tracks are: 0001.jpg may be frame 0 or frame 1.
        """
        folder = self.file.rpartition("/")[0]
        images: dict[int, list[str]] = defaultdict(list)
        for image in self.tree.images:
            match = _FRAME.fullmatch(without_suffix(image.rpartition("/")[2]))
            if match and (not folder or image.startswith(f"{folder}/")):
                images[int(match[1])].append(image)
        twice = next((found for found in images.values() if len(found) > 1), None)
        if twice:
            fail(
                "format-unclear",
                f"two images can be the same frame of the tracks: {', '.join(twice[:3])}",
                file=self.file,
                hint="deliver each task in a folder of its own",
            )
        if not images:
            fail(
                "format-unclear",
                "has tracks, which count frames, but no image is called like frame_000000",
                file=self.file,
                hint='export the task as "CVAT for video 1.1" with its images, or as "CVAT for '
                'images 1.1"',
            )
        return {frame: found[0] for frame, found in images.items()}

    def _sample(
        self,
        image: str,
        place: str,
        shapes: list[_Shape],
        size: tuple[int, int] | None,
        subset: Phase | None,
    ) -> FormatSample:
        drawn: list[Shape] = []
        ignored: list[str] = []
        instances: dict[tuple[str, str], int] = {}
        persons = set()
        for shape in sorted(
            shapes, key=lambda s: whole_number(s.element.attributes.get("z_order"), 0)
        ):
            kind = shape.element.name
            if kind not in _WITH_AREA | _WITHOUT_AREA:
                drawn.append(Broken(f"the shape {kind[:40]!r} is unknown"))
                continue
            if not shape.label:
                drawn.append(Broken("a shape has no label"))
                continue
            value = self.classes.value(shape.label)
            if kind in _WITHOUT_AREA:
                ignored += [kind] * (value != BACKGROUND)
                continue
            has_group = shape.group not in {"", "0"}
            key = ("group", shape.group) if has_group else ("shape", str(shape.track))
            instance = instances.setdefault(key, len(instances) + 1)
            if value == PERSON:
                persons.add(instance)
            drawn.append(drawn_shape(shape.element, value, instance, size))
        phase = subset or phase_of(image) or phase_of(self.file) or Phase.TRAIN
        ignored_shapes(ignored, place, image, phase, self.report)
        return FormatSample(
            image=image,
            phase=phase,
            mask=Drawing(tuple(drawn), size),
            annotation=place,
            persons=len(persons),
        )


FORMAT = _Cvat()
