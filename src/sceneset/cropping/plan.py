"""Decide which boxes of an original are cut, before any pixel is decoded."""

from collections.abc import Sequence
from typing import NamedTuple

from sceneset.counts import counted
from sceneset.cropping.frames import (
    Candidate,
    OtherSizeError,
    UnclearFrameError,
    grown,
    parts_of,
    stored_sides,
)
from sceneset.cropping.originals import Original
from sceneset.cropping.separate import MAX_BOXES, closest_pair
from sceneset.cropping.types import Detection, Reason, Refusal, Rules


class Planned(NamedTuple):
    """The boxes of an original."""

    people: list[Candidate]
    """All boxes of single persons, from left to right; crops are numbered in this order."""
    cut: list[int]
    """The positions of those that are cut."""
    refused: list[Refusal]
    seams: int = 0
    """Number of boxes over the seam of a panorama, which count as two."""


def plan(original: Original, detections: Sequence[Detection], rules: Rules) -> Planned:
    """Return which boxes of an original are cut, and why others are not.

    Args:
        original: The image.
        detections: Its boxes, in any order.
        rules: Thresholds.
    """
    return _Planner(original, rules).plan(detections)


class _Planner:
    """Plans one original."""

    def __init__(self, original: Original, rules: Rules) -> None:
        self._original, self._rules = original, rules
        self._size = (original.width, original.height)
        self._refused: list[Refusal] = []

    def _refuse(self, reason: Reason, detection: Detection | None, detail: str) -> None:
        place = detection.place if detection else ""
        self._refused.append(Refusal(reason, self._original.shown, place, detail))

    def plan(self, detections: Sequence[Detection]) -> Planned:
        """Return what is cut."""
        if len(detections) > MAX_BOXES:
            detail = f"has {counted(len(detections), 'box', 'boxes')}, more than {MAX_BOXES:,}"
            self._refuse(Reason.MANY, None, detail)
            return Planned([], [], self._refused)
        candidates = [
            candidate
            for detection in self._without_repeated(detections)
            for candidate in self._candidates(detection)
        ]
        candidates.sort(key=lambda one: (one.detection.is_crowd, one.sides))
        people = [one for one in candidates if not one.detection.is_crowd]
        for one in candidates[len(people) :]:
            detail = "is around several people who are not counted"
            self._refuse(Reason.CROWD, one.detection, detail)
        seams = len({id(one.detection) for one in people if one.is_seam})
        if people and (pair := closest_pair(candidates, self._rules)):
            first, second = (candidates[n].detection.place for n in (pair.first, pair.second))
            detail = f"the people of {first} and {second} are not separate: {pair.detail}"
            self._refuse(pair.reason, None, detail)
            return Planned(people, [], self._refused, seams)
        cut = [number for number, one in enumerate(people) if self._is_large(one)]
        return Planned(people, cut, self._refused, seams)

    def _candidates(self, detection: Detection) -> list[Candidate]:
        """Return the parts of a box inside the picture; none if it is refused."""
        rules, size = self._rules, self._size
        if detection.score is not None and detection.score < rules.min_score:
            detail = f"has the score {detection.score:g}, below {rules.min_score:g}"
            self._refuse(Reason.LOW, detection, detail)
            return []
        try:
            sides = stored_sides(detection, self._original, rules.boxes_as)
        except OtherSizeError as error:
            self._refuse(Reason.OTHER_SIZE, detection, str(error))
            return []
        except UnclearFrameError as error:
            self._refuse(Reason.UNCLEAR, detection, str(error))
            return []
        parts = list(parts_of(sides, size))
        if not parts:
            words = " ".join(f"{side:.0f}" for side in sides)
            detail = f"is outside of the image, which has {size[0]} x {size[1]} pixels: {words}"
            self._refuse(Reason.OUTSIDE, detection, detail)
        is_seam = len(parts) > 1
        return [Candidate(p, grown(p, rules.grow, size), detection, is_seam) for p in parts]

    def _is_large(self, one: Candidate) -> bool:
        left, top, right, bottom = one.sides
        if min(right - left, bottom - top) >= self._rules.min_side:
            return True
        size = f"{right - left:.0f} x {bottom - top:.0f} pixels"
        detail = f"is {size}, a side below {self._rules.min_side}"
        self._refuse(Reason.SMALL, one.detection, detail)
        return False

    def _without_repeated(self, detections: Sequence[Detection]) -> list[Detection]:
        """Return the boxes without those that repeat one; the one with the best score stays."""
        best: dict[object, Detection] = {}
        for detection in sorted(detections, key=lambda one: -(one.score or 0)):  # stable
            digits = 5 if detection.is_relative else 2
            key = tuple(round(side, digits) for side in detection.sides)
            first = best.setdefault((key, detection.is_crowd), detection)
            if first is not detection:
                self._refuse(Reason.TWICE, detection, f"is the same box as {first.place}")
        return list(best.values())
