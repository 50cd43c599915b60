"""Read the file of `sceneset add --tags`, and compare it with the delivered images."""

from pathlib import Path

from sceneset.catalog.reader import unknown_scene_finding
from sceneset.catalog.subset_folder import Layout
from sceneset.catalog.tags_csv import tags_with_lines
from sceneset.errors import FindingsError
from sceneset.quality.tag_rules import image_without_tag_finding, tag_without_image_finding
from sceneset.schemas.finding import Finding
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.tag import Tag


def read_tags_file(
    path: Path, layout: Layout, vocabulary: Vocabulary
) -> tuple[list[Tag] | None, list[Finding]]:
    """Read and check the tags.

    Returns:
        The tags of delivered images, or None if the file can't be read; and all findings.
    """
    try:
        tags = tags_with_lines(path, path.name)
    except FindingsError as error:
        return None, error.findings
    images = layout.images.keys()
    # A sample that is bad in another way has an image too; it is not reported twice.
    delivered = images | {(p.phase, p.stem) for p in layout.findings}
    findings: list[Finding] = []
    for tag, line in tags:
        findings += [
            unknown_scene_finding(vocabulary, scene, file=path.name, row=line)
            for scene in dict.fromkeys(scene for scene, _ in tag.scenes)
            if scene not in vocabulary.by_key
        ]
        if tag.key not in delivered:
            hint = "correct or delete the row"
            findings.append(
                tag_without_image_finding(tag.key, subset="", file=path.name, row=line, hint=hint)
            )
    findings += [
        image_without_tag_finding(key, subset="", file=path.name)
        for key in sorted(images - {tag.key for tag, _ in tags})
    ]
    return [tag for tag, _ in tags if tag.key in images], findings
