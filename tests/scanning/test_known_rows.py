"""Pixels are decoded once and only when new; what comes out equals a full scan."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import kornia_rs.io
import pytest
import simplejpeg
from PIL import ImageFile

from sceneset.imaging import facts as pixels
from sceneset.scanning import measure_sample as measure
from sceneset.stages.scan import main as scan
from support.build import NAME, Outcome, dvc, write_image, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
SCAN = f"registry/scans/{NAME}.parquet"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The md5 of every image that is decoded, in any order."""
    seen: list[str] = []
    facts = pixels.image_facts

    def counted(data: bytes, *rest: object, **options: bool) -> pixels.ImageFacts:
        found = facts(data, *rest, **options)  # type: ignore[arg-type]
        seen.append(found.md5)
        return found

    monkeypatch.setattr(pixels, "image_facts", counted)
    return seen


def rescan(root: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.chdir(root)
    assert scan([NAME]) == 0
    return (root / SCAN).read_bytes()


def track(root: Path) -> None:
    dvc(root, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")


def test_add_decodes_once_and_the_scan_nothing(
    registry: Path, delivery: Path, sceneset: Callable[..., Outcome],
    decoded: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert len(decoded) == len(set(decoded)) == 4
    written = (registry / SCAN).read_bytes()
    assert rescan(registry, monkeypatch) == written
    assert len(decoded) == 4


def test_one_more_image_decodes_one(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(added / DATA / "img_dir/train/new.jpg", seed=77)
    write_mask(added / DATA / "ann_dir/train/new.png")
    track(added)
    grown = rescan(added, monkeypatch)
    assert len(decoded) == 1
    (added / SCAN).unlink()
    assert rescan(added, monkeypatch) == grown
    assert len(decoded) == 6


def test_a_renamed_sample_decodes_none(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png")):
        train = added / DATA / folder / "train"
        (train / f"a{suffix}").rename(train / f"renamed{suffix}")
    tags = added / "registry/tags" / f"{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,", "train,renamed,"))
    track(added)
    rescan(added, monkeypatch)
    assert decoded == []


def test_another_algorithm_number_decodes_all(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = added / "params.yaml"
    params.write_text(params.read_text().replace("scan: 4", "scan: 5"))
    rescan(added, monkeypatch)
    assert len(decoded) == 4


def test_a_broken_scan_is_made_anew(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (added / SCAN).read_bytes()
    (added / SCAN).write_bytes(before[:100])
    assert rescan(added, monkeypatch) == before
    assert len(decoded) == 4


def test_a_swapped_mask_decodes_its_pair(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = added / DATA / "ann_dir/train"
    write_mask(masks / "a.png", ignore=True)
    shutil.copy(masks / "a.png", masks / "b.png")
    track(added)
    rescan(added, monkeypatch)
    assert len(decoded) == 2


def test_each_file_is_read_once_and_decoded_once(
    added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def count(module: object, name: str, said: str) -> None:
        plain = getattr(module, name)

        def counted(*args: object, **more: object) -> object:
            calls.append(f"{said} {args[0].name}" if isinstance(args[0], Path) else said)
            return plain(*args, **more)

        monkeypatch.setattr(module, name, counted)

    count(measure, "first_bytes", "read")
    count(simplejpeg, "decode_jpeg", "image")
    count(kornia_rs.io, "decode_image_png_u8", "mask")
    count(ImageFile.ImageFile, "load", "by Pillow")
    before = (added / SCAN).read_bytes()
    (added / SCAN).unlink()
    assert rescan(added, monkeypatch) == before
    files = [path.name for path in (added / DATA).glob("*_dir/*/*.*g")]
    assert len(files) == 8
    assert Counter(calls) == Counter(image=4, mask=4, **{f"read {name}": 1 for name in files})
