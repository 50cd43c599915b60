"""Compare ways to download one scene of a version from S3: `make bench-pull`.

A subset of 6,003 drawn pairs (12,006 files) is served by `rclone serve s3` on this machine; one of
its scenes has 905 images. The programs run in turns, each without a cache or a clone. The ratios
are more reliable than the seconds.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from timing import OURS, Report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from sceneset.storage.files import md5_of
from support.servers import BUCKET, KEYS, S3, s3_server

PAIRS, SCENE = 6003, 905
NAME = "CustomSeg_Person_20240115_bench"
TAG = "insta360-semantic-seg@v1.0.0"
PROGRAMS = Path(sys.executable).parent
AUTHOR = {
    f"GIT_{role}_{what}": "bench@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
ENV = {**os.environ, **KEYS, **AUTHOR, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


def run(*words: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        env={**ENV, **(env or {})},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words[:6]))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def draw(folder: Path, pairs: int, scene: int) -> None:
    """Write noisy images of about 40 KB, each with a different mask."""
    random = np.random.default_rng(905)
    for part in ("img_dir/train", "ann_dir/train", "split_dir"):
        (folder / part).mkdir(parents=True)
    stems = [f"{number:06d}" for number in range(pairs)]
    for stem in stems:
        pixels = random.integers(0, 256, (160, 213, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"img_dir/train/{stem}.jpg", quality=92)
        mask = (random.random((20, 27)) < 0.5).astype(np.uint8)
        scaled = Image.fromarray(mask).resize((213, 160), Image.Resampling.NEAREST)
        scaled.save(folder / f"ann_dir/train/{stem}.png")
    for file, listed in (("total", stems), ("ski", stems[:scene]), ("city", stems[scene:])):
        text = "".join(f"{stem}\n" for stem in listed)
        (folder / f"split_dir/{file}.txt").write_text(text)


def build(folder: Path, quiet: S3, loud: S3, pairs: int, scene: int) -> Path:
    """Create a registry of drawn pairs with its blobs on the servers, released as 1.0.0.

    Both servers have the same blobs. ``loud`` logs its requests, which would slow down ``quiet``.
    """
    delivery, root = folder / "delivery", folder / "registry"
    draw(delivery, pairs, scene)
    run(*OURS, "init", root, cwd=folder)
    run(*OURS, "add", delivery, "--name", NAME, cwd=root)
    for name, server in (("loud", loud), ("store", quiet)):
        words = ("--endpoint", server.url, "--name", name)
        run(*OURS, "remote", f"s3://{BUCKET}/people", *words, cwd=root)
    run(sys.executable, "-m", "dvc", "repro", cwd=root)
    assert quiet.folder is not None
    shutil.copytree(root / ".dvc/cache/files", quiet.folder / BUCKET / "people/files")
    run("git", "add", "--all", cwd=root)
    run("git", "commit", "--quiet", "--message", "A subset", cwd=root)
    run(*OURS, "release", "1.0.0", cwd=root)
    shutil.rmtree(root / ".dvc/cache")
    return root


class Scene:
    """One scene of a version, and the ways to download it."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.config = {"SCENESET_CONFIG_DIR": str(folder / "config")}
        trusting = self.config | {"SCENESET_CACHE_DIR": str(folder / "trusting")}
        for remote in ("store", "loud"):
            source = (f"file://{root}", "--rev", "1.0.0", "--remote", remote)
            run(*OURS, "trust", *source, cwd=root, env=trusting)
        samples = json.loads(run(*OURS, "lookup", "ski", "--samples", "--json", cwd=root))
        self.files = [(s[f"{what}_md5"], s[what]) for s in samples for what in ("image", "mask")]

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def by_sceneset(self, remote: str, _: S3) -> Path:
        """Pull by scene and version from a URL."""
        here = self._new_folder()
        environment = self.config | {"SCENESET_CACHE_DIR": str(here / "cache")}
        source = ("--rev", "1.0.0", "--repo", f"file://{self.root}", "--remote", remote)
        run(*OURS, "pull", "ski", *source, "--to", here / "ski", cwd=here, env=environment)
        return here

    def by_dvc(self, remote: str, _: S3) -> Path:
        """Clone the registry, and pull a list of files."""
        here = self._new_folder()
        run("git", "clone", "--quiet", "--branch", TAG, f"file://{self.root}", "clone", cwd=here)
        environment = {"DVC_SITE_CACHE_DIR": str(here / "site"), "DVC_NO_ANALYTICS": "true"}
        targets = [path for _, path in self.files]
        dvc = (sys.executable, "-m", "dvc", "pull", "--remote", remote)
        run(*dvc, *targets, cwd=here / "clone", env=environment)
        return here

    def by_s5cmd(self, _: str, server: S3) -> Path:
        """Copy a list of objects in parallel, without verifying them."""
        here = self._new_folder()
        lines = (
            f"cp s3://{BUCKET}/people/files/md5/{md5[:2]}/{md5[2:]} {here / path}\n"
            for md5, path in self.files
        )
        (here / "commands").write_text("".join(lines))
        options = ("--endpoint-url", server.url, "--log", "error")
        run(PROGRAMS / "s5cmd", *options, "run", here / "commands", cwd=here)
        return here

    def check_and_delete(self, here: Path) -> None:
        """Compare the downloaded files with the scene, and delete them."""
        shutil.rmtree(here / "clone/.dvc", ignore_errors=True)  # the cache may have these suffixes
        files = [path for path in here.rglob("*.*") if path.suffix in {".jpg", ".png"}]
        found = sorted((md5_of(path.read_bytes()), path.name) for path in files)
        assert found == sorted((md5, Path(path).name) for md5, path in self.files)
        shutil.rmtree(here)


def add_to(report: Report, folder: Path, pairs: int, scene: int, rounds: int) -> None:
    """Count the requests of each way once, then time the ways in turns, and add the results."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        report.section(f"Pull {scene:,} of {pairs:,} pairs from S3, on this machine"),
        s3_server("rclone", folder / "quiet") as quiet,
        s3_server("rclone", folder / "loud", verbose=True, objects=quiet.folder) as loud,
    ):
        downloads = Scene(build(folder, quiet, loud, pairs, scene), folder)
        ways: dict[str, Callable[[str, S3], Path]] = {
            "sceneset pull": downloads.by_sceneset,
            "dvc pull, the same targets": downloads.by_dvc,
            "limit: s5cmd": downloads.by_s5cmd,
        }
        notes = {
            "sceneset pull": "by scene and version, from a URL; each blob verified",
            "dvc pull, the same targets": "a clone and a list of files",
            "limit: s5cmd": "a raw copy of listed objects; nothing verified",
        }
        for name, way in ways.items():
            before = len(loud.requests("GET"))
            downloads.check_and_delete(way("loud", loud))
            notes[name] += f"; {len(loud.requests('GET')) - before:,} GETs"
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                here = way("store", quiet)
                seconds[name].append(time.perf_counter() - start)
                downloads.check_and_delete(here)
        report.add(seconds, notes)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    report = Report("A scene of a pinned version")
    with tempfile.TemporaryDirectory(prefix="sceneset-bench-") as folder:
        add_to(report, Path(folder), PAIRS, SCENE, rounds)
    report.show()


if __name__ == "__main__":
    main()
