"""A scan decodes only new images, and its result equals that of a full scan."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import kornia_rs.io
import pytest
import simplejpeg
from PIL import ImageFile

from sceneset.imaging import facts
from sceneset.scanning import measure_sample
from sceneset.stages.scan import main as scan
from support.build import NAME, Outcome, dvc, write_image, write_mask
from support.scans import DATA, SCAN


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The MD5 hashes of all images that are decoded, in any order."""
    seen: list[str] = []
    measure_image = facts.measure_image

    def counted(data: bytes, *rest: object, **options: bool) -> facts.ImageFacts:
        found = measure_image(data, *rest, **options)  # type: ignore[arg-type]
        seen.append(found.md5)
        return found

    monkeypatch.setattr(facts, "measure_image", counted)
    return seen


def rescan(root: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.chdir(root)
    assert scan([NAME]) == 0
    return (root / SCAN).read_bytes()


def track(root: Path) -> None:
    dvc(root, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")


def test_add_decodes_each_image_once_and_scan_decodes_none_when_it_follows(
    registry: Path, delivery: Path, sceneset: Callable[..., Outcome],
    decoded: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert len(decoded) == len(set(decoded)) == 4
    written = (registry / SCAN).read_bytes()
    assert rescan(registry, monkeypatch) == written
    assert len(decoded) == 4


def test_scan_decodes_one_image_when_one_was_added(
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


def test_scan_decodes_no_image_when_a_sample_was_renamed(
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


def test_scan_decodes_all_images_when_the_algorithm_number_changed(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = added / "params.yaml"
    params.write_text(params.read_text().replace("scan: 7", "scan: 8"))
    rescan(added, monkeypatch)
    assert len(decoded) == 4


def test_scan_decodes_all_images_when_the_scan_file_is_broken(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (added / SCAN).read_bytes()
    (added / SCAN).write_bytes(before[:100])
    assert rescan(added, monkeypatch) == before
    assert len(decoded) == 4


def test_scan_decodes_only_changed_pairs_when_masks_were_replaced(
    added: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = added / DATA / "ann_dir/train"
    write_mask(masks / "a.png", ignore=True)
    shutil.copy(masks / "a.png", masks / "b.png")
    track(added)
    rescan(added, monkeypatch)
    assert len(decoded) == 2


def test_scan_reads_and_decodes_each_file_once_when_there_is_no_scan(
    added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def count(module: object, name: str, label: str) -> None:
        function = getattr(module, name)

        def counted(*args: object, **options: object) -> object:
            calls.append(f"{label} {args[0].name}" if isinstance(args[0], Path) else label)
            return function(*args, **options)

        monkeypatch.setattr(module, name, counted)

    count(measure_sample, "first_bytes", "read")
    count(simplejpeg, "decode_jpeg", "image")
    count(kornia_rs.io, "decode_image_png_u8", "mask")
    count(ImageFile.ImageFile, "load", "by Pillow")
    before = (added / SCAN).read_bytes()
    (added / SCAN).unlink()
    assert rescan(added, monkeypatch) == before
    files = [path.name for path in (added / DATA).glob("*_dir/*/*.*g")]
    assert len(files) == 8
    assert Counter(calls) == Counter(image=4, mask=4, **{f"read {name}": 1 for name in files})
