"""Write an annotation format with Datumaro.

    python write_datumaro.py {coco_masks,coco_polygons,coco_panoptic,cvat,voc,datumaro} \
        ARRAYS IMAGES TO
"""

from arrays import FORM, TO, samples
from datumaro.components.annotation import AnnotationType, LabelCategories, Mask
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

PERSON, IGNORE, BACKGROUND = 0, 1, 2
FORMATS = {
    "coco_masks": ("coco_instances", {"segmentation_mode": "mask"}),
    "coco_polygons": ("coco_instances", {"segmentation_mode": "polygons"}),
    "coco_panoptic": ("coco_panoptic", {}),
    "cvat": ("cvat", {}),
    "voc": ("voc_segmentation", {"label_map": "source", "apply_colormap": True}),
    "datumaro": ("datumaro", {}),
}
items, count = [], 0
for sample in samples():
    regions = [(inside, PERSON) for inside in sample.persons]
    regions += [(sample.ignored, IGNORE)] * bool(sample.ignored.any())
    if FORM == "coco_panoptic":  # pixels of no segment are not judged
        regions.append((sample.instances == 0, BACKGROUND))
    annotations = [
        Mask(inside, label=label, id=n, group=n, attributes={})
        for n, (inside, label) in enumerate(regions, count + 1)
    ]
    count += len(regions)
    media = Image.from_file(str(sample.image))
    items.append(DatasetItem(sample.stem, subset="train", media=media, annotations=annotations))
labels = LabelCategories.from_iterable(["person", "ignore", "background"])
dataset = Dataset.from_iterable(items, categories={AnnotationType.label: labels})
name, options = FORMATS[FORM]
dataset.export(str(TO), name, save_media=True, **options)
print("{}")
