"""A year of a registry on real photos: every version stays what it was, less what was withdrawn.

Ten deliveries, growth, corrected masks, other tags, a split, moves, drops, a withdrawal, merged
branches, a retirement and eight releases. At the end each version is pulled and compared.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.io import loadmat

from sceneset.catalog.reader import Catalog
from sceneset.storage.files import md5_of
from support.build import SHARED, Run, dvc, git, needs_shared
from support.policy import PROVENANCE

pytestmark = [needs_shared, pytest.mark.sweep]
DATA = SHARED / "data"
CARRIED = (2, 33, 56)  # bags and wallets of drop E are no persons
Content = dict[tuple[str, str, str], tuple[str, str]]
"""The hashes of image and mask of each sample, by subset, phase and stem."""


def photos_a() -> dict[str, Path]:
    """Return photos of drop A whose masks have their size, by stem."""
    drop, found = DATA / "drop_A_vikram", {}
    for image in sorted(drop.glob("Training_Images/*.jpg")):
        with Image.open(image) as a, Image.open(drop / f"Ground_Truth/{image.stem}.png") as b:
            if a.size == b.size and a.mode == "RGB":
                found[image.stem] = image
    return found


def mask_a(image: Path) -> Image.Image:
    with Image.open(image.parents[1] / f"Ground_Truth/{image.stem}.png") as mask:
        return mask.convert("L").point([int(value > 127) for value in range(256)])


def mask_e(image: Path) -> Image.Image:
    classes = loadmat(DATA / f"drop_E_ccp/annotations/pixel-level/{image.stem}.mat")["groundtruth"]
    return Image.fromarray(((classes > 0) & ~np.isin(classes, CARRIED)).astype(np.uint8))


def mask_f(image: Path) -> Image.Image:
    path = DATA / f"drop_F_davis/DAVIS/Annotations/480p/{image.parent.name}/{image.stem}.png"
    with Image.open(path) as mask:
        return mask.convert("L").point([int(value > 127) for value in range(256)])


class Year:
    """A registry, and what each of its versions holds."""

    def __init__(self, root: Path, folder: Path, sceneset: Run) -> None:
        self.root, self._folder, self._sceneset = root, folder, sceneset
        self.versions: dict[str, Content] = {}
        self.withdrawn: set[str] = set()
        self._deliveries = 0

    def run(self, *words: object, code: int = 0) -> str:
        outcome = self._sceneset(*words, cwd=self.root)
        assert outcome.code == code, f"sceneset {words}: {outcome.err}"
        return outcome.out or outcome.err

    def lay_out(self, photos: dict[str, tuple[Path, Image.Image]], **splits: str) -> Path:
        """Write a delivery; ``splits`` gives a pattern of stems for each split file."""
        self._deliveries += 1
        folder = self._folder / f"delivery{self._deliveries}"
        for part in ("img_dir/train", "ann_dir/train", "split_dir"):
            (folder / part).mkdir(parents=True)
        for stem, (image, mask) in photos.items():
            shutil.copyfile(image, folder / f"img_dir/train/{stem}.jpg")
            mask.save(folder / f"ann_dir/train/{stem}.png")
        for file, pattern in {"total": "", **splits}.items():
            stems = sorted(stem for stem in photos if re.search(pattern, stem))
            (folder / f"split_dir/{file}.txt").write_text("".join(f"{s}\n" for s in stems))
        return folder

    def add(self, name: str, photos: dict[str, tuple[Path, Image.Image]], **splits: str) -> None:
        delivery = self.lay_out(photos, **splits)
        entry = self._folder / "entry.yaml"
        entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n")
        self.run("add", delivery, "--name", f"CustomSeg_Person_{name}", "--entry", entry)
        dvc(self.root, "repro", "--quiet", "--allow-missing")

    def commit(self) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "A change")
        dvc(self.root, "push", "--quiet")

    def release(self, number: str, step: str) -> None:
        """Release the state; a smaller step than the changes need is refused."""
        self.commit()
        if self.versions:
            last = list(self.versions)[-1]
            diff = self._sceneset("diff", last, "--json", cwd=self.root).json
            assert diff["step"] == step, (number, diff["counts"])
            if step != "patch":
                major, minor, patch = map(int, last.split("."))
                small = (
                    f"{major}.{minor}.{patch + 1}" if step == "minor" else f"{major}.{minor + 1}.0"
                )
                self.run("release", small, code=1)
        self.run("release", number, "--notes", f"Version {number}")
        self.versions[number] = self.content()

    def content(self) -> Content:
        catalog, found = Catalog(self.root), {}
        columns = ("phase", "stem", "image_md5", "mask_md5")
        for name in catalog.names:
            for row in catalog.scan(name, columns).to_pylist():
                hashes = (row["image_md5"].hex(), row["mask_md5"].hex())
                found[name, row["phase"], row["stem"]] = hashes
        return found

    def one_of(self, note: str, *phases: str) -> Path:
        """Return a file that lists one sample of a subset and some phases."""
        keys = [key for key in self.content() if key[0].endswith(note) and key[1] in phases]
        path = self._folder / "stems.txt"
        path.write_text("/".join(keys[len(keys) // 2]))
        return path

    def check_versions(self) -> None:
        """Pull every version and compare it with what it was, less what was withdrawn."""
        for number, content in self.versions.items():
            to = self._folder / f"pulled-{number}"
            self.run("pull", "--rev", number, "--to", to)
            found: Content = {}
            for image in to.glob("*/img_dir/*/*"):
                mask = to / image.parts[-4] / "ann_dir" / image.parts[-2] / f"{image.stem}.png"
                hashes = (md5_of(image.read_bytes()), md5_of(mask.read_bytes()))
                found[image.parts[-4], image.parts[-2], image.stem] = hashes
            kept = {key: pair for key, pair in content.items() if pair[0] not in self.withdrawn}
            assert found == kept, number
            shutil.rmtree(to)


def test_a_year_of_a_registry(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    year = Year(registry, tmp_path, sceneset)
    (tmp_path / "store").mkdir()
    year.run("remote", tmp_path / "store")
    all_a = photos_a()
    a = [(stem, (image, mask_a(image))) for stem, image in all_a.items()]
    paths_e = sorted((DATA / "drop_E_ccp/photos").glob("*.jpg"))[:75]
    e = [(image.stem, (image, mask_e(image))) for image in paths_e]
    frames = DATA / "drop_F_davis/DAVIS/JPEGImages/480p"
    clips = {
        clip: {
            f"{clip}_{image.stem}": (image, mask_f(image))
            for image in sorted((frames / clip).glob("*.jpg"))[::6]
        }
        for clip in ("bmx-trees", "parkour")
    }

    # January: three deliveries, the first version.
    year.add("20240110_a1", dict(a[:20]), city="[02468]$", natural="[13579]$")
    year.add("20240111_a2", dict(a[20:35]), city="[02468]$")
    year.add("20240115_e1", dict(e[:45]), city="")
    year.release("1.0.0", "major")
    # March: the second delivery grows.
    more = year.lay_out(dict(a[35:45]), city="[02468]$")
    year.run("add", more, "--to", "a2")
    year.release("1.1.0", "minor")
    # April: 40 corrected masks come back.
    eroded = {
        stem: (image, mask.filter(ImageFilter.MinFilter(3))) for stem, (image, mask) in e[:40]
    }
    year.run("add", year.lay_out(eroded, city=""), "--to", "e1", "--replace", "masks")
    year.release("2.0.0", "major")
    # May: clips, with other tags; sources from stems.
    year.add("20240501_f1", clips["bmx-trees"], bike="")
    year.add("20240502_f2", clips["parkour"], city="")
    year.run("tag", "--subset", "f1", "--subset", "f2", "--source-from", "^(.+)_[0-9]+$")
    year.run("tag", "city", "--subset", "e1", "--match", "000*", "--persons", "single")
    year.release("2.1.0", "minor")
    # June: a split by source and scene; a clip moves.
    year.run("split", "city", "bike", "natural", "--val", "0.2", "--seed", "7", "--apply")
    moved = year.one_of("a2", "train", "val")
    year.run("move", "--subset", "a2", "--stems-file", moved, "--phase", "test")
    year.release("3.0.0", "major")
    # August: blurred samples leave, and a person withdraws.
    year.run("drop", "--stems-file", year.one_of("a1", "train"), "--reason", "out of focus")
    key = next(k for k in year.content() if k[2] == e[41][0])
    year.withdrawn.add(year.content()[key][0])
    year.run("forget", "/".join(key), "--reason", "case 17", "--purge")
    year.run("scene", "rename", "bike", "cycling_sport")
    year.release("4.0.0", "major")
    # October: two branches, each with a delivery and other changes.
    git(registry, "checkout", "--quiet", "-b", "other")
    year.add("20241001_e2", dict(e[45:60]), city="")
    year.run("tag", "--subset", "a1", "--match", a[5][0], "--boxes", "2")
    year.commit()
    git(registry, "checkout", "--quiet", "-")
    dvc(registry, "checkout", "--quiet")
    year.add("20241002_e3", dict(e[60:]), city="")
    year.add("20241003_a3", dict(a[45:55]), natural="")
    year.run("tag", "--subset", "a1", "--match", a[5][0], "--source", "roll-1")
    year.commit()
    with pytest.raises(Exception, match="merge"):
        git(registry, "merge", "--quiet", "other")
    year.run("merge")
    git(registry, "commit", "--quiet", "--no-edit")
    year.release("4.1.0", "minor")
    # December: two more deliveries; an old subset retires.
    year.add("20241201_a4", dict(a[55:65]), natural="")
    year.add("20241202_a5", dict(a[65:75]), city="")
    year.run("retire", "a2", "--reason", "replaced by a4 and a5")
    year.release("5.0.0", "major")

    assert len(year.versions) == 8
    year.check_versions()
    year.run("verify", "--deep")
    before = {path.name for path in (tmp_path / "store").rglob("*") if path.is_file()}
    dvc(registry, "gc", "--all-commits", "--cloud", "--force", "--quiet")
    after = {path.name for path in (tmp_path / "store").rglob("*") if path.is_file()}
    assert after <= before
    shutil.rmtree(registry / ".dvc/cache")
    year.check_versions()
    year.run("verify", "--deep")
