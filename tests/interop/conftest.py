"""Fixtures: a registry that is exported, and the programs of other libraries."""

import shutil
from pathlib import Path

import pytest

from support.build import copy_home
from support.exports import Exports, make_exports
from support.interop import Programs


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Runs programs in the environments that `make interop` builds."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Programs(scratch)


@pytest.fixture(scope="session")
def _exports(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Exports:
    home = tmp_path_factory.mktemp("exports")
    root = Path(shutil.copytree(_empty_registry, home / "registry", symlinks=True))
    return make_exports(root, tmp_path_factory.mktemp("deliveries"))


@pytest.fixture
def exports(tmp_path: Path, _exports: Exports) -> Exports:
    """A registry of two subsets: JPEG and PNG, equal stems, holes, ignored pixels, empty masks."""
    return _exports._replace(root=copy_home(_exports.root.parent, tmp_path))
