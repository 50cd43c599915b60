"""Read the file of `sceneset add --tags`, and compare it with the delivered images."""

from collections.abc import Collection, Sequence
from pathlib import Path

from sceneset.catalog.reader import unknown_scene_finding
from sceneset.catalog.subset_folder import Layout
from sceneset.catalog.tags_csv import tags_with_lines
from sceneset.errors import FindingsError
from sceneset.quality.tag_rules import image_without_tag_finding, tag_without_image_finding
from sceneset.schemas.finding import MAX_ALIKE, Finding, capped
from sceneset.schemas.names import composed
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.tag import Tag

_MAX_QUARANTINED = 10_000
"""Findings on rows without an image with --quarantine, which leaves out only named samples."""


def read_tags_file(
    path: Path,
    layout: Layout,
    vocabulary: Vocabulary,
    *,
    quarantine: bool,
    skipped: Sequence[str] = (),
) -> tuple[list[Tag] | None, list[Finding]]:
    """Read and check the tags.

    Args:
        path: The file.
        layout: The delivered samples.
        vocabulary: The scenes.
        quarantine: Whether rows without an image are left out.
        skipped: Columns that the file may have and that are not read.

    Returns:
        The tags of delivered images, or None if the file can't be read; and all findings.
    """
    try:
        tags = tags_with_lines(path, path.name, skipped=skipped)
    except FindingsError as error:
        return None, error.findings
    images = layout.images.keys()
    # A sample that is bad in another way has an image too; it is not reported twice.
    delivered = images | {(p.phase, p.stem) for p in layout.findings if p.phase and p.stem}
    tags = _with_delivered_stems(tags, delivered)
    unknown = (
        (scene, line)
        for tag, line in tags
        for scene in dict.fromkeys(scene for scene, _ in tag.scenes)
        if scene not in vocabulary.by_key
    )
    findings = capped(
        unknown,
        lambda found: unknown_scene_finding(vocabulary, found[0], file=path.name, row=found[1]),
    )
    hint = "correct or delete the row"
    findings += capped(
        ((tag, line) for tag, line in tags if tag.key not in delivered),
        lambda found: tag_without_image_finding(
            found[0].key, subset="", file=path.name, row=found[1], hint=hint
        ),
        limit=_MAX_QUARANTINED if quarantine else MAX_ALIKE,
    )
    findings += [
        image_without_tag_finding(key, subset="", file=path.name)
        for key in sorted(images - {tag.key for tag, _ in tags})
    ]
    return [tag for tag, _ in tags if tag.key in images], findings


def _with_delivered_stems(
    tags: list[tuple[Tag, int]], delivered: Collection[tuple[str, str]]
) -> list[tuple[Tag, int]]:
    """Return tags with the stems of their images if these are in another Unicode normal form."""
    stems = {(phase, composed(stem)): stem for phase, stem in delivered}
    taken = {tag.key for tag, _ in tags} & set(delivered)
    result = []
    for tag, line in tags:
        stem = stems.get((tag.phase, composed(tag.stem)), tag.stem)
        is_other = stem != tag.stem and (tag.phase, stem) not in taken
        result.append((tag.model_copy(update={"stem": stem}) if is_other else tag, line))
    return result


def with_scenes(tags: Sequence[Tag], scenes: Sequence[Tag]) -> list[Tag]:
    """Return tags with the scenes of others; what else these say replaces the tag's own values.

    Args:
        tags: The tags that the annotation gives, without scenes.
        scenes: The rows of --scenes. A sample without a tag of its own keeps the row.
    """
    known = {tag.key: tag for tag in tags}
    result = []
    for row in scenes:
        own = known.get(row.key, row)
        given = {
            name: value
            for name in ("persons", "boxes", "source", "origin")
            if (value := getattr(row, name)) not in {None, ""}
        }
        result.append(own.model_copy(update={"scenes": row.scenes, **given}))
    return result
