"""The space that `add` requires is at least the space that it occupies at any time."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, Run, dvc, make_delivery

FOLDERS = ("registry", "databases", "temporary")
SMALL, LARGE = 4, 250  # samples; with the larger one, DVC creates most folders of its cache
sweep = pytest.mark.sweep


class DiskUsage:
    """What folders occupy, including their own blocks, now and at most so far."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self.peak = 0

    def measure(self) -> int:
        seen: set[tuple[int, int]] = set()  # hard links are counted once
        total = 0
        for path in self._paths():
            try:
                status = os.lstat(path)
            except OSError:
                continue  # it was renamed or deleted meanwhile
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
        self.peak = max(self.peak, total)
        return total

    def _paths(self) -> Iterator[str]:
        for top in self._folders:
            for folder, _, files in os.walk(top):
                yield folder
                yield from (f"{folder}/{name}" for name in files)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Measure again and again while the block runs."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.02):
                self.measure()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.measure()


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        (SMALL, "copy"),
        (LARGE, "copy"),
        *(
            pytest.param(samples, kind, marks=sweep)
            for samples in (SMALL, LARGE)
            for kind in ("reflink,copy", "hardlink", "symlink")
        ),
    ],
)
def test_add_occupies_no_more_than_it_requires(
    samples: int,
    kind: str,
    registry: Path,
    tmp_path: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dvc(registry, "config", "cache.type", kind)
    for name in FOLDERS:
        (tmp_path / name).mkdir(exist_ok=True)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "databases"))
    stems = [f"s{number:04}" for number in range(samples)]
    delivery = make_delivery(tmp_path / "delivery", train=stems, splits={"ski.txt": stems})
    for number, stem in enumerate(stems):  # different masks, so that each is a blob of its own
        noise = np.random.default_rng(number).integers(0, 2, (24, 32), dtype=np.uint8)
        Image.fromarray(noise).save(delivery / f"ann_dir/train/{stem}.png")
    words = ("add", str(delivery), "--name", NAME)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        refused = sceneset(*words, cwd=registry)
    match = re.search(r"([\d,]+) bytes are needed and 0 are free", refused.err)
    assert match, refused.err
    required = int(match[1].replace(",", ""))
    usage = DiskUsage([tmp_path / name for name in FOLDERS])
    before = usage.measure()
    with usage.watched():
        done = subprocess.run(
            [sys.executable, "-m", "sceneset", *words],
            cwd=registry,
            env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert usage.peak - before <= required
