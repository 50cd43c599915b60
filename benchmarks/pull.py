"""Pull one scene of a pinned version from S3, beside what else could do it: `make bench-pull`.

A subset of 6,003 drawn pairs (12,006 files) stands on `rclone serve s3`, on loopback; one of its
scenes has 905 images. Contestants take turns, each from nothing: no cache, no clone. Machines are
noisy: read the ratios, not the seconds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from servers import BUCKET, KEYS, S3, s3_server

PAIRS, SCENE = 6003, 905
NAME = "CustomSeg_Person_20240115_bench"
RECORD = "insta360-semantic-seg@v1.0.0"
PROGRAMS = Path(sys.executable).parent
WHO = {
    f"GIT_{role}_{what}": "bench@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
ENV = {**os.environ, **KEYS, **WHO, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


def run(*words: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command; return what it printed."""
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


def draw(folder: Path) -> None:
    """Write 6,003 noisy images of about 40 kB, and a mask of its own for each."""
    random = np.random.default_rng(905)
    for part in ("img_dir/train", "ann_dir/train", "split_dir"):
        (folder / part).mkdir(parents=True)
    stems = [f"{number:06d}" for number in range(PAIRS)]
    for stem in stems:
        pixels = random.integers(0, 256, (160, 213, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"img_dir/train/{stem}.jpg", quality=92)
        mask = (random.random((20, 27)) < 0.5).astype(np.uint8)
        whole = Image.fromarray(mask).resize((213, 160), Image.Resampling.NEAREST)
        whole.save(folder / f"ann_dir/train/{stem}.png")
    for file, listed in (("total", stems), ("ski", stems[:SCENE]), ("city", stems[SCENE:])):
        text = "".join(f"{stem}\n" for stem in listed)
        (folder / f"split_dir/{file}.txt").write_text(text)


def build(folder: Path, server: S3) -> Path:
    """Make a registry of the drawn pairs, its blobs on the server, released as 1.0.0."""
    delivery, root = folder / "delivery", folder / "registry"
    draw(delivery)
    command = (sys.executable, "-m", "sceneset.registry.cli")
    run(*command, "init", root, cwd=folder)
    run(*command, "add", delivery, "--name", NAME, cwd=root)
    url = f"s3://{BUCKET}/people"
    run(*command, "remote", url, "--endpoint", server.url, cwd=root)
    run(sys.executable, "-m", "dvc", "repro", cwd=root)
    assert server.folder is not None
    shutil.copytree(root / ".dvc/cache/files", server.folder / BUCKET / "people/files")
    run("git", "add", "--all", cwd=root)
    run("git", "commit", "--quiet", "--message", "A subset", cwd=root)
    who = {
        f"GIT_{role}_{what}": "Bench"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    run(*command, "release", "1.0.0", cwd=root, env=who)
    shutil.rmtree(root / ".dvc/cache")
    return root


def contestants(root: Path, server: S3, folder: Path) -> dict[str, Callable[[], Path]]:
    """Return each way to get the scene's 1,810 files; a call returns the folder they are in."""
    command = (sys.executable, "-m", "sceneset.registry.cli")
    samples = json.loads(run(*command, "lookup", "ski", "--samples", "--json", cwd=root))
    wanted = [(s[f"{what}_md5"], s[what]) for s in samples for what in ("image", "mask")]

    def fresh() -> Path:
        return Path(tempfile.mkdtemp(dir=folder))

    def sceneset() -> Path:
        here = fresh()
        own = {"SCENESET_CACHE_DIR": str(here / "cache")}
        words = ("pull", "ski", "--rev", "1.0.0", "--repo", f"file://{root}", "--to", here / "ski")
        run(*command, *words, cwd=here, env=own)
        return here / "ski"

    def dvc() -> Path:
        here = fresh()
        run("git", "clone", "--quiet", "--branch", RECORD, f"file://{root}", "clone", cwd=here)
        targets = [path for _, path in wanted]
        own = {"DVC_SITE_CACHE_DIR": str(here / "site"), "DVC_NO_ANALYTICS": "true"}
        run(sys.executable, "-m", "dvc", "pull", *targets, cwd=here / "clone", env=own)
        return here / "clone"

    def s5cmd() -> Path:
        here = fresh()
        lines = (
            f"cp s3://{BUCKET}/people/files/md5/{md5[:2]}/{md5[2:]} {here / path}\n"
            for md5, path in wanted
        )
        (here / "commands").write_text("".join(lines))
        options = ("--endpoint-url", server.url, "--log", "error")
        run(PROGRAMS / "s5cmd", *options, "run", here / "commands", cwd=here)
        return here

    return {"sceneset pull": sceneset, "dvc pull, the same targets": dvc, "limit: s5cmd": s5cmd}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="contestants whose names hold this")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        with s3_server("rclone", folder / "server") as server:
            report(build(folder, server), server, folder, args.rounds)
    finally:
        shutil.rmtree(folder)


def report(root: Path, server: S3, folder: Path, rounds: int) -> None:
    """Let the contestants take turns, count their requests, and print the table."""
    ways = contestants(root, server, folder)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    gets: dict[str, int] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            before = len(server.requests("GET"))
            start = time.perf_counter()
            got = way()
            seconds[name].append(time.perf_counter() - start)
            gets[name] = len(server.requests("GET")) - before
            files = sum(p.suffix in {".jpg", ".png"} for p in got.rglob("*") if p.is_file())
            assert files == 2 * SCENE, (name, files)
            shutil.rmtree(got)
    table = Table(
        title=f"{SCENE} of {PAIRS} pairs from S3, {os.cpu_count()} cores, {rounds} rounds"
    )
    for column in ("what", "seconds", "time against ours", "GETs"):
        table.add_column(column)
    ours = seconds["sceneset pull"]
    for name, spent in seconds.items():
        ratio = statistics.median(b / a for a, b in zip(ours, spent, strict=True))
        middle = statistics.median(spent)
        table.add_row(name, f"{middle:.2f}", f"{ratio:.2f}", f"{gets[name]:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
