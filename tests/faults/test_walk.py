"""A walk of a Chinese user from `init` to `forget`, with everything around it made difficult.

The home folder and the remote have special names, git ignores all tables, DVC links its cache, and
HEAD of the origin names a branch that does not exist. A portrait is delivered turned and with a
position, fixed, renamed, moved and copied, released in each form, and withdrawn.
"""

import hashlib
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from drawing.delivery import draw_delivery, plan
from sceneset import Registry
from sceneset.schemas.terms import Kind
from support.build import ROOT, Outcome, Run, dvc, git
from support.policy import PROVENANCE

pytestmark = [pytest.mark.sweep, pytest.mark.real_processes]

NAME = "CustomSeg_Person_20240115_ski"
OTHER = "CustomSeg_Person_20240201_two"
DATA = f"Insta360SemanticSeg/{NAME}"
TAGS = f"registry/tags/{NAME}.csv"
REASON = ("--reason", "case 17")
CHINESE = re.compile("[\u4e00-\u9fff]")


class Walk:
    """The folders of the user, and the commands as the user runs them."""

    def __init__(self, folder: Path, sceneset: Run) -> None:
        self.folder, self._sceneset = folder, sceneset
        self.root, self.origin, self.store = (
            folder / name for name in ("people", "origin.git", "存储 远程")
        )

    def run(self, *words: object, code: int = 0, cwd: Path | None = None) -> Outcome:
        """Run a command, which must end with this exit code and speak Chinese."""
        outcome = self._sceneset(*words, cwd=cwd or self.root)
        assert outcome.code == code, (words, outcome.out, outcome.err)
        assert "Traceback" not in outcome.err
        english = [line for line in outcome.err.splitlines() if not CHINESE.search(line)]
        assert not [line for line in english if not line.startswith("  ")], english
        return outcome

    def commit(self, message: str) -> None:
        """Derive all files, commit with `git add .`, and push everything."""
        dvc(self.root, "repro", "--allow-missing")
        git(self.root, "add", ".")
        git(self.root, "commit", "--quiet", "--message", message)
        dvc(self.root, "push")
        git(self.root, "push", "--quiet", "--follow-tags", "origin", "HEAD")

    def release(self, version: str) -> None:
        """Release a version and push it."""
        self.run("release", version)
        git(self.root, "push", "--quiet", "--follow-tags", "origin", "HEAD")

    def rename(self, old: str, new: str) -> None:
        """Rename or move a sample by hand: its files and its row in the tags."""
        for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
            folder = self.root / DATA / part
            (folder / f"{old}.{suffix}").rename(folder / f"{new}.{suffix}")
        path = self.root / TAGS
        rows = [key.replace("/", ",") + "," for key in (old, new)]
        text = path.read_text("utf-8")
        assert rows[0] in text
        path.write_text(text.replace(*rows), "utf-8", newline="\n")
        dvc(self.root, "add", f"{DATA}/img_dir", f"{DATA}/ann_dir")

    def files(self, key: str) -> list[bytes]:
        """Return the image and the mask of a sample of the working tree."""
        return [
            (self.root / DATA / part / f"{key}.{suffix}").read_bytes()
            for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png"))
        ]


@pytest.fixture
def walk(tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A user with an unusual home, and an origin whose HEAD names no branch."""
    home = tmp_path / "home #1 x"
    (home / ".config/dvc").mkdir(parents=True)
    (home / ".config/dvc/config").write_text("[cache]\n    type = symlink\n")
    (home / "ignore").write_text("*.csv\n*.lock\n")
    (home / ".gitconfig").write_text(f'[core]\n\texcludesFile = "{home}/ignore"\n')
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GIT_CONFIG_GLOBAL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    made = Walk(tmp_path, sceneset)
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=nobody", str(made.origin))
    return made


def draw(folder: Path) -> None:
    """Draw a delivery whose first image is a portrait, stored turned and with a position."""
    plans = list(plan(["ski", "surfing"], 12, Kind.FULL))
    vocabulary = Registry(ROOT).vocabulary
    list(draw_delivery(folder, vocabulary, plans, kind=Kind.FULL, size=(160, 120), seed=3))
    path = folder / "img_dir/train/ski_0000.jpg"
    exif = Image.Exif()
    exif[0x112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 12.0, 5.0), 3: "E", 4: (121.0, 30.0, 1.0)})
    for file, options in (
        (path, {"quality": 92, "exif": exif}),
        (folder / "ann_dir/train/ski_0000.png", {}),
    ):
        turned = Image.open(file).transpose(Image.Transpose.ROTATE_90)
        turned.save(file, **options)


def with_comment(jpeg: bytes) -> bytes:
    """Return another file of the same pixels."""
    return jpeg[:2] + b"\xff\xfe\x00\x06note" + jpeg[2:]


def pictures(data: bytes) -> Iterator[str]:
    """Yield a digest of the decoded pixels in all orientations; nothing if it is no image."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError, ValueError):
        return
    for form in (image, ImageOps.exif_transpose(image)):
        pixels = np.asarray(form.convert("RGB"))
        for mirrored in (pixels, pixels[:, ::-1]):
            for turns in range(4):
                turned = np.ascontiguousarray(np.rot90(mirrored, turns))
                yield hashlib.sha256(f"{turned.shape}".encode() + turned.tobytes()).hexdigest()


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file in some folders, and every object of the git repositories."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_symlink() or path.is_file():
                yield str(path), path.read_bytes()  # fails on a link without a target
        if folder.name.endswith(".git") or (folder / ".git").exists():
            words = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
            for line in git(folder, *words).splitlines():
                name, kind = line.split()
                if kind == "blob":
                    words = ("git", "cat-file", "blob", name)
                    done = subprocess.run(words, cwd=folder, check=True, capture_output=True)
                    yield f"{folder}: {name}", done.stdout


def test_nothing_of_a_portrait_is_left_after_a_walk_from_init_to_forget(
    walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.run("init", "people", cwd=tmp_path)
    walk.run("remote", walk.store)
    git(walk.root, "commit", "--quiet", "--all", "--message", "Set the remote")
    git(walk.root, "remote", "add", "origin", "../origin.git")

    delivery = tmp_path / "交付"
    draw(delivery)
    portrait, mask = (
        delivery / "img_dir/train/ski_0000.jpg",
        delivery / "ann_dir/train/ski_0000.png",
    )
    stored = mask.read_bytes()
    Image.open(mask).transpose(Image.Transpose.ROTATE_270).save(mask)
    refused = walk.run("add", delivery, "--name", NAME, "--dry-run", code=1)
    assert "EXIF 方向 6" in refused.err, "the mask fits the picture as shown"
    assert "sceneset add" in walk.run("fix", delivery, "--to", tmp_path / "修好").err
    mask.write_bytes(stored)

    entry = tmp_path / "条目.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n", "utf-8")
    added = walk.run("add", delivery, "--name", NAME, "--entry", entry)
    assert "image-gps" in added.err
    assert "git-ignored" not in added.err, "the registry's own .gitignore keeps its files"
    walk.commit("Add")
    assert {TAGS, "dvc.lock"} <= set(git(walk.root, "ls-files").splitlines())
    walk.release("1.0.0")
    forms = [portrait.read_bytes(), stored]

    walk.run("fix", NAME, "--apply")
    walk.commit("Fix")
    assert f"registry/lineage/{NAME}.csv" in git(walk.root, "ls-files").splitlines()
    assert "尺寸不同的标注不能比较" in walk.run("diff", "1.0.0").out
    walk.release("2.0.0")
    forms += walk.files("train/ski_0000")

    walk.rename("train/ski_0000", "train/portrait")
    walk.commit("Rename")
    [renamed] = walk.run("diff", "2.0.0", "--samples", "--json").json["samples"]
    assert renamed["change"] == "renamed"
    walk.release("2.1.0")
    walk.rename("train/portrait", "val/portrait")
    walk.commit("Move")
    [moved] = walk.run("diff", "2.1.0", "--samples", "--json").json["samples"]
    assert moved["change"] == "moved"
    walk.release("3.0.0")

    # A copy with other metadata, on a branch that is never released: it is a leak.
    git(walk.root, "checkout", "--quiet", "-b", "试验")
    copy = tmp_path / "交付二"
    for part, suffix, data in zip(("img_dir", "ann_dir"), ("jpg", "png"), forms[2:], strict=True):
        (copy / part / "train").mkdir(parents=True)
        copied = with_comment(data) if suffix == "jpg" else data
        (copy / part / f"train/anna.{suffix}").write_bytes(copied)
        forms.append(copied)
    walk.run("add", copy, "--name", OTHER)
    assert dvc(walk.root, "repro", "--allow-missing", check=False).code
    leak = walk.run("check", code=1)
    assert "leak-pixels" in leak.out + leak.err
    git(walk.root, "add", ".")
    git(walk.root, "commit", "--quiet", "--message", "Two")
    dvc(walk.root, "push")
    git(walk.root, "push", "--quiet", "origin", "HEAD")
    git(walk.root, "checkout", "--quiet", "main")
    dvc(walk.root, "checkout")

    pulled = ("pull", "滑雪", "--repo", walk.origin)
    assert "--rev main" in walk.run(*pulled, "--to", tmp_path / "甲", code=2).err
    walk.run(*pulled, "--rev", "1.0.0", "--to", tmp_path / "乙")
    assert forms[0] in dict(contents(tmp_path / "乙")).values()
    walk.run("diff", "1.0.0", "--repo", walk.root / "typo", code=2)

    clone = tmp_path / "克隆"
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(walk.origin), str(clone))
    with monkeypatch.context() as elsewhere:
        (tmp_path / "他人").mkdir()
        elsewhere.setenv("HOME", str(tmp_path / "他人"))
        elsewhere.setenv("SCENESET_CACHE_DIR", str(tmp_path / "他人/cache"))
        warned = walk.run("pull", "滑雪", "--to", "里面", cwd=clone)
        assert ".gitignore" in warned.err, "`git add .` would commit the portrait"
        walk.run(*pulled, "--rev", "1.0.0", "--to", tmp_path / "丙")

    gone = walk.run("forget", f"{NAME}/val/portrait", *REASON, "--purge", "--json").json
    assert {sample["image_md5"] for sample in gone["found"]} == {
        hashlib.md5(data, usedforsecurity=False).hexdigest() for data in forms[::2]
    }
    walk.commit("Withdraw (case 17)")
    walk.release("4.0.0")
    hashes = [found["image"] for found in gone["forgotten"]]
    again = walk.run("forget", *hashes, *REASON, "--purge")
    assert "没有要提交的内容" in again.err
    assert "其他克隆" in again.err, "it says what it can't reach"
    assert git(walk.root, "status", "--porcelain") == ""

    assert "forgotten" in walk.run("add", copy, "--name", f"{OTHER}-again", code=1).err
    walk.run("verify", "--rev", "1.0.0", "--deep")
    walk.run(*pulled, "--rev", "1.0.0", "--to", tmp_path / "乙")
    walk.run("doctor")
    places = [walk.root, walk.origin, walk.store, tmp_path / "home #1 x", tmp_path / "乙"]
    cache = Path(os.environ["SCENESET_CACHE_DIR"])
    portraits = {digest for data in forms for digest in pictures(data)}
    found = [
        place
        for place, data in contents(*places, cache)
        if data in forms or portraits & set(pictures(data))
    ]
    assert found == []

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("HOME", str(tmp_path / "他人"))
        elsewhere.setenv("SCENESET_CACHE_DIR", str(tmp_path / "他人/cache"))
        git(clone, "pull", "--quiet")
        walk.run("forget", *hashes, *REASON, "--purge", cwd=clone)
        left = [
            place for place, data in contents(clone / ".dvc", tmp_path / "他人") if data in forms
        ]
    assert left == []
