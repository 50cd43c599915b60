"""Deliveries that other libraries write, added: the pixels are those that the library reads."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, Run, write_image
from support.exports import IGNORE, PERSON, draw_masks
from support.interop import Programs

SIZE = (61, 43)
ANNOTATED = ("hole", "人 1", "two", "thin", "noise")
ADDED = f"Insta360SemanticSeg/{NAME}"


def draw_instances() -> dict[str, np.ndarray]:
    """Return arrays in which each person has a number, and 255 is ignored."""
    masks = draw_masks()
    two = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    two[5:30, 8:20], two[10:35, 20:33] = 1, 2  # they touch
    two[0:4, 40:61] = IGNORE
    return {
        "hole": masks["hole"],
        "人 1": masks["ignore"],
        "with space": masks["empty"],
        "two": two,
        "thin": masks["parts"],
        "noise": masks["noise"],
    }


class Peer:
    """Writes deliveries with another library, and adds them."""

    def __init__(self, folder: Path, programs: Programs, sceneset: Run, root: Path) -> None:
        self.to = folder / "delivery"
        self.instances = draw_instances()
        self._images, self._arrays = folder / "images", folder / "arrays.npz"
        for seed, stem in enumerate(self.instances):
            write_image(self._images / f"{stem}.jpg", seed, SIZE)
        self._programs, self._sceneset, self._root = programs, sceneset, root

    def only(self, *stems: str) -> None:
        """Leave out all samples but these."""
        self.instances = {stem: self.instances[stem] for stem in stems}
        for path in self._images.iterdir():
            if path.stem not in stems:
                path.unlink()

    def write(self, library: str, form: str) -> Path:
        """Write the delivery with a library."""
        np.savez(self._arrays, **self.instances)
        program = f"writers/write_{library}.py"
        self._programs.run(program, form, self._arrays, self._images, self.to)
        return self.to

    def add(self, form: str, *words: str) -> dict[str, np.ndarray]:
        """Add the delivery, recognized by itself; return its masks by the stem of the image.

        The stem is found by the content of the image, which the delivery does not change.
        """
        outcome = self._sceneset("add", self.to, "--name", NAME, *words, cwd=self._root)
        assert outcome.code == 0, outcome.out + outcome.err
        assert form in outcome.out + outcome.err
        stems = {self._digest(path): path.stem for path in self._images.iterdir()}
        found = {}
        for path in (self._root / ADDED / "img_dir").rglob("*.*"):
            mask = self._root / ADDED / "ann_dir" / path.parent.name / f"{path.stem}.png"
            found[stems[self._digest(path)]] = np.asarray(Image.open(mask))
        return found

    def read(self, program: str, *words: object, field: str = "mask") -> dict[str, str]:
        """Read the delivery with the library; return digests of masks by the stem of the image.

        The digest is that of the mask, or of its pixels above 0 if ``field`` is "covered".
        """
        stems = {
            hashlib.sha256(path.read_bytes()).hexdigest(): path.stem
            for path in self._images.iterdir()
        }
        rows = self._programs.run(f"readers/{program}", *words)["rows"]
        return {stems[row["image"]]: row[field] for row in rows}

    def _digest(self, path: Path) -> bytes:
        """Return a digest of the pixels: some libraries encode images again, as PNG or JPEG."""
        picture = np.asarray(Image.open(path).convert("RGB"), np.int16)
        close = [
            (int(np.abs(picture - other).mean()), source.name)
            for source in self._images.iterdir()
            for other in [np.asarray(Image.open(source).convert("RGB"), np.int16)]
        ]
        distance, name = min(close)
        assert distance <= 4, (path, distance)
        return name.encode()


@pytest.fixture
def peer(tmp_path: Path, programs: Programs, sceneset: Run, registry: Path) -> Peer:
    """Writes a delivery with a library, and adds it to an empty registry."""
    return Peer(tmp_path, programs, sceneset, registry)


def semantic(instances: np.ndarray) -> np.ndarray:
    """Return the mask of an array of instances."""
    return np.where(instances == IGNORE, IGNORE, (instances > 0) * PERSON).astype(np.uint8)


def digests(masks: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the digests of masks as the readers compute them."""
    return {
        stem: hashlib.sha256(np.ascontiguousarray(mask, np.uint8).tobytes()).hexdigest()
        for stem, mask in masks.items()
    }


def assert_equal(
    found: Mapping[str, np.ndarray],
    peer: Peer,
) -> None:
    """Assert that the masks in the registry are what was drawn, each pixel."""
    assert found.keys() == peer.instances.keys()
    for stem, mask in found.items():
        np.testing.assert_array_equal(mask, semantic(peer.instances[stem]), err_msg=stem)


@pytest.mark.parametrize("form", ["compressed", "uncompressed"])
def test_add_takes_coco_of_pycocotools(peer: Peer, form: str) -> None:
    peer.write("pycocotools", form)
    assert_equal(peer.add("COCO"), peer)


def test_add_takes_coco_masks_of_datumaro_when_crowd_is_person(peer: Peer) -> None:
    peer.write("datumaro", "coco_masks")  # it writes every instance with iscrowd=1
    assert_equal(peer.add("COCO", "--crowd", "person"), peer)


def test_add_draws_coco_polygons_of_datumaro_as_pycocotools(peer: Peer) -> None:
    folder = peer.write("datumaro", "coco_polygons")
    found = peer.add("COCO")
    read = peer.read("read_coco_api.py", "pycocotools.coco", folder, field="covered")
    assert digests({stem: mask > 0 for stem, mask in found.items()}) == read
    assert found.keys() == peer.instances.keys()
    assert (found["two"] == IGNORE).any()


def test_add_takes_cvat_of_datumaro(peer: Peer) -> None:
    folder = peer.write("datumaro", "cvat")
    found = peer.add("CVAT")
    read = peer.read("read_datumaro.py", "cvat", folder)
    assert digests(found) == read


def test_add_takes_datumaro_json(peer: Peer) -> None:
    peer.write("datumaro", "datumaro")
    assert_equal(peer.add("Datumaro"), peer)


def test_add_takes_voc_of_datumaro(peer: Peer) -> None:
    peer.only(*ANNOTATED)  # it writes no mask for an image without annotations
    peer.write("datumaro", "voc")
    assert_equal(peer.add("VOC"), peer)


def test_add_takes_coco_panoptic_of_datumaro(peer: Peer) -> None:
    peer.only(*ANNOTATED)
    peer.write("datumaro", "coco_panoptic")
    assert_equal(peer.add("panoptic"), peer)


def test_add_takes_coco_of_supervision(peer: Peer) -> None:
    folder = peer.write("supervision", "coco")
    found = peer.add("COCO", "--crowd", "person")  # it marks persons with holes as crowd
    read = peer.read("read_coco_api.py", "pycocotools.coco", folder, field="covered")
    assert digests(found) == read


def test_add_draws_yolo_of_supervision_as_ultralytics(peer: Peer, tmp_path: Path) -> None:
    peer.only("hole", "人 1", "with space", "two")
    folder = peer.write("supervision", "yolo")
    found = peer.add("YOLO")
    data = tmp_path / "data.yaml"  # that of supervision names no folders
    data.write_text(f"path: {folder}\ntrain: images/train\nval: ''\nnames: [person]\n", "utf-8")
    read = peer.read("read_ultralytics.py", "segment", data)
    assert digests(found) == read


def test_add_takes_labelme_of_supervision(peer: Peer) -> None:
    peer.only("hole", "人 1", "with space", "two")
    folder = peer.write("supervision", "labelme")
    found = peer.add("labelme")
    read = peer.read("read_labelme.py", folder)
    assert digests(found) == read


def test_add_takes_mask_shapes_of_labelme(peer: Peer) -> None:
    peer.write("labelme", "mask")
    assert_equal(peer.add("labelme"), peer)


def test_add_takes_brushes_of_label_studio(peer: Peer) -> None:
    peer.write("label_studio", "brush")
    assert_equal(peer.add("Label Studio"), peer)


def test_add_takes_polygons_that_label_studio_converts_from_coco(peer: Peer) -> None:
    boxes = {  # rectangles, which all tools draw the same
        "two": [(1, 8, 5, 20, 30), (2, 20, 10, 33, 35)],
        "人 1": [(1, 1, 7, 60, 9)],
        "hole": [(1, 0, 0, 61, 43)],
        "thin": [(1, 11, 4, 12, 5)],
        "noise": [(1, 30, 20, 61, 40), (IGNORE, 0, 0, 5, 9)],
    }
    peer.only(*boxes)
    peer.instances = {stem: np.zeros((SIZE[1], SIZE[0]), np.uint8) for stem in boxes}
    for stem, drawn in boxes.items():
        for value, left, top, right, bottom in drawn:
            peer.instances[stem][top:bottom, left:right] = value
    peer.write("label_studio", "polygon")
    assert_equal(peer.add("Label Studio"), peer)


def test_add_takes_parquet_of_datasets(peer: Peer) -> None:
    peer.write("datasets", "parquet")
    assert_equal(peer.add("Hugging Face"), peer)


def test_add_takes_shards_of_webdataset(peer: Peer) -> None:
    peer.write("webdataset", "shards")
    assert_equal(peer.add("WebDataset"), peer)
