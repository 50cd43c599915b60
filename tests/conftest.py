"""Tiny registries and deliveries, built in place; every test gets its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sceneset.registry.cli import main
from sceneset.registry.render import console
from sceneset.registry.scaffold import lay_out

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NAME = "CustomSeg_Person_20240115_web"

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="../shared with its real photos is not here"
)


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _fresh_consoles() -> None:
    console.cache_clear()  # pytest gives each test other streams


@pytest.fixture
def sceneset(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run a command line in this process, in a folder."""

    def run(*words: object, cwd: Path) -> Outcome:
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def _empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "registry"
    lay_out(folder)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Empty registry")
    return folder


@pytest.fixture
def registry(tmp_path: Path, _empty_registry: Path) -> Path:
    """A new, empty registry, committed."""
    return Path(shutil.copytree(_empty_registry, tmp_path / "registry", symlinks=True))


def git(cwd: Path, *words: str) -> str:
    """Run git as somebody, and return what it printed."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(
        ["git", *who, *words], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout


def dvc(
    cwd: Path, *words: str, check: bool = True, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run dvc with this Python first on PATH, as a person does in an activated environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, **(env or {})},
    )
    if check and done.returncode:
        raise AssertionError(f"dvc {' '.join(words)}:\n{done.stdout}\n{done.stderr}")
    return Outcome(done.returncode, done.stdout, done.stderr)


Splits = Mapping[str, Sequence[str]]


def write_image(path: Path, seed: int = 0, size: tuple[int, int] = (32, 24)) -> None:
    """Draw a small image that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    low = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(low).resize(size, Image.Resampling.BICUBIC).save(path, quality=90)


def write_mask(
    path: Path, size: tuple[int, int] = (32, 24), *, person: int = 1, ignore: bool = False
) -> None:
    """Draw a mask with a person in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    mask = Image.new("L", size)
    drawn = ImageDraw.Draw(mask)
    drawn.ellipse((width // 3, height // 4, 2 * width // 3, 3 * height // 4), fill=person)
    if ignore:
        drawn.line((0, 0, width, 0), fill=255)
    mask.save(path)


def make_delivery(
    folder: Path,
    splits: Splits | None = None,
    *,
    train: Sequence[str] = ("a", "b", "c", "d"),
    val: Sequence[str] = (),
    suffix: str = ".jpg",
) -> Path:
    """Write a good delivery: an image and a mask for each stem, and split files as given."""
    for phase, stems in (("train", train), ("val", val)):
        for seed, stem in enumerate(stems):
            write_image(folder / "img_dir" / phase / f"{stem}{suffix}", seed + 1000 * len(phase))
            write_mask(folder / "ann_dir" / phase / f"{stem}.png")
    if splits is None:
        splits = {"total.txt": train, "ski.txt": train[:2], "ski_muiltiperson.txt": train[2:]}
    for name, stems in splits.items():
        (folder / "split_dir").mkdir(exist_ok=True)
        (folder / "split_dir" / name).write_text("".join(f"{s}\n" for s in stems), "utf-8")
    return folder


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """A good delivery of four samples of ski, two single and two multi."""
    return make_delivery(tmp_path / "delivery")


def snapshot(root: Path) -> dict[str, bytes]:
    """Return every file below ``root`` but git's own and DVC's cache and temporary ones."""
    skipped = (".git/", ".dvc/cache/", ".dvc/tmp/", ".sceneset/")
    return {
        shown: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not (shown := path.relative_to(root).as_posix()).startswith(skipped)
    }


@pytest.fixture(scope="session")
def _added_registry(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    folder = tmp_path_factory.mktemp("added")
    root = Path(shutil.copytree(_empty_registry, folder / "registry", symlinks=True))
    delivery = make_delivery(folder / "delivery")
    command = [sys.executable, "-m", "sceneset.registry.cli", "add", str(delivery), "--name", NAME]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    dvc(root, "repro")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Add a subset")
    return root


@pytest.fixture
def added(tmp_path: Path, _added_registry: Path) -> Path:
    """A registry with one subset of four samples, its pipeline run, all committed."""
    return Path(shutil.copytree(_added_registry, tmp_path / "registry", symlinks=True))


@pytest.fixture(scope="session")
def _ready_registry(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    home = tmp_path_factory.mktemp("ready")
    root = Path(shutil.copytree(_added_registry, home / "registry", symlinks=True))
    dvc(root, "remote", "add", "--default", "store", "../store")
    dvc(root, "remote", "modify", "store", "verify", "true")
    git(root, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(root, "push")
    return home


@pytest.fixture
def ready(tmp_path: Path, _ready_registry: Path) -> Path:
    """A registry that can be released: committed, current, its blobs on a remote, ../store."""
    shutil.copytree(_ready_registry, tmp_path / "home", symlinks=True)
    return tmp_path / "home/registry"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("schemas", "registry", "stages"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def _released_registry(tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path) -> Path:
    home = tmp_path_factory.mktemp("released") / "home"
    shutil.copytree(_ready_registry, home, symlinks=True)
    command = [sys.executable, "-m", "sceneset.registry.cli", "release", "1.0.0"]
    subprocess.run(command, cwd=home / "registry", check=True, capture_output=True)
    return home


@pytest.fixture
def released(tmp_path: Path, _released_registry: Path) -> Path:
    """A registry that is ready, with a version 1.0.0."""
    shutil.copytree(_released_registry, tmp_path / "home", symlinks=True)
    return tmp_path / "home/registry"


def blob(store: Path, md5: str) -> Path:
    """Return where a remote in a folder keeps a blob."""
    return store / "files/md5" / md5[:2] / md5[2:]


def images_of(root: Path, sceneset: Callable[..., Outcome]) -> dict[str, str]:
    """Return the content hash of every image, by stem."""
    samples = sceneset("lookup", "--samples", "--json", cwd=root).json
    return {sample["stem"]: sample["image_md5"] for sample in samples}


@pytest.fixture(autouse=True, scope="session")
def _somebody() -> None:
    """Let git know who commits, whatever machine this is."""
    for who in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{who}_NAME"] = "Test"
        os.environ[f"GIT_{who}_EMAIL"] = "test@example.com"


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what commands cache for the user out of the user's home."""
    os.environ["SCENESET_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
