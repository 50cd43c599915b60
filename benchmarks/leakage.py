"""What the leakage gate costs as subsets grow: the whole stage, on drawn tables.

    python benchmarks/leakage.py [IMAGES]

Lays out a registry of IMAGES samples (a million by default) in 20 subsets, a tenth of them held
out, one in a thousand a copy that looks like a training image; runs the stage `leakage` as DVC
does, and prints what it found, its time and its memory, at near distance alone and with review.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from sceneset.registry.add import entry_text
from sceneset.registry.scaffold import lay_out
from sceneset.registry.scanfile import FORMAT, arrow_schema
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.words import Kind, Phase

SUBSETS = 20


def columns(random: np.random.Generator, count: int, held: int) -> dict[str, pa.Array]:
    """Draw the columns of a scan: ``held`` samples of val, then those of train."""
    phases = ["train"] * (count - held) + ["val"] * held
    stems = [f"s{n:07d}" for n in range(count)]
    looks = random.integers(0, 1 << 64, (count, 2), dtype=np.uint64)
    copies = max(1, count // 1000)
    flips = np.uint64(1) << random.integers(0, 64, copies, dtype=np.uint64)
    looks[-copies:, 0] = looks[:copies, 0] ^ flips
    found: dict[str, pa.Array] = {
        "phase": pa.array(phases).dictionary_encode(),
        "stem": pa.array(stems),
        "image": pa.array([f"{stem}.jpg" for stem in stems]),
        "mask": pa.array([f"{stem}.png" for stem in stems]),
        "phash": pa.array(looks[:, 0]),
        "phash_mirror": pa.array(looks[:, 1]),
    }
    for name, wide in (("image_md5", 16), ("mask_md5", 16), ("pdq", 32)):
        raw = random.integers(0, 256, (count, wide), dtype=np.uint8)
        found[name] = pa.array([row.tobytes() for row in raw], pa.binary(wide))
    return found


def lay(root: Path, images: int) -> None:
    """Lay out a registry of drawn tables."""
    lay_out(root)
    random, schema = np.random.default_rng(905), arrow_schema()
    names = [f"CustomSeg_Person_20240101_part-{n:02d}" for n in range(SUBSETS)]
    count = images // SUBSETS
    for name in names:
        drawn = columns(random, count, count // 10)
        arrays = []
        for field in schema:
            if field.name in drawn:
                arrays.append(drawn[field.name].cast(field.type))
            elif pa.types.is_integer(field.type):
                arrays.append(pa.array(random.integers(1, 8, count)).cast(field.type))
            else:
                arrays.append(pa.nulls(count, field.type))
        metadata = {"sceneset.format": FORMAT, "sceneset.algorithm": "2"}
        table = pa.Table.from_arrays(arrays, schema=schema.with_metadata(metadata))
        pq.write_table(table, root / f"registry/scans/{name}.parquet")
        pairs = zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
        rows = "".join(f"{phase},{stem},ski,single,,\n" for phase, stem in pairs)
        head = "phase,stem,scenes,persons,boxes,source\n"
        (root / f"registry/tags/{name}.csv").write_text(head + rows)
        splits = [
            SplitRow(scene="total", phase=p, file=f"{p}.txt") for p in (Phase.TRAIN, Phase.VAL)
        ]
        entry = Subset(name=name, kind=Kind.FULL, splits=tuple(splits))
        (root / f"registry/subsets/{name}.yaml").write_text(entry_text(entry))
    params = root / "params.yaml"
    listed = "subsets:\n" + "".join(f"  - {name}\n" for name in names)
    params.write_text(params.read_text("utf-8").replace("subsets: []\n", listed))


def main(images: int) -> None:
    """Run the stage, and print what it costs."""
    shown = Table(
        title=f"leakage of {images:,} samples in {SUBSETS} subsets, {os.cpu_count()} cores"
    )
    for column in ("distance", "findings", "seconds", "MB"):
        shown.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "registry"
        lay(root, images)
        text = (root / "params.yaml").read_text("utf-8")
        for what, review in (("near, 8 bits", 0), ("and review, 10 bits", 10)):
            (root / "params.yaml").write_text(text.replace("review: 10", f"review: {review}"))
            began = time.perf_counter()
            command = [sys.executable, "-m", "sceneset.stages.leakage"]
            subprocess.run(command, cwd=root, check=False, capture_output=True)
            seconds = time.perf_counter() - began
            memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            lines = (root / "registry/reports/leakage.json").read_text().count('"code"')
            shown.add_row(what, f"{lines:,}", f"{seconds:.1f}", f"{memory:,}")
    Console().print(shown)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
