"""`sceneset formats` lists what add reads and export writes."""

import json

from sceneset.exports.registry import exporter_names
from sceneset.formats.registry import format_names


def test_all_formats_are_listed(sceneset, tmp_path):
    done = sceneset("formats", cwd=tmp_path)
    assert done.code == 0
    words = {line.split()[0] for line in done.out.splitlines() if line.strip()}
    assert words >= {*format_names(), *exporter_names()}


def test_one_direction_is_listed_as_json(sceneset, tmp_path):
    done = sceneset("formats", "in", "--json", cwd=tmp_path)
    formats = json.loads(done.out)
    assert [one["name"] for one in formats] == format_names()
    assert {one["direction"] for one in formats} == {"in"}
    losses = {one["name"]: one["loses"] for one in formats}
    assert losses["labelme"] == "points and lines"


def test_plug_in_that_fails_does_not_hide_the_others(sceneset, tmp_path, monkeypatch):
    package = tmp_path / "packages/broken-1.dist-info"
    package.mkdir(parents=True)
    package.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    package.joinpath("entry_points.txt").write_text("[sceneset.formats]\nbroken = nowhere:FORMAT\n")
    monkeypatch.syspath_prepend(str(package.parent))
    done = sceneset("formats", "in", cwd=tmp_path)
    assert done.code == 0
    assert "the plug-in of format broken can't be loaded" in done.out
    assert "labelme" in done.out
