"""The provenance of crops: that of their originals."""

from collections import defaultdict
from collections.abc import Sequence

from sceneset.cropping.originals import Originals
from sceneset.schemas.provenance import Provenance, ProvenanceException
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import fold_name


def provenance_of_crops(originals: Originals, tags: Sequence[Tag]) -> Provenance | None:
    """Return the provenance of the originals, with exceptions that name the crops.

    Args:
        originals: The images with their provenance.
        tags: The tags of the crops, sorted.
    """
    given = originals.provenance
    if given is None or not given.exceptions:
        return given
    crops: dict[tuple[str, str], list[str]] = defaultdict(list)
    for tag in tags:
        crops[tag.phase, tag.stem.rpartition("_")[0]].append(f"{tag.phase}/{tag.stem}")
    exceptions = []
    for exception in given.exceptions:
        names, sources = set(exception.samples), {fold_name(name) for name in exception.sources}
        named = [
            crop
            for original in originals.images
            if not names.isdisjoint({original.tag.stem, original.shown})
            or (original.tag.source and fold_name(original.tag.source) in sources)
            for crop in crops.get((original.tag.phase, original.tag.stem), ())
        ]
        if named:
            changes = exception.changes
            exceptions.append(ProvenanceException.model_validate({**changes, "samples": named}))
    return given.model_copy(update={"exceptions": tuple(exceptions)})
