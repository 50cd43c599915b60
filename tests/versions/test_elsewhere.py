"""A pull that selects nothing names the versions that have such samples."""

from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.errors import NothingFoundError, UnknownNameError
from sceneset.versions.elsewhere import versions_with
from support.build import NAME, Run, git


@pytest.fixture
def removed(released: Path) -> Path:
    """A registry with a version 1.0.0, whose subset and scene ski were removed since."""
    for name in (f"registry/tags/{NAME}.csv", f"registry/subsets/{NAME}.yaml"):
        git(released, "rm", "--quiet", name)
    params = released / "params.yaml"
    params.write_text(params.read_text().replace(f"subsets:\n  - {NAME}\n", "subsets: []\n"))
    assert NAME not in params.read_text()
    git(released, "commit", "--quiet", "--all", "--message", "Remove the subset")
    return released


def test_pull_names_the_version_that_has_the_scene(
    removed: Path, tmp_path: Path, sceneset: Run
) -> None:
    outcome = sceneset("pull", "滑雪", "--to", tmp_path / "out", cwd=removed)
    assert outcome.code == 2
    assert "1 version has such samples: 1.0.0" in outcome.err
    assert "--rev 1.0.0" in outcome.err
    assert not (tmp_path / "out").exists()
    outcome = sceneset("pull", "滑雪", "--rev", "1.0.0", "--to", tmp_path / "out", cwd=removed)
    assert outcome.code == 0, outcome.err


def test_pull_names_the_version_also_when_the_vocabulary_lost_the_scene(
    removed: Path, tmp_path: Path
) -> None:
    scenes = removed / "registry/scenes.yaml"
    lines = scenes.read_text("utf-8").splitlines(keepends=True)
    scenes.write_text("".join(line for line in lines if "key: ski," not in line), "utf-8")
    with pytest.raises(UnknownNameError, match=r"1\.0\.0"):
        Registry.open(removed).pull("滑雪", to=tmp_path / "out")
    with pytest.raises(UnknownNameError, match=r"1\.0\.0"):
        Registry.open(removed).pull(subsets=["web"], to=tmp_path / "out")


def test_pull_names_the_version_of_a_registry_at_a_url(removed: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match=r"1\.0\.0"):
        Registry.open(f"file://{removed}").pull("ski", to=tmp_path / "out")


def test_pull_names_no_version_when_none_has_such_samples(
    removed: Path, tmp_path: Path, sceneset: Run
) -> None:
    for words in (("sea",), ("ski", "--phase", "val"), ("nonsense",)):
        outcome = sceneset("pull", *words, "--to", tmp_path / "out", cwd=removed)
        assert (outcome.code, "1.0.0" in outcome.err) == (2, False)


def test_versions_are_searched_by_persons_and_phase(removed: Path) -> None:
    registry = Registry.open(removed)
    assert versions_with(registry, ["ski"], persons="multi") == ["1.0.0"]
    assert versions_with(registry, ["ski"], phases=["train"]) == ["1.0.0"]
    assert versions_with(registry, ["ski"], phases=["test"]) == []
    assert versions_with(registry, subsets=["nothing"]) == []
    assert versions_with(registry) == ["1.0.0"]
