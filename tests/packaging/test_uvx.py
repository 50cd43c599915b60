"""A training repository pulls its data with uvx, without an installation of sceneset."""

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


def requirements_of(name: str) -> dict[str, Distribution]:
    """Return the installed distributions that ``name`` requires, directly or indirectly."""
    found: dict[str, Distribution] = {}
    seen, queue = {(name, "")}, [(name, "")]
    while queue:
        current, extra = queue.pop()
        found[current] = distribution(current)
        for line in found[current].requires or ():
            required = Requirement(line)
            if required.marker is None or required.marker.evaluate({"extra": extra}):
                new = {(required.name, e) for e in ("", *required.extras)} - seen
                seen |= new
                queue += new
    del found[name]
    return found


def pack(installed: Distribution, folder: Path) -> None:
    """Build a wheel from an installed distribution: uvx needs wheels, and tests use no index.

    Scripts in bin are left out, because sceneset calls none of them.
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
    """Run a command line with uvx, with empty caches and without network."""
    folder = tmp_path / "uv"
    wheelhouse = folder / "wheelhouse"
    wheelhouse.mkdir(parents=True)
    for installed in requirements_of("sceneset").values():
        pack(installed, wheelhouse)
    command = [Path(sys.executable).with_name("uvx"), "--offline", "--no-index", "--no-config"]
    command += ["--find-links", wheelhouse, "--python", sys.executable, "--from", wheel]
    env = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    env |= {f"UV_{what}_DIR": str(folder / what) for what in ("CACHE", "TOOL", "TOOL_BIN")}
    env["SCENESET_CACHE_DIR"] = str(tmp_path / "cache")

    def run(*words: object, cwd: Path) -> Outcome:
        line = [*map(str, command), *map(str, words)]
        done = subprocess.run(line, cwd=cwd, env=env, check=False, capture_output=True, text=True)
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
    shutil.rmtree(folder)  # pytest keeps the folders of three runs; this one has almost 1 GB


@pytest.fixture
def released(added: Path, tmp_path: Path, sceneset: Run) -> str:
    """The URL of a registry that has a subset in version 1.0.0, but not in its branch main."""
    assert sceneset("remote", tmp_path / "store", cwd=added).code == 0
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    assert sceneset("release", "1.0.0", cwd=added).code == 0
    git(added, "rm", "-r", "--quiet", "Insta360SemanticSeg", "registry/tags", "registry/subsets")
    git(added, "commit", "--quiet", "--message", "Remove the subset")
    shutil.rmtree(added / ".dvc/cache")
    return added.as_uri()


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Another git repository, with a tag 1.0.0 of its own that must not be used."""
    root = tmp_path / "training"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "train.py").write_text("print('training')\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Train")
    git(root, "tag", "1.0.0")
    return root


def test_uvx_pulls_a_version_into_a_training_repository(
    uvx: Run, released: str, training: Path, delivery: Path
) -> None:
    before, refs = snapshot(training), git(training, "for-each-ref")
    pull = ("sceneset", "pull", "ski", "--repo", released, "--to", "data/ski")

    outcome = uvx(*pull, "--rev", "9.9.9", cwd=training)
    assert outcome.code == 2, outcome.err
    assert "1.0.0" in outcome.err
    assert snapshot(training) == before

    outcome = uvx(*pull, "--rev", "1.0.0", cwd=training)
    assert outcome.code == 0, outcome.err
    pulled = snapshot(training / "data/ski")
    assert pulled.pop("sceneset.json")
    sent = snapshot(delivery)
    del sent["split_dir/total.txt"]
    assert pulled == {f"{NAME}/{path}": content for path, content in sent.items()}
    shutil.rmtree(training / "data")
    assert snapshot(training) == before
    assert git(training, "for-each-ref") == refs
    assert git(training, "status", "--porcelain") == ""
