"""Deliveries in annotation formats, converted in this process."""

import copy
import json
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sceneset.formats.convert import Converted, convert
from sceneset.formats.registry import find_format
from sceneset.formats.tree import Tree
from sceneset.formats.types import Options
from sceneset.progress import no_progress
from sceneset.schemas.params import Limits


class Result(NamedTuple):
    """A converted delivery."""

    converted: Converted
    masks: dict[str, np.ndarray]
    """The mask of each sample, by phase/stem."""

    @property
    def codes(self) -> list[str]:
        """The codes of all findings, sorted."""
        return sorted(p.code for p in self.converted.layout.findings)

    @property
    def messages(self) -> str:
        """All findings as text."""
        return "\n".join(map(str, self.converted.layout.findings))

    @property
    def tags(self) -> dict[str, object]:
        """The tag of each sample, by phase/stem."""
        return {f"{tag.phase}/{tag.stem}": tag for tag in self.converted.tags}


def converted(form: str, folder: Path, work: Path, **options: object) -> Result:
    """Convert a delivery, and read the masks that were drawn."""
    work.mkdir(exist_ok=True)
    done = convert(
        find_format(form),
        Tree(folder, work / "files"),
        Options(**options),
        work,
        limits=Limits(min_side=1),
        progress=no_progress,
    )
    masks = {
        f"{phase}/{stem}": np.asarray(Image.open(path))
        for (phase, stem), path in done.layout.masks.items()
    }
    return Result(done, masks)


def write_json(path: Path, content: object) -> Path:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def write_picture(path: Path, size: tuple[int, int] = (20, 10), **options: object) -> Path:
    """Write a picture of one colour that differs for each path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    red = sum(path.name.encode()) % 256
    Image.new("RGB", size, (red, 90, 30)).save(path, **options)
    return path


def write_values(path: Path, array: object, mode: str | None = None) -> Path:
    """Write a mask file from an array of uint8 (or colours)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(array, np.uint8))
    if mode == "P":
        image = image.convert("L")
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([0, 0, 0, 128, 0, 0] * 128)
    image.save(path)
    return path


STRANGE = (None, True, -1, 0, 1e308, 10**30, "", "x", "\ud800x", [], {}, [[]], [None], {"a": 1})
"""Values that no annotation has in any place."""


def mutate(content: object, chance: random.Random) -> None:
    """Replace one value anywhere in a JSON document by a strange one."""
    while isinstance(content, dict | list) and content:
        key = chance.choice(list(content) if isinstance(content, dict) else range(len(content)))
        inner = content[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.85:
            content = inner
            continue
        content[key] = copy.deepcopy(chance.choice(STRANGE))
        return
