"""Fixtures: a registry with drawn pictures to train on."""

import shutil
from pathlib import Path

import pytest

from support.build import copy_home
from support.exports import Exports, make_exports


@pytest.fixture(scope="session")
def _exports(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Exports:
    home = tmp_path_factory.mktemp("exports")
    root = Path(shutil.copytree(_empty_registry, home / "registry", symlinks=True))
    made = make_exports(root, tmp_path_factory.mktemp("deliveries"))
    shutil.rmtree(root / ".dvc/cache")
    return made


@pytest.fixture
def exports(tmp_path: Path, _exports: Exports) -> Exports:
    """A registry with two subsets and an empty cache; its blobs are on a remote beside it."""
    return _exports._replace(root=copy_home(_exports.root.parent, tmp_path))
