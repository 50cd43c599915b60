"""From a training repository, with nothing installed: `uvx --from WHEEL sceneset pull`."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

import pytest
from conftest import NAME, Outcome, dvc, git, snapshot
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOTS = ("sceneset",)
LEFT_OUT = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def needed(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Yield what is installed and needed by these, and by what they need."""
    waiting, seen = [Requirement(name) for name in names], set()
    while waiting:
        wanted = waiting.pop()
        for extra in wanted.extras or {""}:
            if (wanted.name, extra) in seen:
                continue
            seen.add((wanted.name, extra))
            found = distribution(wanted.name)
            yield found
            for line in found.requires or ():
                inner = Requirement(line)
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)


def pack(found: Distribution, folder: Path) -> None:
    """Make a wheel again of what is installed: tests ask no package index."""
    info = (found.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in info if line.startswith("Tag: ")]
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    name = canonicalize_name(found.metadata["Name"]).replace("-", "_")
    record = []
    with zipfile.ZipFile(folder / f"{name}-{found.version}-{tag}.whl", "w") as wheel:
        for file in found.files or ():
            path = PurePosixPath(file)
            inside = ".." not in path.parts and "__pycache__" not in path.parts
            if inside and not (path.parent.suffix == ".dist-info" and path.name in LEFT_OUT):
                data = Path(found.locate_file(file)).read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                record.append(f"{path},sha256={digest.decode()},{len(data)}")
                wheel.writestr(str(path), data)
        info_folder = next(
            PurePosixPath(file).parent for file in found.files or () if file.name == "METADATA"
        )
        wheel.writestr(f"{info_folder}/RECORD", "\n".join([*record, f"{info_folder}/RECORD,,", ""]))


@pytest.fixture
def uvx(wheel: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Run sceneset as uvx installs it from its wheel, offline."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for found in {dist.metadata["Name"]: dist for dist in needed(ROOTS)}.values():
        if found.metadata["Name"] != "sceneset":
            pack(found, wheels)
    places = ("UV_CACHE_DIR", "UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "UV_PYTHON_INSTALL_DIR")
    env = {**os.environ, **{name: str(tmp_path / name) for name in places}}
    env |= {"SCENESET_CACHE_DIR": str(tmp_path / "cache"), "UV_NO_CONFIG": "1"}
    command = [str(Path(sys.executable).parent / "uvx"), "--offline", "--no-index"]
    command += ["--find-links", str(wheels), "--python", sys.executable, "--from", str(wheel)]

    def run(*words: object, cwd: Path) -> Outcome:
        done = subprocess.run(
            [*command, "sceneset", *map(str, words)],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def test_a_training_repository_pulls_a_scene_of_a_version(
    ready: Path, tmp_path: Path, sceneset: Callable[..., Outcome], uvx: Callable[..., Outcome]
) -> None:
    dvc(ready, "remote", "modify", "store", "url", str(ready.parent / "store"))
    git(ready, "commit", "--quiet", "--all", "--message", "A remote with a whole path")
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    training = tmp_path / "training"
    training.mkdir()
    git(training, "init", "--quiet")
    (training / ".gitignore").write_text("/data/\n")
    git(training, "add", "--all")
    git(training, "commit", "--quiet", "--message", "Training")
    source = ("--repo", f"file://{ready}", "--rev")
    outcome = uvx("pull", "ski", *source, "1.0.0", "--to", "data/ski", cwd=training)
    assert outcome.code == 0, outcome.err
    theirs = ready / "Insta360SemanticSeg" / NAME
    for folder in ("img_dir", "ann_dir"):
        assert snapshot(training / "data/ski" / NAME / folder) == snapshot(theirs / folder)
    splits = sorted(path.name for path in (training / "data/ski" / NAME / "split_dir").iterdir())
    assert splits == ["ski.txt", "ski_muiltiperson.txt"]
    assert git(training, "status", "--porcelain") == ""
    outcome = uvx("pull", "ski", *source, "9.9.9", "--to", "data/other", cwd=training)
    assert outcome.code == 2
    assert "Nearest: 1.0.0" in outcome.err
    assert not (training / "data/other").exists()
