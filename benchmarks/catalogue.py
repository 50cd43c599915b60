"""Measure the catalogue of 100,000 samples in 30 subsets: `make bench-site`.

The pictures are a few hundred drawn ones; each file is made different by bytes that decoders skip,
so that every thumbnail is drawn.
"""

import argparse
import io
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import tables
from sceneset.storage.files import md5_of
from timing import OURS, Report, process

SAMPLES, SUBSETS, NEW = 100_000, 30, 10
SIZE = (640, 360)
_DIFFERENT = 200


def pictures() -> list[tuple[bytes, bytes]]:
    """Return images and their masks."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(_DIFFERENT):
        small = random.integers(0, 256, (9, 16, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
        shape = Image.fromarray(random.integers(0, 256, (6, 10), dtype=np.uint8))
        rough = np.asarray(shape.resize(SIZE, Image.Resampling.BICUBIC)) > 150
        jpeg, png = io.BytesIO(), io.BytesIO()
        image.save(jpeg, "JPEG", quality=85)
        Image.fromarray(rough.astype(np.uint8)).save(png, "PNG")
        found.append((jpeg.getvalue(), png.getvalue()))
    return found


def numbered(image: bytes, mask: bytes, number: int) -> tuple[bytes, bytes]:
    """Return the files with a number in a comment."""
    comment = f"{number:08d}".encode()
    jpeg = image[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + image[2:]
    content = b"tEXtnumber\0" + comment
    length, check = (len(content) - 4).to_bytes(4, "big"), zlib.crc32(content).to_bytes(4, "big")
    return jpeg, mask[:-12] + length + content + check + mask[-12:]


def fill(root: Path, numbers: Iterator[int], drawn: list[tuple[bytes, bytes]]) -> None:
    """Give every sample of a registry of tables its files in the cache."""
    for path in sorted((root / "registry/scans").glob("*.parquet")):
        table = pq.read_table(path)
        hashes: list[list[bytes]] = [[], []]
        for _ in range(table.num_rows):
            number = next(numbers)
            for place, data in enumerate(numbered(*drawn[number % len(drawn)], number)):
                md5 = md5_of(data)
                hashes[place].append(bytes.fromhex(md5))
                file = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        values = {"image_md5": hashes[0], "mask_md5": hashes[1]}
        for name, column in values.items():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.field(place), pa.array(column, pa.binary(16)))
        for name, value in zip(("width", "height"), SIZE, strict=True):
            place = table.schema.get_field_index(name)
            column = pa.array([value] * table.num_rows, table.field(place).type)
            table = table.set_column(place, table.field(place), column)
        pq.write_table(table, path)


def add_new(root: Path, drawn: list[tuple[bytes, bytes]], count: int, first: int) -> None:
    """Replace some images of the first subset by new ones, as a delivery of ten would add."""
    path = min((root / "registry/scans").glob("*.parquet"))
    table = pq.read_table(path)
    place = table.schema.get_field_index("image_md5")
    hashes = table["image_md5"].to_pylist()
    for number in range(count):
        data, _ = numbered(*drawn[number], first + number)
        md5 = md5_of(data)
        file = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        hashes[len(hashes) // 2 + number] = bytes.fromhex(md5)
    pq.write_table(
        table.set_column(place, table.field(place), pa.array(hashes, pa.binary(16))), path
    )


def add_to(report: Report, folder: Path, samples: int, subsets: int) -> None:
    """Build the catalogue: from nothing, again, and after ten new images."""
    root, to = folder / "registry", folder / "catalogue"
    tables.create_registry(root, samples, subsets)
    drawn = pictures()
    fill(root, iter(range(samples)), drawn)
    run = process(*OURS, "site", "--to", to, cwd=root)
    with report.section(f"Catalogue of {samples:,} samples in {subsets} subsets"):

        def measure(what: str) -> None:
            before = time.perf_counter()
            run()
            seconds = time.perf_counter() - before
            report.line(what, f"{seconds:.1f} s", f"{samples / seconds:,.0f} samples/s")

        program = Path(__file__).with_name("peak_memory.py")
        before = time.perf_counter()
        memory = str(process(sys.executable, program, "site", to, cwd=root)()).strip()
        seconds = time.perf_counter() - before
        rate = f"{samples / seconds:,.0f} samples/s; {memory} MB peak memory"
        report.line("first build: draws all pictures", f"{seconds:.1f} s", rate)
        shutil.rmtree(to)
        measure("build with all pictures drawn before")
        measure("build when nothing changed")
        add_new(root, drawn, NEW, samples)
        measure(f"build after {NEW} new images")
        first = len((to / "en/index.html").read_bytes())
        size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
        report.line("first page", f"{first / 1000:.0f} kB", "")
        report.line("whole catalogue", f"{size / 1e6:.0f} MB", f"{size / samples:,.0f} B a sample")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--subsets", type=int, default=SUBSETS)
    args = parser.parse_args()
    report = Report("Catalogue")
    with tempfile.TemporaryDirectory(prefix="sceneset-bench-") as folder:
        add_to(report, Path(folder), args.samples, args.subsets)
    report.show()


if __name__ == "__main__":
    main()
