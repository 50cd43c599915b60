"""Use sceneset.torch with the PyTorch of another environment.

    python train_torch.py SITE_PACKAGES MODE REGISTRY CACHE

The packages of SITE_PACKAGES come after those of the Python that runs this program.
"""

import hashlib
import json
import os
import sys
from functools import partial
from pathlib import Path

sys.path.append(sys.argv[1])

import torch
from torch.utils.data import DataLoader

from sceneset import Registry
from sceneset.torch import (
    EpochSampler,
    SegmentationDataset,
    StreamingDataset,
    collate,
    from_folder,
    from_registry,
)

MODE, ROOT, CACHE = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])


def source(*scenes: str, **options):
    return from_registry(Registry.open(ROOT), *scenes, cache=CACHE, **options)


def rows(items) -> dict[str, dict]:
    return {
        item["key"]: {
            "image": hashlib.sha256(item["image"].permute(1, 2, 0).numpy().tobytes()).hexdigest(),
            "mask": hashlib.sha256(item["mask"].numpy().tobytes()).hexdigest(),
            "shape": list(item["image"].shape),
            "types": [str(item["image"].dtype), str(item["mask"].dtype)],
        }
        for item in items
    }


def keys(loader) -> list[list[str]]:
    return [batch["key"] for batch in loader]


def pixels() -> dict:
    """Read all samples: by position, in batches, in workers that fork and spawn, as a stream."""
    data = SegmentationDataset(source(), readers=2)
    single = [data[n] for n in range(len(data))]
    batched = data.__getitems__(range(len(data)))
    found = {"single": rows(single), "batched": rows(batched), "last": data[-1]["key"]}
    for way in ("fork", "spawn"):
        loader = DataLoader(
            data, batch_size=4, num_workers=2, multiprocessing_context=way, collate_fn=list
        )
        found[way] = rows(item for batch in loader for item in batch)
    stream = StreamingDataset(source(), seed=1)
    loader = DataLoader(stream, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    found["stream"] = rows(loader)
    pulled = CACHE.parent / "pulled"
    Registry.open(ROOT).pull(to=pulled)
    found["folder"] = rows(SegmentationDataset(from_folder(pulled)).__getitems__(range(9)))
    return found


def order() -> dict:
    """Return the order of batches with other numbers of workers, epochs and processes."""
    data = SegmentationDataset(source())
    found: dict = {}
    for workers in (0, 1, 3):
        sampler = EpochSampler(data, seed=5)
        loader = DataLoader(
            data, batch_size=2, sampler=sampler, num_workers=workers, collate_fn=collate
        )
        found[f"workers {workers}"] = []
        for epoch in (0, 1, 0):
            sampler.set_epoch(epoch)
            found[f"workers {workers}"].append(keys(loader))
    for rank in (0, 1):
        sampler = EpochSampler(data, seed=5, rank=rank, world=2)
        found[f"rank {rank}"] = [data.source.samples[n].key for n in sampler]
        assert len(found[f"rank {rank}"]) == len(sampler)
        os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2"}
        stream = StreamingDataset(source(), seed=5)
        loader = DataLoader(
            stream, batch_size=None, num_workers=2, persistent_workers=True, prefetch_factor=1
        )
        found[f"stream {rank}"] = []
        for epoch in (0, 1, 0):
            stream.set_epoch(epoch)
            found[f"stream {rank}"].append([item["key"] for item in loader])
    return found


def _draw(rank: int, folder: Path) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    data = SegmentationDataset(source())
    drawn = [data.source.samples[n].key for n in EpochSampler(data, seed=5)]
    (folder / f"{rank}.json").write_text(json.dumps(drawn))
    torch.distributed.destroy_process_group()


def distributed() -> dict:
    """Return what two processes of torch.distributed draw."""
    folder = CACHE.parent
    context = torch.multiprocessing.get_context("fork")
    processes = [context.Process(target=_draw, args=(rank, folder)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
        assert process.exitcode == 0
    return {str(rank): json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)}


def batches() -> dict:
    """Join drawn tensors of several sizes."""
    items = [
        {
            "image": torch.full((3, height, width), height, dtype=torch.uint8),
            "mask": torch.ones((height, width), dtype=torch.uint8),
            "key": f"{height}x{width}",
        }
        for height, width in ((4, 9), (7, 5))
    ]
    found = {}
    for name, options in {
        "pad": {},
        "crop": {"fit": "crop"},
        "pad 8": {"divisor": 8},
        "crop 4": {"fit": "crop", "divisor": 4},
        "size": {"size": (6, 6)},
    }.items():
        batch = partial(collate, **options)(items)
        found[name] = {
            "image": list(batch["image"].shape),
            "mask": [list(batch["mask"].shape), str(batch["mask"].dtype)],
            "ignored": [(mask == 255).sum().item() for mask in batch["mask"]],
            "sums": [image.sum().item() for image in batch["image"]],
            "sizes": batch["size"].tolist(),
        }
    return found


def transforms() -> dict:
    """Pass torchvision's tensors to a transform that turns images and masks together."""
    import standins  # noqa: F401
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    seen = []

    def transform(image, mask):
        seen.append([type(image) is tv_tensors.Image, type(mask) is tv_tensors.Mask])
        return v2.RandomHorizontalFlip(p=1.0)(image, mask)

    plain = SegmentationDataset(source())
    turned = SegmentationDataset(source(), transform, tv_tensors=True)
    batch = collate([turned[0], turned[1]])
    return {
        "seen": seen,
        "type": type(batch["image"]).__name__,
        "flipped": all(
            torch.equal(torch.as_tensor(turned[n][k]), plain[n][k].flip(-1))
            for n in range(len(plain))
            for k in ("image", "mask")
        ),
    }


def bound() -> dict:
    """Train several epochs with a cache that can't hold all files."""
    data = StreamingDataset(source(cache_bytes=6_000), seed=2)
    sizes, counts = [], []
    for epoch in range(3):
        data.set_epoch(epoch)
        counts.append(sum(1 for _ in DataLoader(data, batch_size=None, num_workers=2)))
        sizes.append(sum(path.stat().st_size for path in CACHE.glob("??/*")))
    return {"sizes": sizes, "counts": counts}


def errors() -> dict:
    """Return the error of a damaged blob in a worker."""
    data = SegmentationDataset(source(cache_bytes=0))
    try:
        keys(DataLoader(data, batch_size=4, num_workers=1, collate_fn=collate))
    except Exception as error:
        return {"blob": [type(error).__name__, str(error)]}
    return {}


def loop() -> dict:
    """Run the program of the documentation."""
    os.chdir(ROOT)
    space: dict = {}
    torch.manual_seed(0)
    exec(sys.stdin.read(), space)
    return {"loss": space["loss"].item(), "epoch": space["epoch"]}


def predict() -> dict:
    """Run the program of the documentation that writes predictions."""
    os.chdir(ROOT)
    space: dict = {}
    exec(sys.stdin.read(), space)
    return {"last": space["item"]["key"]}


if __name__ == "__main__":
    print(json.dumps(globals()[MODE]()))
