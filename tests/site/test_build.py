"""The catalogue: its files, what they show, and what a second build changes."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.catalog.tombstones import tombstones_text
from sceneset.schemas.tombstone import Tombstone
from support.build import NAME, Run, git, make_delivery, write_image


def data_of(folder: Path, path: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the values of a data file."""
    text = (folder / path).read_text("utf-8")
    match = re.fullmatch(r"sceneset\.\w+\((.*)\);\n", text)
    assert match, text[:100]
    name, values = json.loads(f"[{match[1]}]")
    return name, values


def samples_of(folder: Path) -> dict[str, str]:
    """Return the phase of each sample of the only subset, by stem."""
    _, values = data_of(folder, f"data/{NAME}.js")
    stems = values["stems"].split("\n") if values["stems"] else []
    return dict(zip(stems, values["phases"], strict=True))


def sprites_of(folder: Path) -> dict[str, dict[str, Any]]:
    found = (data_of(folder, str(p.relative_to(folder))) for p in folder.glob("sprites/*/*.js"))
    return dict(found)


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def to(tmp_path):
    return tmp_path / "catalogue"


def build(sceneset: Run, root: Path, to: Path, *words: object, code: int = 0) -> Any:
    outcome = sceneset("site", "--to", to, "--json", *words, cwd=root)
    assert outcome.code == code, outcome.err
    return outcome.json if code == 0 else outcome.err


def test_catalogue_has_every_sample_with_its_picture_and_outline(added, to, sceneset):
    report = build(sceneset, added, to, "--large")
    scan = pq.read_table(added / f"registry/scans/{NAME}.parquet").to_pylist()
    assert (report["samples"], report["missing"]) == (len(scan), 0)
    _, values = data_of(to, f"data/{NAME}.js")
    assert values["stems"].split("\n") == [row["stem"] for row in scan]
    assert values["width"] == [row["width"] for row in scan]
    share = [1000 * row["person"] / (row["width"] * row["height"]) for row in scan]
    assert values["share"] == pytest.approx(share, abs=0.06)
    sprites = sprites_of(to)
    assert sum(values["counts"]) == len(scan)
    for digest in values["sprites"]:
        sprite = sprites[digest]
        assert all(sprite["here"])
        assert all(outline[2].startswith("M") for outline in sprite["outlines"])
        with Image.open(to / f"sprites/{digest[:2]}/{digest}.webp") as picture:
            assert picture.size == (8 * 192, 192 * sprite["rows"])
    for place in range(len(scan)):
        md5 = values["images"][32 * place : 32 * place + 32]
        with Image.open(to / f"large/{md5[:2]}/{md5}.webp") as picture:
            assert picture.size == (scan[place]["width"], scan[place]["height"])


def test_every_page_is_there_in_both_languages_and_every_link_leads_somewhere(added, to, sceneset):
    build(sceneset, added, to)
    for language in ("en", "zh"):
        assert (to / language / f"subsets/{NAME}.html").is_file()
        assert (to / language / "scenes/ski.html").is_file()
    for page in to.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"(href|src)=\"(https?:)?//", text)
        for address in re.findall(r"(?:href|src)=\"([^\"#]+)", text):
            if not address.startswith(("data:", "mailto:")):
                assert (page.parent / address).resolve().is_file(), (page, address)


def test_second_build_writes_nothing(added, to, sceneset):
    build(sceneset, added, to)
    before = times(to)
    report = build(sceneset, added, to)
    assert (report["written"], report["deleted"]) == (0, 0)
    assert times(to) == before


def assert_same_files(one: Path, other: Path) -> None:
    names = [
        {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        for folder in (one, other)
    ]
    assert names[0] == names[1]
    assert len(names[0]) > 20
    for name in names[0]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_catalogues_of_two_builds_have_the_same_bytes(added, to, tmp_path, sceneset):
    build(sceneset, added, to)
    (added / ".sceneset/pictures.db").unlink()
    build(sceneset, added, tmp_path / "other")
    assert_same_files(to, tmp_path / "other")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def relabel(root: Path, to: Path) -> None:
    edit(root / f"registry/tags/{NAME}.csv", "ski", "city")


def describe(root: Path, to: Path) -> None:
    edit(
        root / f"registry/subsets/{NAME}.yaml",
        "kind: full",
        "kind: full\ndescription: {en: Slopes}",
    )


def rename_scene(root: Path, to: Path) -> None:
    edit(root / "registry/scenes.yaml", "en: ski,", "en: skis,")


def find_more(root: Path, to: Path) -> None:
    edit(root / "params.yaml", "min_part: 0.0001", "min_part: 1.0")


def withdraw(root: Path, to: Path) -> None:
    row = pq.read_table(root / f"registry/scans/{NAME}.parquet").to_pylist()[0]
    gone = Tombstone(
        image=row["image_md5"].hex(), phash="0" * 16, phash_mirror="0" * 16, reason="x"
    )
    (root / "registry/forgotten.yaml").write_text(tombstones_text([gone]), "utf-8")


def scan_fewer(root: Path, to: Path) -> None:
    path = root / f"registry/scans/{NAME}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)


def damage_data(root: Path, to: Path) -> None:
    (to / f"data/{NAME}.js").write_text("sceneset.subset();\n")


def lose_sprite(root: Path, to: Path) -> None:
    next(to.glob("sprites/*/*.webp")).unlink()


def damage_record(root: Path, to: Path) -> None:
    path = to / f"data/kept/{NAME}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"numbers": 3}))


CHANGES = (
    *(relabel, describe, rename_scene, find_more, withdraw, scan_fewer),
    *(damage_data, lose_sprite, damage_record),
)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("words", [(), ("--large",)])
def test_catalogue_after_a_change_has_the_bytes_of_a_new_one(
    change, words, added, to, tmp_path, sceneset
):
    build(sceneset, added, to, *words)
    change(added, to)
    assert build(sceneset, added, to, *words)["written"] > 0
    build(sceneset, added, tmp_path / "other", *words)
    assert_same_files(to, tmp_path / "other")


def test_unchanged_subset_needs_neither_its_pictures_nor_its_blobs(added, to, sceneset):
    build(sceneset, added, to)
    (added / ".sceneset/pictures.db").unlink()
    shutil.rmtree(added / "Insta360SemanticSeg" / NAME / "img_dir")
    shutil.rmtree(added / ".dvc/cache")
    report = build(sceneset, added, to)
    assert (report["samples"], report["missing"], report["written"]) == (4, 0, 0)
    assert build(sceneset, added, to, "--large")["missing"] == 4


def test_missing_blobs_are_named_until_they_are_fetched(ready, to, sceneset):
    shutil.rmtree(ready / "Insta360SemanticSeg" / NAME / "img_dir")
    shutil.rmtree(ready / "Insta360SemanticSeg" / NAME / "ann_dir")
    shutil.rmtree(ready / ".dvc/cache")
    report = build(sceneset, ready, to)
    assert report["missing"] == report["samples"]
    assert "--fetch" in report["problems"][0]
    [sprite] = sprites_of(to).values()
    assert not any(sprite["here"])
    assert all("--fetch" in reason["en"] for reason in sprite["problems"])
    report = build(sceneset, ready, to, "--fetch")
    scan = pq.read_table(ready / f"registry/scans/{NAME}.parquet").to_pylist()
    blobs = {row["image_md5"] for row in scan} | {row["mask_md5"] for row in scan}
    assert (report["missing"], report["fetched"]) == (0, len(blobs))
    assert report["deleted"] == 2  # the sprite of gray tiles
    # What was drawn once needs no blob any more.
    shutil.rmtree(ready / ".dvc/cache")
    assert build(sceneset, ready, to)["written"] == 0


def test_withdrawn_sample_leaves_the_catalogue_and_the_store(added, to, sceneset):
    build(sceneset, added, to, "--large")
    row = pq.read_table(added / f"registry/scans/{NAME}.parquet").to_pylist()[0]
    md5 = row["image_md5"].hex()
    assert (to / f"large/{md5[:2]}/{md5}.webp").exists()
    withdrawn = Tombstone(image=md5, phash="0" * 16, phash_mirror="0" * 16, reason="x")
    (added / "registry/forgotten.yaml").write_text(tombstones_text([withdrawn]), "utf-8")
    report = build(sceneset, added, to, "--large")
    assert report["withdrawn"] == 1
    assert row["stem"] not in samples_of(to)
    assert not (to / f"large/{md5[:2]}/{md5}.webp").exists()
    assert len(list(to.glob("sprites/*/*.webp"))) == 1


def test_forget_removes_the_pictures_of_a_sample_from_the_store(ready, to, sceneset):
    build(sceneset, ready, to)
    store = ready / ".sceneset/pictures.db"
    scan = pq.read_table(ready / f"registry/scans/{NAME}.parquet").to_pylist()
    md5 = scan[0]["image_md5"].hex().encode()
    assert md5 in store.read_bytes()
    words = ("forget", f"{NAME}/train/{scan[0]['stem']}", "--reason", "request")
    outcome = sceneset(*words, cwd=ready)
    assert outcome.code == 0, outcome.err
    assert all(md5 not in file.read_bytes() for file in store.parent.glob("pictures.db*"))


def test_restricted_samples_of_a_foreign_registry_need_internal(released, to, tmp_path, sceneset):
    entry = released / f"registry/subsets/{NAME}.yaml"
    text = entry.read_text("utf-8")
    entry.write_text(text.replace("provenance:", "provenance:\n  restrictions: [internal]", 1))
    git(released, "commit", "--quiet", "--all", "--message", "Restrict")
    words = ("--repo", f"file://{released}", "--rev", "HEAD")
    report = build(sceneset, tmp_path, to, *words)
    assert (report["samples"], report["restricted"]) == (0, 4)
    assert samples_of(to) == {}
    assert build(sceneset, tmp_path, to, *words, "--internal")["samples"] == 4


@pytest.mark.parametrize("content", ["photo.jpg", "deep/photo.jpg"])
def test_folder_with_other_content_is_refused(added, to, content, sceneset):
    file = to / content
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert "contains other files" in build(sceneset, added, to, code=2)
    assert [path for path in to.rglob("*") if path.is_file()] == [file]


@pytest.mark.parametrize("folder", ["registry/pages", "Insta360SemanticSeg/pages", ".git/pages"])
def test_folder_of_the_registry_is_refused(added, folder, sceneset):
    assert "choose another folder" in build(sceneset, added, added / folder, code=2)


def test_links_are_not_followed(added, to, tmp_path, sceneset):
    build(sceneset, added, to)
    elsewhere = tmp_path / "elsewhere"
    shutil.move(to / "data", elsewhere)
    (to / "data").symlink_to(elsewhere)
    assert "symbolic link" in build(sceneset, added, to, code=2)


def test_hostile_texts_are_shown_as_text(registry, tmp_path, to, sceneset):
    hostile = "</script><script>alert(1)</script> \u202e <img src=x onerror=alert(2)>"
    entry = tmp_path / "entry.yaml"
    entry.write_text(f"description: {{en: {json.dumps(hostile)}}}\n", "utf-8")
    added = sceneset(
        *("add", make_delivery(tmp_path / "delivery"), "--name", NAME, "--entry", entry),
        cwd=registry,
    )
    assert added.code == 0, added.err
    tags = registry / f"registry/tags/{NAME}.csv"
    lines = tags.read_text("utf-8").splitlines()
    source = lines[0].split(",").index("source")
    fields = lines[1].split(",")
    fields[source] = hostile.replace(",", "")
    tags.write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]) + "\n", "utf-8")
    build(sceneset, registry, to)
    for path in [*to.rglob("*.html"), *to.rglob("data/*.js")]:
        text = path.read_text("utf-8")
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert hostile in data_of(to, f"data/{NAME}.js")[1]["sources"]


@pytest.mark.parametrize("scale", [1, 5])
def test_thumbnail_is_the_image_as_shown(scale, registry, tmp_path, to, sceneset):
    width, height, blue = 320 // scale, 200 // scale, 60 // scale
    delivery = make_delivery(tmp_path / "delivery")
    image = delivery / "img_dir/train/a.jpg"
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    picture.paste((20, 20, 220), (0, 0, width, blue))  # blue above, as stored
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: blue is on the right
    picture.save(image, quality=95, exif=exif)
    mask = Image.new("L", (width, height))
    mask.paste(1, (0, 0, width, blue))
    mask.save(delivery / "ann_dir/train/a.png")
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    build(sceneset, registry, to, "--large")
    _, values = data_of(to, f"data/{NAME}.js")
    place = values["stems"].split("\n").index("a")
    assert (values["width"][place], values["height"][place]) == (height, width)
    [digest] = values["sprites"]
    with Image.open(to / f"sprites/{digest[:2]}/{digest}.webp") as sprite:
        cell = sprite.convert("RGB").crop((192 * place, 0, 192 * (place + 1), 192))
    for y in (5, 96, 187):  # small images fill the cell, too: outlines are drawn over all of it
        colours = [cell.getpixel((x, y)) for x in (60, 130)]
        assert colours[0][0] > 150 > colours[0][2]
        assert colours[1][2] > 150 > colours[1][0]
    across, down, person, *_ = sprites_of(to)[digest]["outlines"][place]
    assert across * width == down * height
    points = [int(x) for x in re.findall(r"M(\d+)", person)]
    assert min(points) > across * 2 // 3 - 1


def test_broken_subset_is_left_out_and_named(added, tmp_path, to, sceneset):
    other = NAME.replace("web", "other")
    delivery = make_delivery(tmp_path / "other")
    for number, image in enumerate(sorted(delivery.glob("img_dir/*/*.jpg"))):
        write_image(image, seed=700 + number)
    outcome = sceneset("add", delivery, "--name", other, cwd=added)
    assert outcome.code == 0, outcome.err
    (added / f"registry/tags/{other}.csv").write_text("phase,stem\ntrain\n", "utf-8")
    done = sceneset("site", "--to", to, "--json", cwd=added)
    assert (done.code, done.json["unread"]) == (1, [other])
    assert set(samples_of(to)) == {"a", "b", "c", "d"}
    page = (to / "en/index.html").read_text("utf-8")
    assert f"Left out, because a file can&#39;t be read: {other}" in page
    assert not (to / f"en/subsets/{other}.html").exists()


def test_registry_without_subsets_has_a_catalogue(registry, to, sceneset):
    report = build(sceneset, registry, to)
    assert report["samples"] == 0
    assert (to / "zh/index.html").is_file()
