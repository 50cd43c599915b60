"""Captions of COCO: files with images and sentences beside the files with instances."""

from collections import defaultdict
from typing import Any

from sceneset.formats.json_files import json_documents
from sceneset.formats.tree import Tree


def captions_of_images(tree: Tree) -> dict[str, list[str]]:
    """Return the captions of each image, by the path of the image in the delivery.

    Captions only propose scenes, so entries that can't be used are left out without a finding.
    """
    captions: dict[str, list[str]] = defaultdict(list)
    for file, content in json_documents(tree):
        if isinstance(content, dict) and (texts := _texts(content)):
            for image in _objects(content, "images"):
                name, one = image.get("file_name"), image.get("id")
                if isinstance(name, str) and isinstance(one, int | str) and one in texts:
                    path = tree.find(name, near=file) if name else None
                    if path is not None:
                        captions[path] += texts[one]
    return captions


def _texts(content: dict[str, Any]) -> dict[int | str, list[str]]:
    """Return the captions of a file by the id of their image."""
    texts: dict[int | str, list[str]] = defaultdict(list)
    for annotation in _objects(content, "annotations"):
        one, text = annotation.get("image_id"), annotation.get("caption")
        if isinstance(one, int | str) and isinstance(text, str):
            texts[one].append(text)
    return texts


def _objects(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = content.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
