"""Train a small U-Net on a registry, on the CPU, and write predictions for `sceneset evaluate`.

    python examples/train_unet.py --repo ~/people --rev 1.0.0 --to ~/runs/first --epochs 2
    python examples/train_unet.py ski city --to ~/runs/second --epochs 10 --augment
    python examples/train_unet.py --to ~/runs/third --minutes 5

It trains on the samples of the phase train, and predicts those of the phase val. Each prediction is
a PNG file SUBSET/PHASE/STEM.png of the size of its image: the probability of person, 0 to 255.

The same arguments give the same files with the same PyTorch on the same kind of CPU; with
--minutes, the number of steps depends on the speed. docs/walk-train-evaluate.md explains each step.
"""

import argparse
import math
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from sceneset import Registry
from sceneset.errors import SceneSetError
from sceneset.torch import EpochSampler, SegmentationDataset, collate, from_registry

IGNORE = 255
DEPTH = 4  # the network halves its input this often


class UNet(nn.Module):  # type: ignore[misc] # PyTorch is optional
    """A U-Net (Ronneberger et al. 2015): halve, double again, and join what has the same size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(DEPTH + 1)]
        inputs = [3, *widths[:-1]]
        self.down = nn.ModuleList(map(_convolutions, inputs, widths))
        self.up = nn.ModuleList(
            _convolutions(low + high, high)
            for high, low in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores of background and person, n x 2 x height x width.

        Args:
            images: uint8, n x 3 x height x width; the sides are multiples of 2**DEPTH.
        """
        found = images.float() / 127.5 - 1
        passed = []
        for level, block in enumerate(self.down):
            found = block(functional.max_pool2d(found, 2) if level else found)
            passed.append(found)
        for block, beside in zip(self.up, passed[-2::-1], strict=True):
            wide = functional.interpolate(found, scale_factor=2.0, mode="nearest")
            found = block(torch.cat([wide, beside], dim=1))
        scores: Tensor = self.head(found)
        return scores


def _convolutions(inputs: int, outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


def scaled(image: Tensor, mask: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return an image and its mask with a longer side of ``side`` pixels."""
    factor = side / max(image.shape[-2:])
    size = [max(1, round(length * factor)) for length in image.shape[-2:]]
    pixels = functional.interpolate(image[None], size, mode="bilinear", antialias=True)
    values = functional.interpolate(mask[None, None], size, mode="nearest-exact")
    return pixels[0], values[0, 0]


def augmented(image: Tensor, mask: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return a random part of an image, perhaps mirrored, with another brightness and contrast."""
    share, down, right, mirror, contrast, brightness = torch.rand(6).tolist()
    height, width = (max(1, round(n * (0.6 + 0.4 * share))) for n in image.shape[-2:])
    top = round(down * (image.shape[-2] - height))
    left = round(right * (image.shape[-1] - width))
    part = (..., slice(top, top + height), slice(left, left + width))
    image, mask = scaled(image[part].contiguous(), mask[part].contiguous(), side)
    if mirror < 0.5:
        image, mask = image.flip(-1), mask.flip(-1)
    pixels = image.float() * (0.7 + 0.6 * contrast) + 60 * (brightness - 0.5)
    return pixels.clamp(0, 255).to(torch.uint8), mask


def train(args: argparse.Namespace, source: Any) -> UNet:
    """Return a network trained on samples; each epoch prints the mean of its loss."""
    change = partial(augmented if args.augment else scaled, side=args.side)
    data = SegmentationDataset(source, change)
    sampler = EpochSampler(data, seed=args.seed)
    fit: Any = partial(collate, divisor=2**DEPTH)
    loader = DataLoader(data, batch_size=args.batch, sampler=sampler, collate_fn=fit)
    model = UNet(args.width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate)
    started, epochs = time.monotonic(), args.epochs or math.inf
    epoch, done = 0, 0.0  # done: the share of the training that is behind
    while done < 1:
        sampler.set_epoch(epoch)
        total = 0.0
        for step, batch in enumerate(loader):
            minutes = (time.monotonic() - started) / 60
            done = max((epoch + step / len(loader)) / epochs, minutes / (args.minutes or math.inf))
            for group in optimizer.param_groups:  # the rate falls along half a cosine
                group["lr"] = args.rate * (1 + math.cos(math.pi * min(done, 1))) / 2
            scores = model(batch["image"])
            mask, known = batch["mask"], (batch["mask"] != IGNORE).sum()
            loss = functional.cross_entropy(scores, mask, ignore_index=IGNORE, reduction="sum")
            loss = loss / known.clamp(min=1)  # all pixels of a batch may be ignored
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if not math.isfinite(total):
            raise SystemExit("error: the loss is no number; use a smaller --rate")
        epoch += 1
        done = max(done, epoch / epochs)
        print(f"epoch {epoch}: loss {total / len(loader):.4f} of {len(data)} samples", flush=True)
    return model


def predict(args: argparse.Namespace, source: Any, model: UNet, folder: Path) -> None:
    """Write the probabilities of all samples."""
    data = SegmentationDataset(source)
    model.eval()
    for position in range(len(data)):
        item = data[position]
        image, mask = scaled(item["image"], item["mask"], args.side)
        batch = collate([{**item, "image": image, "mask": mask}], divisor=2**DEPTH)
        height, width = batch["size"][0].tolist()
        with torch.inference_mode():
            scores = model(batch["image"])[..., :height, :width]  # without what `collate` padded
        size = item["image"].shape[-2:]
        scores = functional.interpolate(scores, size, mode="bilinear", align_corners=False)
        levels = (255 * scores[0].softmax(dim=0)[1]).round().to(torch.uint8)
        path = folder / f"{item['key']}.png"  # SUBSET/PHASE/STEM.png; a stem may have a dot
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels.numpy()).save(path)


def options(words: list[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scene", nargs="*", help="scenes or selections (default: all samples)")
    parser.add_argument("--repo", default=".", help="folder or URL of the registry (default: .)")
    parser.add_argument("--rev", help="a version, tag or commit (default: the working tree)")
    parser.add_argument("--to", type=Path, required=True, metavar="RUN", help="a new folder")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="also save the network")
    parser.add_argument("--epochs", type=int, help="end after so many epochs")
    parser.add_argument("--minutes", type=float, help="end with the epoch at this time")
    parser.add_argument("--augment", action="store_true", help="train on changed images")
    parser.add_argument("--side", type=int, default=128, help="longer side that the network sees")
    parser.add_argument("--width", type=int, default=8, help="channels at full size")
    parser.add_argument("--batch", type=int, default=8, help="samples in a batch")
    parser.add_argument("--rate", type=float, default=0.003, help="learning rate at the start")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: 2)")
    args = parser.parse_args(words)
    if not args.epochs and not args.minutes:
        parser.error("say when to end: --epochs N or --minutes N")
    numbers = (args.epochs or 1, args.minutes or 1, args.width, args.batch, args.threads)
    if not all(number > 0 for number in numbers):
        parser.error("--epochs, --minutes, --width, --batch and --threads must be above 0")
    if args.side < 2 ** (DEPTH + 1):
        parser.error(f"--side must be {2 ** (DEPTH + 1)} or more: the network halves it often")
    args.part = args.to.with_name(f"{args.to.name}.part")
    for path in (args.to, args.part):
        if path.exists():
            parser.error(f"{path} exists; predictions of two runs must not mix: name a new folder")
    return args


def main() -> None:
    """Train, predict, and put the predictions in place when all are written."""
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(mode=True)
    try:
        registry = Registry.open(args.repo, rev=args.rev)
        sources = {
            phase: from_registry(registry, *args.scene, phases=[phase], notify=print)
            for phase in ("train", "val")
        }
        model = train(args, sources["train"])
        if args.weights:
            args.weights.parent.mkdir(parents=True, exist_ok=True)
            torch.save(model.state_dict(), args.weights)
        predict(args, sources["val"], model, args.part)
    except SceneSetError as error:
        raise SystemExit(f"error: {error}") from None
    args.part.rename(args.to)
    print(f"{len(sources['val'].samples)} predictions written to {args.to}")


if __name__ == "__main__":
    main()
