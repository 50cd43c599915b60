"""What formats with free fields say of a sample."""

from typing import Any

from sceneset.exports.types import ExportSample


def fields_of(sample: ExportSample) -> dict[str, Any]:
    """Return the names, tags and sizes of a sample; every sample has the same fields."""
    return {
        "subset": sample.subset,
        "phase": sample.phase,
        "stem": sample.stem,
        "scenes": list(sample.scenes),
        "persons": sample.persons,
        "boxes": sample.boxes,
        "source": sample.source,
        "width": sample.width,
        "height": sample.height,
        "person_pixels": sample.person,
        "ignore_pixels": sample.ignore,
    }
