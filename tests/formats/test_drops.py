"""Deliveries of real photos come in with one command, with the pixels that are expected."""

import argparse
import csv
import shlex
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from sceneset.cli.commands.format_options import add_format_options, format_of
from sceneset.formats.archives import open_archives
from sceneset.formats.convert import convert
from sceneset.progress import no_progress
from sceneset.schemas.params import Limits
from support.build import SHARED, needs_shared

pytestmark = needs_shared
DATA = SHARED / "data"


class Drop(NamedTuple):
    """A delivery, and what is known about it."""

    folder: str
    options: str
    form: str
    samples: int
    """Images with a mask."""
    codes: Mapping[str, int] = MappingProxyType({})
    """Findings that are right for the delivery."""
    off: int = 0
    """Most pixels by which a mask may differ; the reason is at the drop."""


LABELME = "drop_D_labelme/semantic_segmentation"
CLOTHES = "--map 1..=person"
DROPS = {
    # Masks of other sizes than their image are resized, which changes their number of pixels.
    "A": Drop("drop_A_vikram", "--resize-masks nearest", "masks", 290),
    "B": Drop("drop_B_coco_mini", "", "coco", 159, {"mask-missing": 80}),
    "C": Drop("drop_C_voc_palette", "", "voc", 12),
    "D": Drop(LABELME, "--format voc", "voc", 3),
    # One polygon is drawn one pixel larger than in the PNG that labelme wrote in its time.
    "D-labelme": Drop(f"{LABELME}/data_annotated", "", "labelme", 3, off=1),
    # 20 photos have tags of the image and no mask.
    "E": Drop("drop_E_ccp", CLOTHES, "masks", 349, {"mask-missing": 20}),
    "F": Drop("drop_F_davis", "", "masks", 180),
    # Only key frames have a mask; one mask is 853 pixels wide, its image 854.
    "G": Drop(
        "drop_G_cutie", CLOTHES + " --resize-masks nearest", "masks", 5, {"mask-missing": 15}
    ),
    "H": Drop("drop_H_fudan", "--map 1..=instance", "masks", 1),
}


def expected(folder):
    """Return the rows of EXPECTED.csv by image."""
    with DATA.joinpath("EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file) if row["drop"] == folder}


def come_in(drop, work):
    """Convert a delivery with the options of a command line."""
    parser = argparse.ArgumentParser()
    add_format_options(parser)
    arguments = parser.parse_args(shlex.split(drop.options))
    work.mkdir(exist_ok=True)
    opened = open_archives(DATA / drop.folder, work / "archives")
    form, options, _ = format_of(arguments, opened, work / "files")
    assert form is not None
    assert form.name == drop.form
    tree = opened.tree(work / "files")
    return convert(form, tree, options, work, limits=Limits(min_side=1), progress=no_progress)


@pytest.mark.parametrize("name", DROPS)
def test_person_and_ignored_pixels_are_those_expected(tmp_path, name):
    drop = DROPS[name]
    done = come_in(drop, tmp_path / "w")
    assert Counter(p.code for p in done.layout.findings) == drop.codes
    assert len(done.layout.masks) == drop.samples
    rows = expected(drop.folder.partition("/")[0])
    stems = {image.rpartition("/")[2]: row for image, row in rows.items()}
    tags = {tag.key: tag for tag in done.tags}
    for key, path in done.layout.masks.items():
        image = f"{drop.folder}/{done.delivered[key].image}"
        row = rows.get(image) or stems[image.rpartition("/")[2]]
        mask = np.asarray(Image.open(path))
        counts = np.bincount(mask.ravel(), minlength=256)
        assert mask.shape == (int(row["img_h"]), int(row["img_w"]))
        assert counts[0] + counts[1] + counts[255] == mask.size
        assert int(counts[255]) == int(row["ignore_px"] or 0), image
        if (row["mask_w"], row["mask_h"]) in {(row["img_w"], row["img_h"]), ("", "")}:
            assert abs(int(counts[1]) - int(row["person_px"])) <= drop.off, image
        else:
            assert counts[1] / mask.size == pytest.approx(float(row["person_frac"]), abs=0.003)
            assert "mask resized from" in done.delivered[key].changes
        if drop.form == "coco":
            crowds, persons = int(row["n_crowd"]), int(row["n_person"])
            assert tags[key].boxes == (None if crowds else persons), image


def test_carried_things_are_background_if_the_command_says_so(tmp_path):
    """Class 2 is bag, 33 purse and 56 wallet."""
    from scipy.io import loadmat

    options = "--map 1..=person,2=background,33=background,56=background"
    done = come_in(DROPS["E"]._replace(options=options), tmp_path / "w")
    changed = 0
    for key, path in sorted(done.layout.masks.items())[:60]:
        classes = loadmat(DATA / "drop_E_ccp" / done.delivered[key].annotation)["groundtruth"]
        truth = (classes > 0) & ~np.isin(classes, (2, 33, 56))
        assert np.array_equal(np.asarray(Image.open(path)) == 1, truth)
        changed += int(np.isin(classes, (2, 33, 56)).any())
    assert changed


def test_instances_and_persons_are_counted(tmp_path):
    [pedestrians] = come_in(DROPS["H"], tmp_path / "h").tags
    assert (pedestrians.persons, pedestrians.boxes) == ("multi", 3)
    instances = DROPS["D-labelme"]._replace(
        folder="drop_D_labelme/instance_segmentation/data_annotated"
    )
    done = come_in(instances, tmp_path / "d")
    assert {tag.stem: tag.boxes for tag in done.tags}["2011_000003"] == 2  # three polygons


def test_frames_of_one_clip_have_one_source(tmp_path):
    done = come_in(DROPS["F"], tmp_path / "w")
    assert {tag.source.rpartition("/")[2] for tag in done.tags} == {"parkour", "bmx-trees"}
    assert "parkour_00000" in {tag.stem for tag in done.tags}
