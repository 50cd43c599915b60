"""Find the image that a file of boxes names, among the originals.

An image fits a name if both have the same last part. If several do, the one with the longest common
end of the path counts, then the one of the phase that the name says (val2017/1.jpg). A name that
still fits several images is refused, not guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from sceneset.counts import counted
from sceneset.cropping.originals import Original
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.formats.tree import IMAGE_ENDINGS, phase_of
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase


@dataclass
class Matched:
    """The boxes of each original."""

    by_original: dict[tuple[Phase, str], list[Detection]] = field(default_factory=dict)
    """The boxes of each original that the file lists; perhaps none."""
    refused: list[Refusal] = field(default_factory=list)


def match(boxes: Boxes, images: Sequence[Original], *, hint: Phase | None = None) -> Matched:
    """Return the boxes of each image, and names that fit none or several.

    Args:
        boxes: The boxes.
        images: The originals.
        hint: The phase that the name of the file of boxes says, which decides between images that
            fit a name equally well.
    """
    names, matched = _Names(images, hint), Matched()
    found = {name: names.find(name) for name in boxes.images}
    claims: dict[tuple[Phase, str], list[tuple[_Score, str]]] = defaultdict(list)
    for name, (score, originals) in found.items():
        if len(originals) == 1:
            claims[originals[0].key].append((score, name))
    owners = {key: _owner(claim) for key, claim in claims.items()}
    chosen: dict[str, Original] = {}
    for name, (_, originals) in found.items():
        owner = owners.get(originals[0].key) if len(originals) == 1 else None
        if owner == name:
            chosen[name] = originals[0]
            matched.by_original.setdefault(originals[0].key, [])
        else:
            matched.refused.append(_refused_name(name, originals, has_owner=owner is not None))
    for detection in boxes.detections:
        if original := chosen.get(detection.image):
            matched.by_original[original.key].append(detection)
    for refusal in boxes.refused:
        named = chosen.get(refusal.image)
        shown = named.shown if named else refusal.image
        matched.refused.append(refusal._replace(image=shown))
    matched.refused += _without_box(images, matched)
    return matched


def _refused_name(name: str, originals: Sequence[Original], *, has_owner: bool) -> Refusal:
    """Return why a name is that of no image.

    Args:
        name: The name.
        originals: The images that it fits best.
        has_owner: Whether it fits one image, and another name fits that better.
    """
    if len(originals) > 1:
        shown = ", ".join(one.shown for one in originals[:3])
        detail = f"fits {counted(len(originals), 'image')}: {shown}"
        return Refusal(Reason.AMBIGUOUS, name, "", detail)
    if originals and not has_owner:
        detail = f"is not the only name that fits {originals[0].shown}"
        return Refusal(Reason.AMBIGUOUS, name, "", detail)
    return Refusal(Reason.UNKNOWN, name, "", "is no image of the source")


def _without_box(images: Sequence[Original], matched: Matched) -> Iterator[Refusal]:
    """Yield the images without a box, but not those whose boxes are refused already."""
    listed = matched.by_original
    broken = {refusal.image for refusal in matched.refused}
    for original in images:
        if not listed.get(original.key) and original.shown not in broken:
            detail = "has no box" if original.key in listed else "is not in the file of boxes"
            yield Refusal(Reason.NO_BOX, original.shown, "", detail)


def _owner(claims: "list[tuple[_Score, str]]") -> str | None:
    """Return the name that fits an image better than all others, or None."""
    best = max(score for score, _ in claims)
    names = [name for score, name in claims if score == best]
    return names[0] if len(names) == 1 else None


_Score = tuple[int, bool, bool]
"""How well a name fits: common parts at the end, the phase in the name, and that of the file."""


class _Names:
    """Originals by the last part of their names."""

    def __init__(self, images: Iterable[Original], hint: Phase | None) -> None:
        self._hint = hint
        self._by_last: dict[str, list[tuple[list[str], Original]]] = defaultdict(list)
        for original in images:
            for name in original.names:
                parts = composed(name).split("/")
                self._by_last[parts[-1]].append((parts, original))

    def find(self, name: str) -> tuple[_Score, list[Original]]:
        """Return the images that fit a name best; several if it is ambiguous."""
        for text in map(composed, dict.fromkeys((name, unquote(name)))):
            parts = [part for part in text.replace("\\", "/").split("/") if part not in {"", "."}]
            if not parts:
                continue
            for last in dict.fromkeys((parts[-1], _without_image_suffix(parts[-1]))):
                if candidates := self._by_last.get(last):
                    return self._best(candidates, [*parts[:-1], last])
        return (0, False, False), []

    def _best(
        self, candidates: list[tuple[list[str], Original]], parts: list[str]
    ) -> tuple[_Score, list[Original]]:
        phase = phase_of("/".join(parts[:-1]))
        scores: dict[tuple[Phase, str], _Score] = {}
        originals: dict[tuple[Phase, str], Original] = {}
        for own, original in candidates:
            end = 0
            while end < min(len(own), len(parts)) and own[-1 - end] == parts[-1 - end]:
                end += 1
            score = (end, phase is original.tag.phase, self._hint is original.tag.phase)
            scores[original.key] = max(score, scores.get(original.key, score))
            originals[original.key] = original
        best = max(scores.values())
        return best, [originals[key] for key, score in scores.items() if score == best]


def _without_image_suffix(name: str) -> str:
    ending = next((ending for ending in IMAGE_ENDINGS if name.endswith(ending)), "")
    return name[: len(name) - len(ending)] if ending and len(name) > len(ending) else name
