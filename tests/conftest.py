"""Fixtures: every test gets its own small registry or delivery."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sceneset.cli.main import main
from sceneset.cli.output import console
from sceneset.cli.scaffold import lay_out
from support.build import NAME, ROOT, Outcome, copy_home, dvc, git, make_delivery
from support.fork_server import ForkingSubprocess, Mode
from support.policy import PROVENANCE, set_default_rules

if TYPE_CHECKING:
    from support.servers import Listener


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of the folders that `make test` leaves out."""
    for item in items:
        for name in ("browser", "faults", "interop"):
            if item.path.is_relative_to(ROOT / "tests" / name):
                item.add_marker(name)


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
    set_default_rules(folder)  # `sceneset init` itself is tested by itself
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Empty registry")
    return folder


@pytest.fixture
def registry(tmp_path: Path, _empty_registry: Path) -> Path:
    """A new, empty registry, committed."""
    return Path(shutil.copytree(_empty_registry, tmp_path / "registry", symlinks=True))


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """A good delivery of four samples of ski, two single and two multi."""
    return make_delivery(tmp_path / "delivery")


@pytest.fixture(scope="session")
def _added_registry(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    folder = tmp_path_factory.mktemp("added")
    root = Path(shutil.copytree(_empty_registry, folder / "registry", symlinks=True))
    delivery = make_delivery(folder / "delivery")
    entry = folder / "entry.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n")
    command = [sys.executable, "-m", "sceneset", "add", str(delivery), "--name", NAME]
    command += ["--entry", str(entry)]
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
    return copy_home(_ready_registry, tmp_path)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator["Listener"]:
    """A server that keeps what it receives, in the environment of a user with credentials."""
    from support.servers import KEYS, SECRETS, Listener  # boto3 is slow to import

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRETS[2])
    with Listener() as found:
        yield found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", source / "src", ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def _released_registry(tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path) -> Path:
    home = tmp_path_factory.mktemp("released") / "home"
    shutil.copytree(_ready_registry, home, symlinks=True)
    command = [sys.executable, "-m", "sceneset", "release", "1.0.0"]
    subprocess.run(command, cwd=home / "registry", check=True, capture_output=True)
    return home


@pytest.fixture
def released(tmp_path: Path, _released_registry: Path) -> Path:
    """A registry that is ready, with a version 1.0.0."""
    return copy_home(_released_registry, tmp_path)


@pytest.fixture(autouse=True, scope="session")
def _somebody() -> None:
    """Let git know who commits, whatever machine this is."""
    for who in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{who}_NAME"] = "Test"
        os.environ[f"GIT_{who}_EMAIL"] = "test@example.com"


@pytest.fixture(autouse=True, scope="session")
def _english() -> None:
    """Print messages in English, whatever the locale of this machine is."""
    os.environ["LC_ALL"] = "C.UTF-8"


@pytest.fixture(autouse=True, scope="session")
def _session_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what session fixtures cache for the user out of the user's home."""
    os.environ["SCENESET_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["SCENESET_CONFIG_DIR"] = str(tmp_path_factory.mktemp("config"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a cache of its own, so that no test depends on what another one pulled."""
    monkeypatch.setenv("SCENESET_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("SCENESET_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what pools of processes set for those that they start."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")  # as if it was not set


@pytest.fixture(autouse=True)
def _forked_dvc(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run dvc in forks of a process that has imported it, where a test is not about processes."""
    is_real = request.node.get_closest_marker("real_processes") is not None
    monkeypatch.setattr(Mode, "is_forked", not is_real)
    monkeypatch.setattr("sceneset.storage.dvc.subprocess", ForkingSubprocess())
