"""Create registries of any size with random tables and without images.

They have entries, tags, scans, .dvc files and dvc.lock: everything that the stages after the scan
read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from sceneset import Registry
from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.scan_table import FORMAT, arrow_schema
from sceneset.catalog.split_selection import split_files
from sceneset.cli.scaffold import lay_out
from sceneset.paths import DATA_ROOT
from sceneset.schemas.params import Algorithms
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase
from sceneset.storage.dvc_digests import digests_of_scan, folder_digest
from sceneset.storage.files import md5_of

# "ski" is rare, so that a look-up finds a small part of the registry, as in practice.
SCENES = {"city": 0.3, "indoor": 0.3, "sea": 0.2, "football": 0.1, "bike": 0.08, "ski": 0.02}
COPIES = 1000  # one in this many held-out images is similar to a training image


def create_registry(root: Path, images: int, subsets: int) -> None:
    """Create a registry of ``images`` samples in ``subsets`` subsets; a tenth is held out."""
    lay_out(root)
    names = [f"CustomSeg_Person_20240101_part-{n:03d}" for n in range(subsets)]
    lock: dict[str, object] = {}
    for seed, name in enumerate(names):
        lock |= write_subset(root, name, images // subsets, seed)
    list_subsets(root, names, lock)
    lock = {}
    for name in names:
        lock |= _write_splits(Registry(root), name)
    list_subsets(root, names, lock)


def list_subsets(root: Path, names: Sequence[str], lock: dict[str, object]) -> None:
    """Write the list of subsets to params.yaml, and add stages to dvc.lock as up to date."""
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    head, _, rest = text.partition("subsets:")
    rest = "\n".join(line for line in rest.split("\n")[1:] if not line.startswith(("  -", "- ")))
    listed = "subsets:\n" + "".join(f"  - {name}\n" for name in names)
    path.write_text(f"{head}{listed}{rest}")
    file = root / "dvc.lock"
    content = yaml.safe_load(file.read_text("utf-8")) if file.exists() else {"schema": "2.0"}
    content.setdefault("stages", {}).update(lock)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def _write_splits(registry: Registry, name: str) -> dict[str, object]:
    """Write the split files of a subset; return their stage for dvc.lock."""
    root, folder = registry.root, registry.paths.subset(name) / "split_dir"
    folder.mkdir()
    files = []
    for file, text in split_files(registry.entry(name), registry.tags(name)).items():
        (folder / file).write_text(text)
        files.append((file, md5_of(text.encode()), len(text)))
    errors = root / "registry/reports/errors.json"
    errors.parent.mkdir(exist_ok=True)
    errors.write_text("[]\n")
    deps = []
    for path in (errors, registry.paths.entry(name), registry.paths.tags(name)):
        data = path.read_bytes()
        shown = path.relative_to(root).as_posix()
        deps.append({"path": shown, "hash": "md5", "md5": md5_of(data), "size": len(data)})
    digest = folder_digest(files)
    out = {"path": folder.relative_to(root).as_posix(), "hash": "md5", "md5": digest.md5}
    return {
        f"splits@{name}": {
            "cmd": f"python -P -m sceneset.stages.splits {name} {Algorithms().splits}",
            "deps": deps,
            "outs": [out | {"size": digest.size, "nfiles": digest.files}],
        }
    }


def write_subset(root: Path, name: str, count: int, seed: int) -> dict[str, object]:
    """Write the files of one subset; return its scan stage for dvc.lock."""
    random = np.random.default_rng(seed)
    table = _scan(random, count, count // 10)
    path = root / f"registry/scans/{name}.parquet"
    pq.write_table(table, path)
    tags = list(_tags(random, table))
    lines = (",".join(row) + ",,\n" for row in tags)
    head = "phase,stem,scenes,persons,boxes,source\n"
    (root / f"registry/tags/{name}.csv").write_text(head + "".join(lines))
    groups = sorted({(phase, scene, persons) for phase, _, scene, persons in tags})
    rows = [SplitRow(scene=TOTAL, phase=p, file=f"total_{p}.txt") for p in (Phase.TRAIN, Phase.VAL)]
    rows += [
        SplitRow(scene=s, phase=Phase(p), persons=Persons(n), file=f"{s}_{n}_{p}.txt")
        for p, s, n in groups
    ]
    entry = Subset(name=name, kind=Kind.FULL, splits=tuple(rows))
    (root / f"registry/subsets/{name}.yaml").write_text(entry_text(entry))
    (root / DATA_ROOT / name).mkdir(parents=True)
    deps = []
    for folder, digest in sorted(digests_of_scan(table).items()):
        recorded = {"md5": digest.md5, "size": digest.size, "nfiles": digest.files}
        out = {"outs": [{**recorded, "hash": "md5", "path": folder}]}
        (root / DATA_ROOT / name / f"{folder}.dvc").write_text(yaml.safe_dump(out))
        deps.append({"path": f"{DATA_ROOT}/{name}/{folder}", "hash": "md5", **recorded})
    data = path.read_bytes()
    out = {"path": f"registry/scans/{path.name}", "hash": "md5", "md5": md5_of(data)}
    return {
        f"scan@{name}": {
            "cmd": f"python -P -m sceneset.stages.scan {name} {Algorithms().scan}",
            "deps": deps,
            "outs": [out | {"size": len(data)}],
        }
    }


def _scan(random: np.random.Generator, count: int, held: int) -> pa.Table:
    schema, values = arrow_schema(), _columns(random, count, held)
    arrays = []
    for field in schema:
        if field.name in values:
            arrays.append(values[field.name].cast(field.type))
        elif pa.types.is_integer(field.type):
            arrays.append(pa.array(random.integers(1, 8, count)).cast(field.type))
        elif pa.types.is_list(field.type):
            arrays.append(pa.array([[]] * count, field.type))
        else:
            arrays.append(pa.nulls(count, field.type))
    metadata = {"sceneset.format": FORMAT, "sceneset.algorithm": str(Algorithms().scan)}
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata(metadata))


def _columns(random: np.random.Generator, count: int, held: int) -> dict[str, pa.Array]:
    phases = ["train"] * (count - held) + ["val"] * held
    stems = [f"s{random.integers(1 << 32):08x}{n:07d}" for n in range(count)]
    stems = [*sorted(stems[: count - held]), *sorted(stems[count - held :])]  # as every scan is
    hashes = random.integers(0, 1 << 64, (count, 2), dtype=np.uint64)
    copies = held // COPIES
    if copies:
        flips = np.uint64(1) << random.integers(0, 64, copies, dtype=np.uint64)
        hashes[-copies:, 0] = hashes[:copies, 0] ^ flips
    found: dict[str, pa.Array] = {
        "phase": pa.array(phases).dictionary_encode(),
        "stem": pa.array(stems),
        "image": pa.array([f"{stem}.jpg" for stem in stems]),
        "mask": pa.array([f"{stem}.png" for stem in stems]),
        "mode": pa.array(["RGB"] * count).dictionary_encode(),
        "phash": pa.array(hashes[:, 0]),
        "phash_mirror": pa.array(hashes[:, 1]),
    }
    widths = {"image_md5": 16, "mask_md5": 16, "picture": 16, "phash_turned": 48, "pdq": 32}
    for name, wide in widths.items():
        raw = random.integers(0, 256, (count, wide), dtype=np.uint8)
        found[name] = pa.array([row.tobytes() for row in raw], pa.binary(wide))
    plain = {"width": 1280, "height": 720, "orientation": 1, "parts_total": 1, "holes_total": 0}
    plain |= {"person": 90_000, "parts": [90_000], "box": [100, 100, 500, 700]}
    plain |= {"ignore": 0, "straight": 0, "contrast": 200}
    for name, value in plain.items():
        found[name] = pa.array([value] * count)
    for channel in "rgb":
        found[f"sum_{channel}"] = pa.array(random.integers(10**8, 14 * 10**7, count))
        found[f"sq_{channel}"] = pa.array(random.integers(22 * 10**9, 25 * 10**9, count))
    return found


def _tags(random: np.random.Generator, table: pa.Table) -> Iterator[tuple[str, ...]]:
    """Yield the phase, stem, scene and persons of each sample."""
    count = len(table)
    scenes = random.choice(list(SCENES), count, p=list(SCENES.values())).tolist()
    persons = random.choice(["single", "multi"], count).tolist()
    yield from zip(
        table["phase"].to_pylist(), table["stem"].to_pylist(), scenes, persons, strict=True
    )
