"""Find clips in stems that look like numbered frames: breakdance_00080 is of breakdance."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sceneset.counts import counted
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.tag import Tag

_FRAME = re.compile(r"(?P<clip>.*[^\W\d].*?)(?P<joint>[_.-])(?P<number>\d{2,})")
_MIN_FRAMES = 3  # of a clip, on average
_MAX_SHOWN = 3  # clips
_MIN_SHARE = 0.9
"""Share of stems that must look like frames: otherwise the numbers may mean something else."""


_COUNTERS = {"dsc", "dscf", "dscn", "image", "img", "mvimg", "photo", "pic", "pict", "pxl"}
"""Names that cameras put before a running number: such photos are no clip."""


class Clips(NamedTuple):
    """Clips that stems seem to be frames of."""

    pattern: str
    """What --source-from takes to find the clip in a stem."""
    names: Sequence[str]


def find_clips(
    stems: Iterable[str], is_scene: Callable[[str], object] = lambda _: None
) -> Clips | None:
    """Return the clips of numbered stems, or None if they do not look like frames.

    Args:
        stems: The stems of a delivery.
        is_scene: Says whether a name is that of a scene: ski_0001 is rather a photo of that scene.
    """
    stems = list(stems)
    frames = [match for match in map(_FRAME.fullmatch, stems) if match]
    names = sorted({match["clip"] for match in frames})
    names = [name for name in names if name.casefold() not in _COUNTERS and not is_scene(name)]
    joints = {match["joint"] for match in frames}
    if len(frames) < _MIN_SHARE * len(stems) or len(joints) != 1 or not names:
        return None
    if len(frames) < _MIN_FRAMES * len(names):
        return None
    joint = re.escape(joints.pop())
    return Clips(rf"^(.+){joint}\d+$", names)


def clips_text(tags: Sequence[Tag], vocabulary: Vocabulary) -> list[str]:
    """Return what to say of samples without sources whose stems seem to be frames of clips."""
    if any(tag.source for tag in tags):
        return []
    clips = find_clips((tag.stem for tag in tags), vocabulary.find)
    if clips is None:
        return []
    names = ", ".join(clips.names[:_MAX_SHOWN]) + ", ..." * (len(clips.names) > _MAX_SHOWN)
    found = counted(len(clips.names), "clip")
    option = f"--source-from '{clips.pattern}'"
    return [f"the stems seem to be frames of {found} ({names}); {option} notes the clip as source"]


def source_of(stem: str, pattern: re.Pattern[str]) -> str | None:
    """Return the source that a pattern finds in a stem: its first group, or the whole match.

    None if the pattern does not match.
    """
    match = pattern.search(stem)
    if match is None:
        return None
    return (match[1] if pattern.groups else match[0]) or None


def with_sources(tags: Sequence[Tag], pattern: re.Pattern[str]) -> list[Tag]:
    """Return tags whose sources are taken from their stems; a tag with a source keeps it."""
    return [
        tag if tag.source else tag.model_copy(update={"source": source_of(tag.stem, pattern) or ""})
        for tag in tags
    ]
