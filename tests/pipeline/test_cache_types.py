"""With links in place of copies, every command works and none writes through a link."""

import hashlib
import os
from pathlib import Path

import pytest

from sceneset.catalog.subset_folder import read_samples
from sceneset.storage.cache_links import CacheLinks
from support.build import NAME, Run, dvc, git, images_of, make_delivery, write_image

DATA = f"Insta360SemanticSeg/{NAME}"


def blobs(root: Path) -> list[Path]:
    cache = root / ".dvc/cache/files/md5"
    return [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".dir"]


def damaged_blobs(root: Path) -> list[Path]:
    """Return the blobs of the cache whose content does not match their name."""
    return [
        path
        for path in blobs(root)
        if hashlib.md5(path.read_bytes()).hexdigest() != path.parent.name + path.name
    ]


def is_shared(path: Path) -> bool:
    """Return whether a file of the working tree is a link to a blob."""
    return path.is_symlink() or path.stat().st_nlink > 1


@pytest.fixture(params=["symlink", pytest.param("hardlink", marks=pytest.mark.sweep)])
def linked(request: pytest.FixtureRequest, registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry whose cache holds links, with a subset; one image has GPS coordinates."""
    from PIL import Image

    dvc(registry, "config", "cache.type", request.param)
    delivery = make_delivery(tmp_path / "delivery")
    path = delivery / "img_dir/train/a.jpg"
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 3.0)}
    with Image.open(path) as image:
        image.save(path, quality=90, exif=exif)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    dvc(registry, "repro")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Add a subset")
    assert is_shared(registry / DATA / "img_dir/train/b.jpg"), "DVC made a link"
    return registry


def test_pipeline_and_check_succeed_when_the_cache_holds_links(linked: Path, sceneset: Run) -> None:
    (linked / f"registry/scans/{NAME}.parquet").unlink()
    dvc(linked, "repro")
    assert git(linked, "status", "--porcelain") == ""
    assert sceneset("check", cwd=linked).code == 0


def test_fix_replaces_links_and_leaves_the_cache_intact(linked: Path, sceneset: Run) -> None:
    before = {path: path.read_bytes() for path in blobs(linked)}
    outcome = sceneset("fix", "web", "--apply", cwd=linked)
    assert outcome.code == 0, outcome.err
    assert damaged_blobs(linked) == []
    assert all(path.read_bytes() == data for path, data in before.items())
    assert b"GPS" not in (linked / DATA / "img_dir/train/a.jpg").read_bytes()
    dvc(linked, "repro")
    assert dvc(linked, "status", "--quiet", check=False).code == 0
    found = sceneset("check", "--json", cwd=linked).json
    assert [p for p in found if p["code"] == "image-gps"] == []


def test_forget_removes_the_links_and_purges_the_blobs(
    linked: Path, tmp_path: Path, sceneset: Run
) -> None:
    dvc(linked, "remote", "add", "--default", "store", str(tmp_path / "store"))
    dvc(linked, "push")
    md5 = images_of(linked, sceneset)["b"]
    outcome = sceneset("forget", f"{NAME}/train/b", "--reason", "case", "--purge", cwd=linked)
    assert outcome.code == 0, outcome.err
    assert not os.path.lexists(linked / DATA / "img_dir/train/b.jpg")
    assert not (linked / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).exists()
    assert damaged_blobs(linked) == []
    dvc(linked, "repro")
    assert sceneset("check", cwd=linked).code == 0


def test_stages_run_again_for_an_image_that_replaces_a_link(linked: Path, sceneset: Run) -> None:
    path = linked / DATA / "img_dir/train/c.jpg"
    path.unlink()
    write_image(path, 77)
    dvc(linked, "add", "--quiet", f"{DATA}/img_dir")
    dvc(linked, "repro")
    assert sceneset("check", cwd=linked).code == 0
    assert damaged_blobs(linked) == []


def test_links_out_of_the_cache_are_reported(added: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    write_image(secret, 5)
    folder = added / DATA
    image = folder / "img_dir/train/a.jpg"
    targets = {
        "a file elsewhere": secret,
        "no blob": added / ".dvc/cache/files/md5/CACHEDIR.TAG",
        "a missing blob": added / ".dvc/cache/files/md5/00" / ("0" * 30),
        "out of the cache by dots": added / ".dvc/cache/files/md5/00/../../../../params.yaml",
    }
    for target in targets.values():
        image.unlink()
        image.symlink_to(target)
        layout = read_samples(folder, is_blob=CacheLinks(added).is_blob)
        assert [p.code for p in layout.findings] == ["stray-file"], target
        assert "dvc checkout" in layout.findings[0].hint


def test_links_in_a_delivery_are_refused_also_when_they_lead_into_the_cache(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    delivery = make_delivery(tmp_path / "other", train=("x", "y"), splits={"ski.txt": ("x", "y")})
    path = delivery / "img_dir/train/x.jpg"
    path.unlink()
    path.symlink_to(next(p for p in blobs(added) if p.read_bytes().startswith(b"\xff\xd8")))
    outcome = sceneset("add", delivery, "--name", f"{NAME}2", cwd=added)
    assert (outcome.code, "is a link" in outcome.err) == (1, True)
