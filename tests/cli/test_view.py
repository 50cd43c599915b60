"""`sceneset view`, and the pictures of `add --view` and `check --view`."""

import base64
import io
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.catalog.tombstones import tombstones_text
from sceneset.imaging.overlay import COLOURS, Paint
from sceneset.schemas.tombstone import Tombstone
from support.build import NAME, git, make_delivery, write_image, write_mask

NAMES = {"train/a", "train/b", "train/c", "train/d"}


def names_in(path) -> list[str]:
    """Return the samples that a page shows, in their order."""
    return re.findall(r"<strong><bdi>(.*?)</bdi></strong>", path.read_text("utf-8"))


def photos_in(path) -> list[Image.Image]:
    found = re.findall(r"data:image/jpeg;base64,([^\"]+)", path.read_text("utf-8"))
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def delete_blobs(root) -> None:
    """Delete the images and masks of a registry here: the working tree and the cache."""
    shutil.rmtree(root / "Insta360SemanticSeg" / NAME / "img_dir")
    shutil.rmtree(root / "Insta360SemanticSeg" / NAME / "ann_dir")
    shutil.rmtree(root / ".dvc/cache")


@pytest.fixture
def page(tmp_path):
    return tmp_path / "pictures/view.html"


@pytest.fixture
def browser(monkeypatch) -> list[str]:
    opened: list[str] = []

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    return opened


def test_view_draws_the_selected_samples_and_opens_the_page_on_request(
    added, page, browser, sceneset
):
    outcome = sceneset("view", "ski", "--persons", "single", "--to", page, "--open", cwd=added)
    assert outcome.code == 0, outcome.err
    assert names_in(page) == ["train/a", "train/b"]
    assert len(photos_in(page)) == 2
    assert "2 pictures written" in outcome.err
    assert browser == [page.as_uri()]
    assert sceneset("view", "ski", "--to", page, cwd=added).code == 0  # a sheet is replaced
    assert set(names_in(page)) == NAMES
    assert len(browser) == 1


def test_view_writes_into_the_ignored_folder_of_the_registry_by_default(added, sceneset):
    outcome = sceneset("view", "--json", cwd=added)
    assert outcome.code == 0, outcome.err
    path = added / ".sceneset/view.html"
    assert set(names_in(path)) == NAMES
    assert git(added, "status", "--porcelain") == ""
    assert outcome.json == {
        "file": str(path), "selected": 4, "shown": 4, "incomplete": [], "withdrawn": 0,
        "restricted": 0, "fetched": 0,
    }  # fmt: skip


def test_png_of_one_sample_has_its_mask_in_the_colours_of_the_legend(added, tmp_path, sceneset):
    path = tmp_path / "a.png"
    sample = f"{NAME.rpartition('_')[2]}/train/a"
    assert sceneset("view", "--sample", sample, "--to", path, cwd=added).code == 0
    sheet = np.asarray(Image.open(path).convert("RGB"))
    mask = added / f"Insta360SemanticSeg/{NAME}/ann_dir/train/a.png"
    person = np.asarray(Image.open(mask)) == 1
    core = person[1:-1, 1:-1].copy()
    for rows, columns in np.ndindex(3, 3):
        core &= person[rows : rows + 22, columns : columns + 30]
    lines = (sheet == COLOURS[Paint.LINE][:3]).all(axis=2)
    assert lines.sum() == person.sum() - core.sum()
    assert np.ptp(np.nonzero(lines)[1]) == np.ptp(np.nonzero(person)[1])


def test_samples_are_sorted_and_limited(registry, tmp_path, page, sceneset):
    delivery = make_delivery(tmp_path / "delivery", train=("b",), splits={})
    for seed, (stem, size) in enumerate((("small", (32, 20)), ("large", (64, 48))), 7):
        write_image(delivery / f"img_dir/train/{stem}.jpg", seed, size)
        mask = Image.new("L", size, int(stem == "large"))
        mask.putpixel((0, 0), 1)
        mask.save(delivery / f"ann_dir/train/{stem}.png")
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    for words, expected in (
        ("--sort person-share", ["train/small", "train/b", "train/large"]),
        ("--sort person-share --reverse", ["train/large", "train/b", "train/small"]),
        ("--sort size --limit 1", ["train/small"]),
        ("--sort size --reverse --limit 2", ["train/large", "train/b"]),
        ("--reverse", ["train/small", "train/large", "train/b"]),
        ("--limit 2", ["train/b", "train/large"]),
    ):
        outcome = sceneset("view", *words.split(), "--to", page, cwd=registry)
        assert outcome.code == 0, outcome.err
        assert names_in(page) == expected, words


def test_missing_files_are_gray_with_the_reason_until_they_are_fetched(ready, page, sceneset):
    delete_blobs(ready)
    outcome = sceneset("view", "--to", page, cwd=ready)
    assert outcome.code == 1
    assert "4 pictures are incomplete: image: is not on this machine; --fetch" in outcome.err
    assert photos_in(page) == []
    assert page.read_text("utf-8").count('class="missing"') == 4
    fetched = sceneset("view", "--fetch", "--json", "--to", page, cwd=ready)
    assert fetched.code == 0, fetched.err
    assert fetched.json["fetched"] == 5  # the masks are one file
    assert len(photos_in(page)) == 4
    assert sceneset("view", "--to", page, cwd=ready).code == 0, "fetched files stay in the cache"


def test_damaged_blob_of_the_remote_is_not_shown(ready, page, sceneset):
    delete_blobs(ready)
    for blob in (ready.parent / "store/files/md5").rglob("*"):
        if blob.is_file():
            blob.chmod(0o644)
            blob.write_bytes(b"something else")
    outcome = sceneset("view", "--fetch", "--to", page, cwd=ready)
    assert outcome.code == 1
    assert "is damaged" in page.read_text("utf-8")
    assert photos_in(page) == []


def test_file_that_is_not_the_scanned_one_is_not_shown(added, page, sceneset):
    path = added / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    shutil.rmtree(added / ".dvc/cache")
    path.unlink()
    write_image(path, 99)
    outcome = sceneset("view", "--to", page, "--json", cwd=added)
    assert outcome.code == 1
    [incomplete] = outcome.json["incomplete"]
    assert incomplete["sample"] == f"{NAME}/train/a"
    assert "differs from the file that the scan recorded" in incomplete["reason"]


@pytest.mark.parametrize("by", ["file", "pixels"])
def test_withdrawn_image_is_drawn_neither_of_a_state_nor_of_a_delivery(
    by, released, tmp_path, page, sceneset
):
    row = pq.read_table(released / f"registry/scans/{NAME}.parquet").to_pylist()[0]
    image = row["image_md5"].hex() if by == "file" else "0" * 32
    withdrawn = Tombstone(
        image=image, phash="0" * 16, phash_mirror="0" * 16, picture=row["picture"].hex(), reason="x"
    )
    (released / "registry/forgotten.yaml").write_text(tombstones_text([withdrawn]), "utf-8")
    # The file is on this machine still.
    for state in (("--rev", "1.0.0"), ()):
        seen = sceneset("view", *state, "--to", page, "--json", cwd=released)
        assert seen.json["withdrawn"] == 1, seen.err
        assert set(names_in(page)) == NAMES - {"train/a"}
    sample = f"{NAME}/train/a"
    only = sceneset("view", "--rev", "1.0.0", "--sample", sample, "--to", page, cwd=released)
    assert only.code == 2
    assert "1 sample is withdrawn" in only.err
    again, name = make_delivery(tmp_path / "again"), NAME.replace("web", "again")
    words = ("add", again, "--name", name, "--dry-run", "--view", page)
    assert sceneset(*words, cwd=released).code == 1
    assert set(names_in(page)) == NAMES - {"train/a"}


def test_restricted_samples_of_a_foreign_registry_need_internal(released, tmp_path, page, sceneset):
    entry = released / f"registry/subsets/{NAME}.yaml"
    text = entry.read_text("utf-8")
    assert "provenance:" in text
    entry.write_text(text.replace("provenance:", "provenance:\n  restrictions: [internal]", 1))
    git(released, "commit", "--quiet", "--all", "--message", "Restrict")
    url = f"file://{released}"
    words = ("view", "--repo", url, "--rev", "HEAD", "--to", page)
    refused = sceneset(*words, cwd=tmp_path)
    assert refused.code == 2
    assert "4 samples are for internal use" in refused.err
    assert not page.exists()
    assert sceneset(*words, "--internal", cwd=tmp_path).code == 1
    assert set(names_in(page)) == NAMES
    untrusted = sceneset(*words, "--internal", "--fetch", cwd=tmp_path)
    assert untrusted.code == 2
    assert "not trusted" in untrusted.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "photo.png"), "exists and was not written by"),
        (("--to", "view.pdf"), "end the name with .html"),
        (("--to", "registry/view.html"), "is inside"),
        (("--to", "Insta360SemanticSeg/view.html"), "is inside"),
        (("ski", "--sample", "a/train/b"), "leave out scenes"),
        (("--sample", "train/b"), "write SUBSET/PHASE/STEM"),
        (("--sample", f"{NAME}/train/aa"), "Nearest: train/a"),
        (("--phase", "test"), "no sample matches"),
        (("--limit", "0"), "whole number"),
    ],
)
def test_wrong_use_is_refused_and_changes_no_file(words, message, added, sceneset):
    photo = added / "photo.png"
    write_mask(photo)
    before = photo.read_bytes()
    outcome = sceneset("view", *words, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err
    assert photo.read_bytes() == before
    assert not list(added.rglob("view.*"))


def test_chinese_reader_gets_a_chinese_page(added, page, monkeypatch, sceneset):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert sceneset("view", "滑雪", "--to", page, cwd=added).code == 0
    text = page.read_text("utf-8")
    assert '<html lang="zh-CN">' in text
    assert "滑雪 · 单人 · 32 x 24" in text
    assert "4 个样本" in text


def test_page_in_a_repository_that_does_not_ignore_it_is_reported(added, sceneset):
    outcome = sceneset("view", "--to", "view.html", cwd=added)
    assert "would commit these pictures" in outcome.err


def test_add_view_draws_a_delivery_before_it_is_taken(registry, delivery, page, sceneset):
    write_mask(delivery / "ann_dir/train/b.png", person=38)
    words = ("add", delivery, "--name", NAME, "--dry-run", "--view", page)
    outcome = sceneset(*words, cwd=registry)
    assert outcome.code == 1
    assert set(names_in(page)) == NAMES
    text = page.read_text("utf-8")
    assert "the mask holds the value 38 [mask-values]" in text
    assert "other values" in text
    assert sceneset(*words, "--rule", "mask-values", cwd=registry).code == 1
    assert names_in(page) == ["train/b"]


@pytest.mark.parametrize("options", [("--open",), ("--scenes-from", "folder", "--view", "a.html")])
def test_add_refuses_options_that_draw_nothing(options, registry, delivery, sceneset):
    outcome = sceneset("add", delivery, "--name", NAME, "--dry-run", *options, cwd=registry)
    assert outcome.code == 2
    assert "--view" in outcome.err


def test_add_does_not_write_pictures_into_the_delivery(registry, delivery, sceneset):
    file = delivery / "view.html"
    words = ("add", delivery, "--name", NAME, "--dry-run", "--view", file)
    outcome = sceneset(*words, cwd=registry)
    assert outcome.code == 2
    assert not file.exists()


def test_check_view_draws_the_samples_of_the_shown_findings(
    registry, delivery, page, browser, sceneset
):
    for stem in "bd":
        write_mask(delivery / f"ann_dir/train/{stem}.png", person=0)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    words = ("check", "--rule", "mask-empty", "--view", page)
    outcome = sceneset(*words, "--open", cwd=registry)
    assert outcome.code == sceneset("check", cwd=registry).code
    assert names_in(page) == ["train/b", "train/d"]
    assert page.read_text("utf-8").count("[mask-empty]") == 2
    assert browser == [page.as_uri()]
    sceneset(*words, "--limit", "1", cwd=registry)
    assert names_in(page) == ["train/b"]


def test_check_view_without_findings_on_samples_writes_nothing(added, page, sceneset):
    outcome = sceneset("check", "--rule", "mask-holes", "--view", page, cwd=added)
    assert outcome.code == 0
    assert "was not written" in outcome.err
    assert not page.exists()
