"""Inputs from the field, with the commands that once went wrong: the right thing happens now."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from sceneset.storage.files import md5_of
from support.build import SHARED, git

FIELD = SHARED / "field"
BIN = Path(sys.executable).parent
NAME = "CustomSeg_Person_20240301_field"

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.real_processes,
    pytest.mark.skipif(not FIELD.is_dir(), reason="../shared/field with its inputs is not here"),
]

_LOGGED = """#!/bin/sh
"{program}" "$@"
code=$?
echo "$code {name} $*" >> "$EXIT_CODES"
exit $code
"""


class Done(NamedTuple):
    """What the commands of an input did."""

    work: Path
    """The folder where they ran."""
    input: Path
    """The copy of the input."""
    text: str
    """What they printed."""
    codes: list[tuple[int, str]]
    """The exit code of each command, and its line."""

    def code(self, start: str) -> int:
        """Return the exit code of the only command whose line starts with ``start``."""
        [found] = [code for code, line in self.codes if line.startswith(start)]
        return found

    def failed(self) -> list[str]:
        """Return the lines of the commands that did not return 0."""
        return [line for code, line in self.codes if code]

    def findings(self, rule: str) -> list[str]:
        """Return the lines that are printed below the heading of a rule, once for each command."""
        lines = iter(self.text.splitlines())
        return [
            below
            for line in lines
            if line.endswith(f"[{rule}]")
            for below in _indented(lines)
            if "->" not in below
        ]

    def sceneset(self, cwd: Path, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run one more command in the folder of the input's commands."""
        command = [BIN / "sceneset", *words]
        return subprocess.run(
            [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
        )


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(" "):
            return
        yield line.strip()


@pytest.fixture
def done(request: pytest.FixtureRequest, tmp_path: Path) -> Done:
    """Run the script of an input on a copy of it, and keep the folder that it works in."""
    folder = tmp_path / "input"
    shutil.copytree(FIELD / request.param, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o700)
    script = folder / "try.sh"
    text = script.read_text("utf-8")
    assert text.count('\nrm -rf "$work"') == 1
    script.write_text(text.replace('\nrm -rf "$work"', ""), "utf-8")
    programs, temporary = tmp_path / "bin", tmp_path / "tmp"
    for created in (programs, temporary):
        created.mkdir()
    for name in ("sceneset", "dvc"):
        shim = programs / name
        shim.write_text(_LOGGED.format(program=BIN / name, name=name), "utf-8")
        shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(temporary),
        "EXIT_CODES": str(tmp_path / "codes"),
        "DVC_SITE_CACHE_DIR": str(tmp_path / "databases"),
    }
    ran = subprocess.run(
        ["bash", script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in ran.stdout, ran.stdout
    [work] = temporary.glob("tmp.*")
    logged = [line.split(" ", 1) for line in (tmp_path / "codes").read_text("utf-8").splitlines()]
    return Done(work, folder, ran.stdout, [(int(code), line) for code, line in logged])


def of(name: str) -> pytest.MarkDecorator:
    """Run a test on the input in this folder."""
    return pytest.mark.parametrize("done", [name], indirect=True)


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a delivery."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def values(mask: Path) -> set[int]:
    """Return the values of a mask."""
    with Image.open(mask) as image:
        return set(np.unique(np.asarray(image)).tolist())


@of("a-registry-in-a-larger-repository")
def test_registry_in_a_folder_of_a_repository_is_a_part_of_it(done: Done) -> None:
    mono = done.work / "mono"
    assert done.code("sceneset init data/people") == 0
    assert not (mono / "data/people/.git").exists()
    assert "does not have a commit" not in done.text
    git(mono, "commit", "--quiet", "--message", "A registry")
    assert "data/people/params.yaml" in git(mono, "ls-files").splitlines()
    url = f"file://{mono}//data/people"
    read = done.sceneset(done.work, "lookup", "ski", "--repo", url)
    assert read.returncode == 0, read.stderr


@of("advice-that-loses-a-branch")
def test_advice_for_a_full_disk_keeps_what_branches_and_tags_use(done: Done) -> None:
    [advice] = [line for line in done.text.splitlines() if "dvc gc" in line]
    assert advice.index("`dvc push --all-branches --all-tags`") < advice.index("`dvc gc")
    assert "`dvc gc --all-branches --all-tags`" in advice
    assert "gc -w" not in advice
    assert "--workspace" not in advice


@of("cache-folder-with-hash-or-comma")
def test_cache_with_a_hash_or_comma_in_its_path_is_used_and_purged(done: Done) -> None:
    assert done.failed() == []
    assert done.text.count("4 of 4 files written") == 2
    assert not (done.work / "home of Ann").exists(), "the path ends before the hash"
    assert "blobs were deleted" in done.text
    for stem, kept in (("w0", ["Docs, etc"]), ("w1", ["Docs, etc", "home of Ann #1"])):
        md5 = md5_of((done.input / f"delivery/img_dir/train/{stem}.jpg").read_bytes())
        found = done.work.glob(f"*/cache/blobs/files/md5/{md5[:2]}/{md5[2:]}")
        assert sorted(path.relative_to(done.work).parts[0] for path in found) == kept, stem


@of("cache-of-links")
def test_pipeline_runs_when_the_cache_holds_symbolic_links(done: Done) -> None:
    assert done.failed() == []
    assert (done.work / f"reg/Insta360SemanticSeg/{NAME}/img_dir/train/w0.jpg").is_symlink()
    assert "is a link" not in done.text
    checked = done.sceneset(done.work / "reg", "check", "--json")
    assert {found["code"] for found in json.loads(checked.stdout)} == {"entry-provenance"}


@of("colours-that-are-said-otherwise")
def test_colours_that_are_not_sRGB_are_reported(done: Done) -> None:  # noqa: N802
    assert done.failed() == []
    profiles = {line.split(":")[0].split("/")[-1] for line in done.findings("image-profile")}
    assert profiles == {"chrm.png", "cicp.png", "gama1.png", "linear.png"}
    [mode] = done.findings("image-mode")
    assert mode.startswith("img_dir/train/rgb16.png: ")
    assert "16 bits" in mode


@of("fix-image-nfd-mask-nfc")
def test_names_that_differ_in_normal_form_alone_are_paired_and_composed(done: Done) -> None:
    assert done.failed() == [
        f"sceneset add {done.input}/delivery --name {NAME} --dry-run",
    ]
    [missing] = done.findings("mask-missing")
    assert "differ in Unicode normal form alone" in missing
    assert "has no image" not in done.text
    names = files(done.work / "mended")
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert {"img_dir/train/café_1.jpg", "ann_dir/train/café_1.png"} <= names.keys()
    added = done.sceneset(done.work / "r", "add", "../mended", "--name", NAME, "--dry-run")
    assert added.returncode == 0, added.stderr


@of("fix-joins-two-pictures")
def test_fix_keeps_both_pictures_of_one_stem(done: Done) -> None:
    assert [done.code("sceneset fix"), done.code("sceneset add")] == [1, 1]
    assert files(done.work / "mended") == files(done.input / "delivery")
    assert "[stem-duplicate]" in done.text
    assert "0 samples were fixed" in done.text


@of("fix-renames-lines-of-another-phase")
def test_fix_renames_lines_of_the_phase_of_a_sample_only(done: Done) -> None:
    mended = done.work / "mended/split_dir"
    assert done.code("sceneset fix") == 1
    assert (mended / "ski_val.txt").read_text("utf-8").split("\n")[0] == "frame 1"
    assert (mended / "city_val.txt").read_text("utf-8").split() == ["frame_1"]
    assert (mended / "ski.txt").read_text("utf-8").split() == ["frame_1"]


@of("fix-void-becomes-person")
def test_ignored_borders_do_not_become_persons(done: Done) -> None:
    assert done.failed() == []
    [empty] = done.findings("mask-empty")
    assert empty.startswith("ann_dir/train/m1.png: ")
    assert values(done.work / "mended/ann_dir/train/m1.png") == {0, 255}
    assert "[mask-0-255]" not in done.text


@of("forget-leaves-the-file-before-fix")
def test_forget_purges_the_file_that_a_fix_was_made_from(done: Done) -> None:
    assert done.failed() == []
    assert not list((done.work / "old").rglob("p0*"))
    assert "4 blobs were deleted" in done.text
    delivered = files(done.input / "delivery")
    for name in ("img_dir/train/p0.jpg", "ann_dir/train/p0.png"):
        md5 = md5_of(delivered[name])
        assert not list(done.work.rglob(f"{md5[:2]}/{md5[2:]}")), name


@of("jpegs-every-reader-takes")
def test_unusual_jpegs_without_damage_are_taken(done: Done) -> None:
    assert done.failed() == []
    assert "[image-unreadable]" not in done.text
    assert "6 samples would be added" in done.text


@of("leak-of-a-picture-turned-by-exif")
def test_pictures_that_exif_turns_are_related_to_upright_copies(done: Done) -> None:
    assert [done.code("dvc repro"), done.code("sceneset check")] == [255, 1]
    found = done.findings("leak-near")
    for held_out, train in (("v3", "t3"), ("v6", "t6"), ("c0_again", "c0")):
        pairs = [f for f in found if f"val/{held_out}.jpg: " in f and f"train/{train}.jpg" in f]
        assert len(pairs) == 2, "once by the pipeline and once by check"


@of("personal-data-nobody-looks-at")
def test_metadata_in_any_place_is_reported_and_removed(done: Done) -> None:
    assert done.failed() == []
    assert "(7 findings) [image-personal]" in done.text
    assert "(9 findings) [image-personal]" in done.text
    assert "[image-gps]" in done.text
    assert "[mask-metadata]" in done.text
    assert "[mask-orientation]" in done.text
    for folder in ("png", "jpeg", "mask"):
        fixed = done.work / f"fixed-{folder}"
        mended = done.sceneset(done.work / "r", "fix", done.input / folder, "--to", fixed)
        assert mended.returncode == 0, mended.stderr
        added = done.sceneset(done.work / "r", "add", fixed, "--name", NAME, "--dry-run")
        assert added.returncode == 0, added.stderr
        for rule in ("image-personal", "image-gps", "mask-metadata", "mask-orientation"):
            assert f"[{rule}]" not in added.stdout + added.stderr


@of("split-files-by-the-scene-s-other-names")
def test_split_files_are_read_by_any_name_of_the_scene(done: Done) -> None:
    assert done.failed() == []
    assert "[unknown-split-file]" not in done.text
    readings = {line.split(";")[0].removeprefix("split_dir/") for line in
                done.findings("split-name") if " is read as " in line}  # fmt: skip
    assert readings == {
        "city_multi.txt: is read as city (multi)",
        "ski_single.txt: is read as ski (single)",
        "skiing.txt: is read as ski (single)",
        "滑雪.txt: is read as ski (single)",
    }


@of("tested-image-trained-on-after-fix")
def test_cleaned_test_image_is_still_one_when_it_moves_to_training(done: Done) -> None:
    assert [done.code("sceneset check"), done.code("sceneset release 2.0.0")] == [1, 1]
    assert [done.code("sceneset release 1.0.0"), done.code("sceneset diff")] == [0, 0]
    found = done.findings("leak-tested")
    assert len(found) == 2
    assert all(line.endswith("train/t0.jpg: was a test image of version 1.0.0") for line in found)
    counts = dict(
        line.rsplit(maxsplit=1) for line in done.text.splitlines() if line.startswith("samples ")
    )
    moved = {label.strip(): count for label, count in counts.items() if count != "0"}
    assert moved == {"samples moved": "1", "samples with other metadata": "1"}


def test_every_input_has_a_test() -> None:
    tested = {
        mark.args[1][0]
        for name, test in globals().items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "parametrize"
    }
    assert tested == {path.name for path in FIELD.iterdir() if path.is_dir()}
