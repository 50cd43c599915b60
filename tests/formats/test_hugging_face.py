"""Hugging Face parquet files and imagefolder as a delivery."""

import io
import json
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from support.build import NAME
from support.formats import converted, write_picture, write_values

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def jpeg(red=90, size=(20, 10)):
    out = io.BytesIO()
    Image.new("RGB", size, (red, 9, 9)).save(out, "JPEG")
    return out.getvalue()


def png(array):
    out = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(out, "PNG")
    return out.getvalue()


def person(x, y, r, b):
    mask = np.zeros((10, 20), np.uint8)
    mask[y:b, x:r] = 1
    return mask


def row(stem, mask, **fields):
    image = {"bytes": jpeg(sum(stem.encode()) % 200), "path": f"{stem}.jpg"}
    return {"image": image, "mask": {"bytes": png(mask), "path": f"{stem}.png"}} | fields


def write_parquet(path, rows, *, columns=(), metadata=None, image="image", mask="mask"):
    schema = pa.schema([(image, IMAGE), (mask, IMAGE), *columns], metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{image: r["image"], mask: r["mask"]} | r for r in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema), path, compression="zstd", row_group_size=2)
    return path


def test_parquet_rows_become_samples_with_the_same_bytes(tmp_path):
    masks = [person(0, 0, 5, 5), person(3, 3, 9, 9), person(0, 0, 0, 0)]
    features = {"scene": {"names": ["ski", "city"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    columns = [("scene", pa.int64()), ("caption", pa.string()), ("source", pa.string())]
    rows = [
        row(stem, mask, scene=n % 2, caption="a person", source=f"clip {n}")
        for n, (stem, mask) in enumerate(zip("abc", masks, strict=True))
    ]
    folder = tmp_path / "d"
    write_parquet(
        folder / "data/train-00000-of-00001.parquet", rows, columns=columns, metadata=metadata
    )
    write_parquet(folder / "data/validation-00000-of-00001.parquet", [row("a", masks[0])])
    form, reason = choose_format(Tree(folder))
    assert form.name == "hf"
    assert reason == (
        "data/train-00000-of-00001.parquet has images in the column image and masks in mask"
    )
    done = with_work(folder, tmp_path)
    assert done.codes == []
    assert sorted(done.masks) == ["train/a", "train/b", "train/c", "val/a"]
    assert all(map(np.array_equal, done.masks.values(), [*masks, masks[0]]))
    images = done.converted.layout.images
    assert images["train", "b"].read_bytes() == jpeg(sum(b"b") % 200)
    assert done.converted.scene_words["train", "b"] == ("city",)
    assert done.tags["train/b"].source == "clip 1"
    origin = done.converted.delivered["train", "b"]
    assert origin.annotation == "data/train-00000-of-00001.parquet (row 2)"
    assert snapshot_names(folder) == [
        "train-00000-of-00001.parquet",
        "validation-00000-of-00001.parquet",
    ]


def with_work(folder, tmp_path, **options):
    return converted("hf", folder, tmp_path / "work", **options)


def snapshot_names(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(("image", "mask"), [("pixel_values", "label"), ("photo", "annotation")])
def test_columns_of_other_names_are_recognized(tmp_path, image, mask):
    folder = tmp_path / "d"
    write_parquet(folder / "x.parquet", [row("a", person(0, 0, 5, 5))], image=image, mask=mask)
    assert choose_format(Tree(folder))[0].name == "hf"
    assert with_work(folder, tmp_path).masks["train/a"].sum() == 25


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"image": {"bytes": None, "path": "a.jpg"}}, "image-missing", "the column image is empty"),
        ({"mask": None}, "mask-missing", "the column mask is empty"),
        ({"mask": {"bytes": b"junk", "path": None}}, "mask-missing", "bytes that are no image"),
        ({"image": {"bytes": b"\xff\xd8\xffx", "path": "a.jpg"}}, "image-unreadable", "decode"),
    ],
)
def test_a_broken_row_is_reported_with_its_number(tmp_path, change, code, reason):
    rows = [row("a", person(0, 0, 5, 5)) | change, row("b", person(0, 0, 5, 5))]
    write_parquet(tmp_path / "d/train.parquet", rows)
    done = with_work(tmp_path / "d", tmp_path)
    assert done.codes == [code]
    assert reason in done.messages
    assert sorted(done.masks) == ["train/b"]
    assert done.converted.layout.findings[0].stem == "a"


def test_names_in_rows_never_lead_out_of_the_work_folder(tmp_path):
    one = row("a", person(0, 0, 5, 5))
    one["image"]["path"], one["mask"]["path"] = "../../../evil.jpg", "/etc/evil.png"
    write_parquet(tmp_path / "d/train.parquet", [one])
    done = with_work(tmp_path / "d", tmp_path)
    assert sorted(done.masks) == ["train/evil"]
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert all(p.is_relative_to(tmp_path / "work") or p.parent.name == "d" for p in files)


def test_a_truncated_parquet_file_stops_with_its_name(tmp_path):
    path = write_parquet(tmp_path / "d/train.parquet", [row("a", person(0, 0, 5, 5))])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(FindingsError, match=r"train.parquet: is no parquet file"):
        with_work(tmp_path / "d", tmp_path)


def imagefolder(folder, lines, *, names=("a", "b"), name="metadata.jsonl"):
    for stem in names:
        write_picture(folder / f"train/{stem}.jpg")
        write_values(folder / f"train/masks/{stem}.png", person(0, 0, 5, 5))
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "train" / name).write_text(text, "utf-8")
    return folder


def line(stem, **fields):
    return {"file_name": f"{stem}.jpg", "mask_file_name": f"masks/{stem}.png"} | fields


def test_an_imagefolder_is_read_by_its_metadata(tmp_path):
    folder = imagefolder(
        tmp_path / "d", [line("a", scenes=["ski"], text="a man skis"), line("b", source="c 1")]
    )
    form, reason = choose_format(Tree(folder))
    assert form.name == "hf"
    assert "train/metadata.jsonl names images and, in the column mask_file_name" in reason
    done = with_work(folder, tmp_path)
    assert done.codes == []
    assert {key: int(mask.sum()) for key, mask in done.masks.items()} == {
        "train/a": 25,
        "train/b": 25,
    }
    assert done.converted.scene_words["train", "a"] == ("ski",)
    assert done.tags["train/b"].source == "c 1"


def test_metadata_may_be_csv(tmp_path):
    lines = ["file_name,mask_file_name", "a.jpg,masks/a.png", "b.jpg,masks/b.png"]
    done = with_work(imagefolder(tmp_path / "d", lines, name="metadata.csv"), tmp_path)
    assert (done.codes, sorted(done.masks)) == ([], ["train/a", "train/b"])


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([line("a"), "{broken"], ["annotation-broken", "image-missing", "mask-missing"]),
        ([line("a"), "[]"], ["annotation-broken", "image-missing", "mask-missing"]),
        ([line("a"), {"file_name": "b.jpg"}], ["image-missing", "mask-missing"]),
        (
            [line("a"), line("b", mask_file_name="masks/gone.png")],
            ["image-missing", "mask-missing"],
        ),
        ([line("a"), line("gone"), line("b")], ["image-missing"]),
        ([line("a"), line("a"), line("b")], ["annotation-broken"]),
        ([line("a"), {"file_name": 4}, line("b")], ["image-missing"]),
    ],
)
def test_broken_metadata_is_reported(tmp_path, lines, codes):
    done = with_work(imagefolder(tmp_path / "d", lines), tmp_path)
    assert done.codes == codes


def test_mutated_parquet_gives_findings_and_no_other_error(tmp_path):
    path = write_parquet(tmp_path / "d/train.parquet", [row(s, person(0, 0, 5, 5)) for s in "ab"])
    whole, chance = path.read_bytes(), random.Random(1)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            with_work(tmp_path / "d", tmp_path)
        except (FindingsError, UsageError):
            continue


def test_a_parquet_delivery_is_added(registry, sceneset, tmp_path):
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:44] = 1
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    one = row("a", mask) | {"image": {"bytes": out.getvalue(), "path": "a.jpg"}}
    write_parquet(tmp_path / "d/train.parquet", [one])
    done = sceneset("add", tmp_path / "d", "--name", NAME, cwd=registry)
    assert done.code == 0, done.err
    added = registry / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    assert added.read_bytes() == out.getvalue()
