"""Registries that consist of text files only: everything that a look-up reads."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from sceneset import Registry
from sceneset.catalog import index_builder
from sceneset.catalog.index import Index
from sceneset.schemas.terms import TOTAL
from support.build import ROOT

OTHER_NAME = "CustomSeg_Person_20240116_more"
VOCABULARY = Registry(ROOT).vocabulary
ONE_SAMPLE = "phase,stem,scenes,persons\ntrain,a,ski,single\n"
TWO_SAMPLES = ONE_SAMPLE + "train,b,ski,single\n"


def write_subset(root: Path, name: str, text: str, scenes: tuple[str, ...] = ("ski",)) -> None:
    """Write the entry and the tags of a subset, with rows for each scene and a total."""
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
    """Yield the root of a registry without images; the arguments are the tags of its subsets."""
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


def indexed_samples(index: Index, **options) -> list[tuple[str, str, str]]:
    """Return subset, phase and stem of the samples that a query selects."""
    groups = index.samples(index.resolve_query(**options))
    return [(group.subset, group.phase, stem) for group in groups for stem in group.stems]


def is_index_current(root: Path) -> bool:
    """Return whether a look-up would use the index file without updating it."""
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        return Index(root, connection, lambda: pytest.fail("the index is rebuilt")).is_current()


def set_old_mtime(path: Path) -> None:
    """Set the modification time of a file to years ago."""
    os.utime(path, ns=(10**18, 10**18))


def record_indexed_subsets(monkeypatch) -> list[str]:
    """Return a list that will hold the names of the subsets that the index reads."""
    names: list[str] = []
    insert_subset = index_builder._Updater._insert_subset

    def insert_and_record(updater, name):
        names.append(name)
        insert_subset(updater, name)

    monkeypatch.setattr(index_builder._Updater, "_insert_subset", insert_and_record)
    return names
