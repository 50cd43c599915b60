"""A training repository gets its data with uvx: from the wheel alone, nothing installed before."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.build import NAME, Outcome, Run, dvc, git, snapshot

NOT_PACKED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def needed(name: str) -> dict[str, Distribution]:
    """Return the installed distributions that ``name`` needs, and those that these need."""
    found: dict[str, Distribution] = {}
    seen, left = {(name, "")}, [(name, "")]
    while left:
        one, extra = left.pop()
        found[one] = distribution(one)
        for line in found[one].requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                new = {(wanted.name, e) for e in ("", *wanted.extras)} - seen
                seen |= new
                left += new
    del found[name]
    return found


def pack(installed: Distribution, folder: Path) -> None:
    """Make a wheel of what is installed: uvx wants wheels, and no test may ask an index for one.

    The scripts in bin are left out: they are not the wheel's, and sceneset calls none of them.
    """
    files = [
        path
        for path in installed.files or ()
        if path.parts[0] != ".." and "__pycache__" not in path.parts
    ]
    [info] = {path.parent for path in files if path.name == "WHEEL" and len(path.parts) == 2}
    packed = [p for p in files if not (p.parent == info and p.name in NOT_PACKED)]
    text = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in text if line.startswith("Tag: ")]
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = f"{info.name.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for path in packed:
            wheel.write(path.locate(), path.as_posix())
        wheel.writestr(f"{info}/RECORD", "".join(f"{p},,\n" for p in [*packed, info / "RECORD"]))


@pytest.fixture
def uvx(wheel: Path, tmp_path: Path) -> Iterator[Run]:
    """Run a command line with uvx, as a user who never did so before and has no network."""
    place = tmp_path / "uv"
    house = place / "wheelhouse"
    house.mkdir(parents=True)
    for installed in needed("sceneset").values():
        pack(installed, house)
    command = [Path(sys.executable).with_name("uvx"), "--offline", "--no-index", "--no-config"]
    command += ["--find-links", house, "--python", sys.executable, "--from", wheel]
    env = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    env |= {f"UV_{what}_DIR": str(place / what) for what in ("CACHE", "TOOL", "TOOL_BIN")}
    env["SCENESET_CACHE_DIR"] = str(tmp_path / "cache")

    def run(*words: object, cwd: Path) -> Outcome:
        line = [*map(str, command), *map(str, words)]
        done = subprocess.run(line, cwd=cwd, env=env, check=False, capture_output=True, text=True)
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
    shutil.rmtree(place)  # pytest keeps the folders of three runs, and this is close to a gigabyte


@pytest.fixture
def released(added: Path, tmp_path: Path, sceneset: Run) -> str:
    """The URL of a registry that had a subset in its version 1.0.0, and has none today."""
    assert sceneset("remote", tmp_path / "store", cwd=added).code == 0
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    assert sceneset("release", "1.0.0", cwd=added).code == 0
    git(added, "rm", "-r", "--quiet", "Insta360SemanticSeg", "registry/tags", "registry/subsets")
    git(added, "commit", "--quiet", "--message", "Start anew")
    shutil.rmtree(added / ".dvc/cache")
    return added.as_uri()


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Another git repository, with a 1.0.0 of its own that is nobody's business."""
    root = tmp_path / "training"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "train.py").write_text("print('training')\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Train")
    git(root, "tag", "1.0.0")
    return root


def test_a_training_repository_pulls_a_version(
    uvx: Run, released: str, training: Path, delivery: Path
) -> None:
    mine, refs = snapshot(training), git(training, "for-each-ref")
    pull = ("sceneset", "pull", "ski", "--repo", released, "--to", "data/ski")

    outcome = uvx(*pull, "--rev", "9.9.9", cwd=training)
    assert outcome.code == 2, outcome.err
    assert "1.0.0" in outcome.err
    assert snapshot(training) == mine

    outcome = uvx(*pull, "--rev", "1.0.0", cwd=training)
    assert outcome.code == 0, outcome.err
    pulled = snapshot(training / "data/ski")
    assert pulled.pop("sceneset.json")
    sent = snapshot(delivery)
    del sent["split_dir/total.txt"]
    assert pulled == {f"{NAME}/{path}": content for path, content in sent.items()}
    shutil.rmtree(training / "data")
    assert snapshot(training) == mine
    assert git(training, "for-each-ref") == refs
    assert git(training, "status", "--porcelain") == ""
