"""Programs in tests/interop that run in the environments of other libraries."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.build import ROOT
from support.exports import IGNORE, PERSON, Exports

INTEROP, DATUMARO = "interop", "interop-datumaro"
Key = tuple[str, str, str]


def packages_of_torch() -> Path:
    """Return the packages of `make interop`, for programs that the Python of the tests runs."""
    packages = ROOT / f"build/{INTEROP}/lib/python3.{sys.version_info.minor}/site-packages"
    if not (ROOT / f"build/{INTEROP}/.ready").exists() or not packages.is_dir():
        pytest.skip(f"build/{INTEROP} is missing, or has another Python; run `make interop`")
    return packages


class Programs:
    """Runs readers and writers, each in its environment, offline, with its caches in a folder."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def run(self, program: str, *words: object, extra: str = "") -> dict[str, Any]:
        """Run a program of tests/interop; return what its last line says.

        Args:
            program: Path of the program in tests/interop.
            words: Its arguments.
            extra: A folder of build/interop whose packages come first.
        """
        environment = DATUMARO if "datumaro" in program or "label_studio" in program else INTEROP
        home = ROOT / "build" / environment
        if not (home / ".ready").exists():
            pytest.skip(f"build/{environment} is missing; run `make interop`")
        if extra and not (home / extra).is_dir():
            pytest.skip(f"build/{environment}/{extra} is missing; run `make interop`")
        variables = {
            name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ
        }
        variables |= {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        variables |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "YOLO_OFFLINE": "True"}
        for name in ("HOME", "HF_HOME", "YOLO_CONFIG_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME"):
            variables[name] = str(self._scratch)
        if extra:
            variables["PYTHONPATH"] = str(home / extra)
        command = [str(home / "bin/python"), str(ROOT / "tests/interop" / program)]
        done = subprocess.run(
            [*command, *map(str, words)],
            cwd=self._scratch,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        shown = f"{program}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, shown
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        result["printed"] = done.stdout + done.stderr
        return result


def by_sample(rows: Iterable[dict[str, Any]], exports: Exports) -> dict[Key, dict[str, Any]]:
    """Return the rows of a reader by sample, which the content of the image tells.

    So a mask that the reader pairs with another image is found, whatever the files are called.
    """
    key_of = {}
    for key, data in exports.images.items():
        pixels = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
        key_of |= {hashlib.sha256(content).hexdigest(): key for content in (data, pixels)}
    found: dict[Key, dict[str, Any]] = {}
    for row in rows:
        key = key_of[row["image"]]
        assert key not in found, f"{key} was read twice"
        assert row.get("phase", key[1]) == key[1]
        found[key] = row
    return found


def assert_masks(
    rows: Iterable[dict[str, Any]],
    exports: Exports,
    phases: Iterable[str] = ("train", "val", "test"),
    *,
    subset: str = "",
    expected: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> dict[Key, dict[str, Any]]:
    """Assert that a reader gave each sample once, with the right mask.

    Args:
        rows: What the reader printed.
        exports: The truth.
        phases: Phases that the reader was to give.
        subset: The only subset, or "" for all.
        expected: Returns the mask that remains of a true one: the stated loss of the format.
    """
    found = by_sample(rows, exports)
    wanted = {
        key: expected(mask)
        for key, mask in exports.truth.items()
        if key[1] in phases and subset in {"", key[0]}
    }
    assert found.keys() == wanted.keys()
    for key, mask in wanted.items():
        row = found[key]
        shape = (row["height"], row["width"])
        counts = int((mask == PERSON).sum()), int((mask == IGNORE).sum())
        assert (shape, (row["person"], row["ignore"])) == (mask.shape, counts), (key, row)
        digest = hashlib.sha256(np.ascontiguousarray(mask, np.uint8).tobytes()).hexdigest()
        assert row["mask"] == digest, f"{key}: other pixels"
    return found


def pixels_of(exports: Exports) -> np.ndarray:
    """Return the RGB values of all pixels of all images, n x 3."""
    pictures = (Image.open(io.BytesIO(data)).convert("RGB") for data in exports.images.values())
    return np.concatenate([np.asarray(picture).reshape(-1, 3) for picture in pictures])
