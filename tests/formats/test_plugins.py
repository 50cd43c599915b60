"""Formats of other packages: the example in docs/formats.md, offered by an entry point."""

import re
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from sceneset import plugins
from sceneset.errors import UsageError
from sceneset.formats import registry
from sceneset.formats.tree import Tree
from support.build import ROOT
from support.formats import converted, write_picture


@pytest.fixture
def _outlines(tmp_path, monkeypatch):
    """Install the example of the docs as a package."""
    text = (ROOT / "docs/formats.md").read_text("utf-8")
    example = re.search(r"```python\n(.*?class Outlines.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "site").mkdir()
    (tmp_path / "site/vendor_outlines.py").write_text(example[1])
    monkeypatch.syspath_prepend(tmp_path / "site")
    offer(monkeypatch, "vendor_outlines:FORMAT")


def offer(monkeypatch, value):
    points = EntryPoints([EntryPoint("outlines", value, "sceneset.formats")])
    monkeypatch.setattr(plugins, "entry_points", points.select)


@pytest.mark.usefixtures("_outlines")
def test_the_example_of_the_docs_is_recognized_and_reads_a_delivery(tmp_path):
    folder = tmp_path / "d"
    write_picture(folder / "a.jpg")
    (folder / "a.outline").write_text("2 2 8 2 8 8 2 8\n12 1 18 1 18 6\n")
    form, reason = registry.choose_format(Tree(folder))
    assert (form.name, reason) == ("outlines", "a.outline is one of 1 outline files")
    done = converted("outlines", folder, tmp_path / "work")
    assert done.codes == []
    assert done.masks["train/a"][5, 5] == 1
    assert np.unique(done.masks["train/a"]).tolist() == [0, 1]
    assert (done.tags["train/a"].persons, done.tags["train/a"].boxes) == ("multi", 2)


def test_a_plugin_that_does_not_load_is_named(monkeypatch):
    offer(monkeypatch, "no_such_package:FORMAT")
    with pytest.raises(UsageError, match="the plug-in of format outlines can't be loaded"):
        registry.find_format("outlines")
