"""Read an export with Datumaro.

python read_datumaro.py FORMAT FOLDER
"""

import sys

import numpy as np
from datumaro.components.annotation import AnnotationType, Label
from datumaro.components.dataset import Dataset
from datumaro.util import mask_tools
from rows import IGNORE, PERSON, Rows

form, folder = sys.argv[1:]
dataset = Dataset.import_from(folder, form)
labels = dataset.categories()[AnnotationType.label]
IGNORED = {"ignore", "ignored"}
DRAWN = {AnnotationType.mask, AnnotationType.polygon}
rows = Rows()


def values(entry: object) -> tuple[np.ndarray, int]:
    """Return where a shape is, and the value of its pixels."""
    name = labels[entry.label].name
    if entry.type == AnnotationType.polygon:
        image = mask_tools.rles_to_mask([entry.points], *size[::-1])
    else:
        image = entry.image
    is_ignored = name in IGNORED or bool(entry.attributes.get("is_crowd"))
    value = 0 if name == "background" else IGNORE if is_ignored else PERSON
    return np.asarray(image, bool), value


for item in dataset:
    size = item.media.size  # height, width
    mask = np.zeros(size, np.uint8)
    shapes = [values(entry) for entry in item.annotations if entry.type in DRAWN]
    for inside, value in sorted(shapes, key=lambda shape: shape[1]):
        mask[inside] = value
    rows.add(
        item.id,
        item.media.path if hasattr(item.media, "path") else item.media.bytes,
        mask,
        phase=item.subset,
        labels=sorted({labels[e.label].name for e in item.annotations if isinstance(e, Label)}),
        attributes={key: str(value) for key, value in item.attributes.items()},
    )
rows.print(classes=[label.name for label in labels])
