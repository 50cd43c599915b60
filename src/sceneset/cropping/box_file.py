"""Read a file or folder of boxes in any format that is known."""

from pathlib import Path

from sceneset.cropping.coco_boxes import read_coco
from sceneset.cropping.cvat_boxes import read_cvat
from sceneset.cropping.types import Boxes
from sceneset.cropping.yolo_boxes import read_yolo
from sceneset.errors import UsageError
from sceneset.formats.tree import Tree
from sceneset.formats.types import Options
from sceneset.storage.files import md5_of, read_bytes

_MAX_BYTES = 4 << 30
_KINDS = (
    "boxes are read from COCO JSON (.json), CVAT XML (.xml) and YOLO labels (.txt, or a folder of "
    "them)"
)


def read_boxes(path: Path, images: Path | None, options: Options) -> Boxes:
    """Return the boxes of persons.

    Args:
        path: COCO JSON (results or annotations), CVAT XML, or YOLO labels: a text file, or a folder
            of them.
        images: The COCO file with the images that results number.
        options: Further names of classes that mean person.

    Raises:
        UsageError: The file has none of these forms, or names no image.
        FindingsError: A file can't be read.
    """
    if images and path.suffix.lower() != ".json":
        raise UsageError("--images belongs to COCO results (.json)")
    boxes = _boxes_of(path, images, options)
    if not boxes.images and not boxes.refused:
        raise UsageError(f"{path} names no image; {_KINDS}")
    return boxes


def _boxes_of(path: Path, images: Path | None, options: Options) -> Boxes:
    suffix = path.suffix.lower()
    if path.is_dir():
        return read_yolo(path, options, _folder_text(path))
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file or folder of boxes")
    if suffix == ".json":
        return read_coco(path, images, options, _file_text(path))
    if suffix == ".xml":
        return read_cvat(path, options, _file_text(path))
    if suffix == ".txt":
        return read_yolo(path, options, _file_text(path))
    raise UsageError(f"{path}: {_KINDS}")


def _file_text(path: Path) -> str:
    return f"{path.name} md5:{md5_of(read_bytes(path, path.name, limit=_MAX_BYTES))}"


def _folder_text(path: Path) -> str:
    """Return the name of a folder and a hash of the names and contents of its text files."""
    tree = Tree(path)
    lines = [
        f"{md5_of(read_bytes(tree.path(file), file))}  {file}\n"
        for file in tree.with_suffix(".txt", ".yaml", ".yml")
    ]
    return f"{path.resolve().name}/ md5:{md5_of(''.join(lines).encode())}"
