"""What all formats share: resuming, broken blobs, withdrawn samples, counts, refusals."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset import Registry, plugins
from sceneset.exports import coco, run
from sceneset.exports.output import Output
from sceneset.exports.registry import built_in_names
from sceneset.exports.types import Selection
from sceneset.storage.blobs import Blobs
from support.build import Run, blob, dvc, git, snapshot
from support.exports import FIRST, SECOND, Exports, left_out

FORMATS = built_in_names()
ONE_OF_EACH_KIND = [  # one that places files, one that packs them; the sweep runs all
    pytest.param(name, marks=[] if name in {"coco", "webdataset"} else [pytest.mark.sweep])
    for name in FORMATS
]


def hash_of(exports: Exports, sceneset: Run, what: str, stem: str, subset: str = FIRST) -> str:
    samples = sceneset("lookup", "--samples", "--json", cwd=exports.root).json
    [found] = [
        sample[f"{what}_md5"]
        for sample in samples
        if (sample["subset"], sample["phase"], sample["stem"]) == (subset, "train", stem)
    ]
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_export_writes_the_same_bytes_again(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    for to in ("one", "two"):
        words = ("export", name, "--to", tmp_path / to)
        assert sceneset(*words, cwd=exports.root).code == 0
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")
    record = json.loads((tmp_path / "one/sceneset.json").read_text())
    assert record["complete"] is True
    assert record["export"]["format"] == name
    assert record["samples"] == len(exports.truth)
    home = str(tmp_path).encode()
    for path, data in snapshot(tmp_path / "one").items():
        if path != "sceneset.json":  # it names the registry
            assert home not in data


@pytest.mark.parametrize("name", FORMATS)
def test_export_leaves_out_samples_with_a_broken_blob_as_a_whole(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    store, to = exports.root.parent / "store", tmp_path / "out"
    image = blob(store, hash_of(exports, sceneset, "image", "b"))
    image.chmod(0o644)
    image.write_bytes(b"another image")
    blob(store, hash_of(exports, sceneset, "mask", "a", SECOND)).unlink()
    outcome = sceneset("export", name, "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 1, outcome.err
    bad = outcome.json["bad"]
    assert bad.keys() == {
        f"{FIRST}/img_dir/train/b.jpg",
        f"{SECOND}/ann_dir/train/a.png",
    }
    assert outcome.json["samples"] == len(exports.truth) - 2
    rows = {(r["subset"], r["stem"]): r["reason"] for r in left_out(to) if r["what"] == "sample"}
    assert "damaged" in rows[FIRST, "b"]
    assert "has no blob" in rows[SECOND, "a"]
    assert len(rows) == 2
    assert json.loads((to / "sceneset.json").read_text())["complete"] is False
    written = set(snapshot(to).values())
    for key in ((FIRST, "train", "b"), (SECOND, "train", "a")):
        assert exports.images[key] not in written, "half a sample is left out"
    # With the blobs back, the same command completes the folder.
    shutil.rmtree(store)
    shutil.copytree(exports_store(exports), store)
    outcome = sceneset("export", name, "--to", to, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    whole = tmp_path / "whole"
    assert sceneset("export", name, "--to", whole, cwd=exports.root).code == 0
    assert snapshot(to) == snapshot(whole)


def exports_store(exports: Exports) -> Path:
    return exports.root.parent / "store-backup"


@pytest.fixture(autouse=True)
def _backup(exports: Exports) -> None:
    shutil.copytree(exports.root.parent / "store", exports_store(exports))


@pytest.mark.parametrize("name", FORMATS)
def test_export_continues_when_it_was_interrupted(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, to = tmp_path / "whole", tmp_path / "out"
    assert sceneset("export", name, "--to", whole, cwd=exports.root).code == 0
    shutil.rmtree(exports.root / ".dvc/cache")
    fetch, count = Blobs.fetch, 0

    def interrupted(self: Blobs, md5: str) -> bytes:
        nonlocal count
        count += 1
        if count > 5:
            raise KeyboardInterrupt
        return fetch(self, md5)

    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "fetch", interrupted)
        assert sceneset("export", name, "--to", to, cwd=exports.root).code == 130
    assert json.loads((to / "sceneset.json").read_text())["complete"] is False
    (to / "images").mkdir(exist_ok=True)
    (to / "images/.a.jpg.part").write_bytes(b"left by a killed process")
    outcome = sceneset("export", name, "--to", to, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert snapshot(to) == snapshot(whole)


def test_export_keeps_files_that_are_in_place(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    words = ("export", "mmseg", "--to", tmp_path / "out", "--json")
    assert sceneset(*words, cwd=exports.root).json["fetched"] > 10
    image = tmp_path / "out" / FIRST / "img_dir/train/a.jpg"
    before = image.stat().st_ino
    shutil.rmtree(exports.root / ".dvc/cache")
    assert sceneset(*words, cwd=exports.root).json["fetched"] == 0
    assert image.stat().st_ino == before


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_export_leaves_out_and_counts_withdrawn_samples(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    rev = git(exports.root, "rev-parse", "HEAD").strip()
    image = f"Insta360SemanticSeg/{FIRST}/img_dir/train/b.jpg"
    outcome = sceneset("forget", image, "--reason", "consent", cwd=exports.root)
    assert outcome.code == 0, outcome.err + outcome.out
    to = tmp_path / "out"
    words = ("export", name, "--rev", rev, "--to", to, "--json")
    outcome = sceneset(*words, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert outcome.json["withdrawn"] == 1
    assert outcome.json["samples"] == len(exports.truth) - 1
    [row] = [row for row in left_out(to) if row["what"] == "sample"]
    assert (row["subset"], row["stem"], row["reason"]) == (FIRST, "b", "it was withdrawn")
    assert exports.images[FIRST, "train", "b"] not in snapshot(to).values()


def test_export_lists_every_sample_and_detail_that_is_left_out(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    store, to = exports.root.parent / "store", tmp_path / "out"
    blob(store, hash_of(exports, sceneset, "image", "a")).unlink()
    words = ("export", "yolo-seg", "--scene-as", "class", "--to", to, "--json")
    outcome = sceneset(*words, cwd=exports.root)
    rows = [(r["subset"][-5:], r["phase"], r["stem"], r["what"]) for r in left_out(to)]
    assert outcome.json["left_out"] == len(rows)
    assert rows == sorted(rows)
    assert rows == [
        ("5_web", "train", "a", "sample"),
        ("5_web", "train", "b", "holes"),
        ("5_web", "train", "b", "ignore"),
        ("5_web", "train", "b", "scenes"),
        ("5_web", "val", "v.1", "holes"),
        ("phone", "train", "B", "holes"),
        ("phone", "train", "a", "ignore"),
    ]


def test_export_fails_when_the_written_files_hold_another_number_of_samples(
    exports: Exports, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = coco.EXPORTER.write

    def forgetful(selection, options, out: Output) -> None:
        write(selection, options, out)
        (out.to / f"images/train/{FIRST}/b.jpg").unlink()

    monkeypatch.setattr(coco.EXPORTER, "write", forgetful)
    to = tmp_path / "out"
    outcome = sceneset("export", "coco", "--to", to, cwd=exports.root)
    assert outcome.code == 1
    total = len(exports.truth)
    assert f"hold {total - 1} samples, but {total} were exported" in outcome.err
    assert json.loads((to / "sceneset.json").read_text())["complete"] is False


@pytest.mark.parametrize("link", ["copy", "hard", "ref"])
def test_export_links_files_as_requested(
    link: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", "ultralytics-semantic", "--link", link, "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    image = to / f"images/train/{FIRST}/a.jpg"
    assert image.read_bytes() == exports.images[FIRST, "train", "a"]
    assert not image.is_symlink()
    assert (image.stat().st_nlink > 1) == (link == "hard")


REFUSED = {
    "unknown format": (("cocco",), "did you mean coco"),
    "option of another format": (("voc", "--merged"), "--merged has no meaning for voc"),
    "scenes as classes": (("mmseg", "--scene-as", "class"), "--scene-as metadata works"),
    "unknown scene": (("coco", "nowhere"), "no scene is called"),
    "no sample": (("coco", "--phase", "test"), "no sample matches"),
    "inside of the registry": (("coco", "--to", "registry/x"), "belongs to a registry"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_export_refuses_and_writes_nothing(
    case: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    words, message = REFUSED[case]
    before = snapshot(exports.root)
    to = tmp_path / "out"
    if "--to" not in words:
        words = (*words, "--to", to)
    outcome = sceneset("export", *words, cwd=exports.root)
    assert outcome.code == 2
    assert message in outcome.err
    assert not to.exists()
    assert snapshot(exports.root) == before


def test_export_refuses_a_folder_with_another_export_or_pull(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", "coco", "ski", "--to", to, cwd=exports.root).code == 0
    before = snapshot(to)
    for words in (
        ("export", "coco", "ski", "--polygons"),
        ("export", "labelme", "ski"),
        ("export", "coco", "city"),
        ("pull", "ski"),
    ):
        outcome = sceneset(*words, "--to", to, cwd=exports.root)
        assert outcome.code == 2
        assert "contains the samples of another export" in outcome.err
    assert snapshot(to) == before


def test_export_reads_a_plug_in_by_its_entry_point(
    exports: Exports, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Listing:
        name, title, loses, takes = "listing", "A list", "", frozenset()

        def write(self, selection, options, out: Output) -> None:
            out.write_text("list.txt", "".join(f"{s.stem}\n" for s in selection.samples))

        def count(self, out: Output) -> int:
            return len((out.to / "list.txt").read_text("utf-8").splitlines())

    class Point:
        name = "listing"

        def load(self) -> Listing:
            return Listing()

    monkeypatch.setattr(plugins, "entry_points", lambda **_: [Point()])
    outcome = sceneset("export", "listing", "--to", tmp_path / "out", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out/list.txt").read_text("utf-8").count("\n") == len(exports.truth)


class _Usage(NamedTuple):
    free: int


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_export_writes_nothing_when_the_disk_is_too_small(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(100))
    outcome = sceneset("export", name, "--to", tmp_path / "out", cwd=exports.root)
    assert outcome.code == 1
    assert "bytes are needed" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_export_writes_nothing_when_the_remote_is_missing(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    dvc(exports.root, "remote", "modify", "store", "url", "s3://nobody/people")
    dvc(exports.root, "remote", "modify", "store", "endpointurl", "http://127.0.0.1:9")
    dvc(exports.root, "remote", "modify", "store", "access_key_id", "nobody")
    dvc(exports.root, "remote", "modify", "store", "secret_access_key", "x")
    outcome = sceneset("export", name, "--to", tmp_path / "out", cwd=exports.root)
    assert outcome.code == 1
    assert "can't be reached" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1, "one line, not one per file"
    assert not (tmp_path / "out").exists()


def test_export_says_what_is_lost_and_where_it_is_listed(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "yolo-seg", "--phase", "train", "--to", to, cwd=exports.root)
    assert outcome.code == 0
    assert "Holes are filled" in outcome.err
    assert "no val sample is selected" in outcome.err
    assert f"5 samples or details are left out; {to}/left_out.csv says which and why" in outcome.err
    assert f"6 samples written to {to} as yolo-seg" in outcome.err


def test_registry_exports_in_python(exports: Exports, tmp_path: Path) -> None:
    done = Registry.open(exports.root).export("coco", "ski", phases=["val"], to=tmp_path / "out")
    assert (done.samples, done.bad, done.withdrawn) == (1, {}, 0)
    assert (tmp_path / "out/annotations/instances_val.json").is_file()


def test_export_says_which_version_has_the_samples(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=exports.root).code == 0
    table = exports.root / f"registry/tags/{SECOND}.csv"
    table.write_text(table.read_text("utf-8").replace("ski", ""), "utf-8")
    words = ("export", "coco", "ski", "--subset", "phone", "--to", tmp_path / "out")
    outcome = sceneset(*words, cwd=exports.root)
    assert outcome.code == 2
    assert "1 version has such samples: 1.0.0" in outcome.err


def test_export_warns_of_images_that_readers_turn(
    exports: Exports, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = run.select_samples

    def turned(*words: object) -> Selection:
        found = select(*words)
        samples = [replace(sample, orientation=6) for sample in found.samples[:2]]
        return replace(found, samples=samples + found.samples[2:])

    monkeypatch.setattr(run, "select_samples", turned)
    outcome = sceneset("export", "voc", "--to", tmp_path / "out", "--json", cwd=exports.root)
    [note] = outcome.json["notes"]
    assert note.startswith("2 images have an EXIF orientation")
