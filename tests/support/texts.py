"""Registries of text alone: all that a look-up reads."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from sceneset import Registry
from sceneset.catalog import index_builder as indexing
from sceneset.catalog.index import Index
from sceneset.schemas.terms import TOTAL
from support.build import ROOT

OTHER = "CustomSeg_Person_20240116_more"
VOCABULARY = Registry(ROOT).vocabulary
TEXT = "phase,stem,scenes,persons\ntrain,a,ski,single\n"
MORE = "phase,stem,scenes,persons\ntrain,a,ski,single\ntrain,b,ski,single\n"


def write_subset(root: Path, name: str, text: str, scenes: tuple[str, ...] = ("ski",)) -> None:
    rows = [
        {
            "scene": scene,
            "persons": persons,
            "phase": phase,
            "file": f"{scene}{persons}_{phase}.txt",
        }
        for scene in scenes
        for persons in ("single", "multi")
        for phase in ("train", "val")
    ]
    rows.append({"scene": TOTAL, "file": "total.txt"})
    entry = {"name": name, "kind": "full", "img_suffix": ".jpg", "splits": rows}
    for folder in ("subsets", "tags"):
        (root / "registry" / folder).mkdir(parents=True, exist_ok=True)
    (root / f"registry/subsets/{name}.yaml").write_text(yaml.safe_dump(entry))
    (root / f"registry/tags/{name}.csv").write_text(text, "utf-8")


@contextmanager
def text_registry(**subsets: str) -> Iterator[Path]:
    """Lay out the text of a registry: all that a look-up reads."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
        params["subsets"] = list(subsets)
        (root / "params.yaml").write_text(yaml.safe_dump(params))
        (root / "registry").mkdir()
        shutil.copy(ROOT / "registry/scenes.yaml", root / "registry/scenes.yaml")
        for name, text in subsets.items():
            write_subset(root, name, text, tuple(sorted(VOCABULARY.by_key)[:3]))
        yield root


def samples(index: Index, **words) -> list[tuple[str, str, str]]:
    found = index.samples(index.ask(**words))
    return [(group.subset, group.phase, stem) for group in found for stem in group.stems]


def kept(root: Path) -> bool:
    """Whether a look-up would be answered from the file, with nothing brought up to date."""
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        return Index(root, connection, lambda: pytest.fail("the index is rebuilt")).is_current()


def settled(path: Path) -> None:
    """Let a change be as old as most are: what changed just now is looked at twice."""
    os.utime(path, ns=(10**18, 10**18))


def read_subsets(monkeypatch, pause: float = 0) -> list[str]:
    """Return the list in which the subsets that are read will stand."""
    read: list[str] = []
    subset = indexing._Writer._subset

    def told(writer, name):
        read.append(name)
        time.sleep(pause)
        subset(writer, name)

    monkeypatch.setattr(indexing._Writer, "_subset", told)
    return read
