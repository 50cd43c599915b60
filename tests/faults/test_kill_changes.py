"""Kill a command that writes: the same command, run again, ends in the same state.

Compared byte for byte: files, branches and tags, and the blobs on the remote and in the cache; and
nothing is left behind. The tests marked "sweep" kill at random times; SCENESET_MOMENTS is their
number for each command.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil
import pytest

from support.build import NAME, ROOT, Run, dvc, git, make_delivery, write_mask
from support.states import (
    State,
    damaged_blobs,
    differences,
    enter_home,
    environment,
    leftovers,
    state_of,
)

_CROP = ("crop", NAME, "--boxes", "../boxes.json", "--min-side", "8", "--name", f"{NAME}2")
MOMENTS = int(os.environ.get("SCENESET_MOMENTS", "3"))
COMMANDS = {
    "merge": ("merge",),
    "pull": ("pull", "ski", "--to", "../out"),
    "release": ("release", "1.1.0", "--notes", "第一版"),
    "forget": ("forget", "web/train/a", "--reason", "case 17", "--purge"),
    "fix": ("fix", "web", "--apply"),
    "add": ("add", "../delivery", "--name", f"{NAME}2", "--quarantine", "../left"),
    "add-to": ("add", "../delivery", "--to", "web", "--quarantine", "../left"),
    "replace": ("add", "../corrected", "--to", "web", "--replace", "masks"),
    "to-remote": ("add", "../delivery", "--to", "web", "--to-remote", "--quarantine", "../left"),
    "crop": _CROP,
    "crop-to": (*_CROP, "--to", "../crops"),
    "doctor": ("doctor", "--fix"),
    "export": ("export", "coco", "ski", "--to", "../coco"),
    "fix-delivery": ("fix", "../delivery", "--to", "../fixed"),
    "remote": ("remote", "../second", "--name", "second"),
    "scan": ("scan", "web", "--from-remote"),
    "used": ("used", "https://example.com/runs/1", "--rev", "1.0.0"),
    "verify": ("verify", "--repair"),
    "tag": ("tag", "ski", "--match", "[ab]", "--add", "city", "--persons", "multi"),
    "move": ("move", "ski", "--match", "[ac]", "--phase", "val"),
    "split": ("split", "web", "--val", "0.5", "--apply"),
    "drop": ("drop", "ski", "--match", "[bd]", "--reason", "out of focus"),
    "retire": ("retire", "web", "--reason", "replaced"),
    "rename": ("rename", "web", f"{NAME}3"),  # not longer: DVC breaks lines of more than 80
    "scene": ("scene", "rename", "ski", "alpine"),
    "site": ("site", "--to", "../catalogue", "--large"),
}
IMAGES = f"Insta360SemanticSeg/{NAME}/img_dir"
_STAGING, _FINISH = "sceneset.storage.transaction", "sceneset.storage.transaction_finish"
_TRANSACTION_POINTS = (
    f"before {_STAGING} write_record 1",
    f"before {_FINISH} write_record 1",
    f"after {_FINISH} write_record 1",
    f"after {_FINISH} dvc 1",
    f"before {_FINISH} clear_record 1",
)
POINTS = [
    ("pull", "after pathlib Path.replace 4"),
    ("release", "after sceneset.versions.release _commit 1"),
    ("release", "after sceneset.storage.blobs Blobs.upload 1"),
    ("forget", f"after {_FINISH} Blobs.delete 1"),
    ("fix", f"before {_FINISH} _put 2"),
    ("add", "after sceneset.edits.quarantine_list write_text 1"),
    ("add-to", f"before {_FINISH} _put 2"),
    *(
        pytest.param(name, point, marks=pytest.mark.sweep)
        for name, points in (
            ("pull", ("after pathlib Path.replace 1",)),
            (
                "release",
                (
                    "before sceneset.versions.release _commit 1",
                    # The branch and the tag are there; the temporary folder is, too.
                    "after sceneset.versions.release_commit git 16",
                ),
            ),
            (
                "forget",
                (
                    f"after {_STAGING} write_record 1",
                    f"before {_FINISH} _put 2",
                    *_TRANSACTION_POINTS,
                ),
            ),
            ("fix", (f"after {_STAGING} write_record 1", *_TRANSACTION_POINTS)),
            ("add", (f"before {_FINISH} clear_record 1", f"after {_FINISH} clear_record 1")),
            (
                "add-to",
                (
                    "after sceneset.edits.quarantine_list write_text 1",
                    "after sceneset.edits.place_blobs Blobs.add_to_cache 2",
                    *_TRANSACTION_POINTS,
                ),
            ),
            ("crop", (f"before {_FINISH} clear_record 1", f"after {_FINISH} clear_record 1")),
            ("crop-to", ("before pathlib Path.rename 1", "after pathlib Path.rename 1")),
            ("doctor", ("before sceneset.edits.doctor_repairs dvc 1",)),
            ("export", ("after pathlib Path.replace 1", "after pathlib Path.replace 4")),
            ("fix-delivery", ("before sceneset.edits.fix_delivery copy_other_files 1",)),
            (
                "merge",
                (
                    *_TRANSACTION_POINTS,
                    "before sceneset.edits.merge mark_resolved 1",
                    "after sceneset.edits.merge mark_resolved 1",
                    "before sceneset.edits.merge dvc 1",
                ),
            ),
            (
                "move",
                (*_TRANSACTION_POINTS, f"after {_FINISH} _move 1", f"after {_FINISH} _move 2"),
            ),
            (
                "rename",
                (
                    f"before {_FINISH} write_record 1",
                    f"after {_FINISH} _move 1",
                    f"before {_FINISH} _put 4",
                ),
            ),
            ("retire", (f"before {_FINISH} write_record 1", f"before {_FINISH} dvc 1")),
            ("drop", (f"before {_FINISH} write_record 1",)),
            ("split", (f"after {_FINISH} _move 1",)),
            ("site", ("after pathlib Path.replace 3", "before pathlib Path.replace 12")),
            ("remote", ("before pathlib Path.replace 1", "after pathlib Path.replace 1")),
            ("scan", ("before sceneset.scanning.scan_subset record_in_lock 1",)),
            ("used", ("before pathlib Path.replace 1", "after pathlib Path.replace 1")),
            ("verify", ("after sceneset.storage.blobs Blobs.upload 1",)),
        )
        for point in points
    ),
]
"""Points before or after a durable step; those that repeat the code of others are slow tests."""


def start(home: Path, name: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sceneset", *COMMANDS[name]]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    root = home / "registry"
    return subprocess.Popen(command, cwd=root, env=environment(home), **streams)


def deliver(home: Path, name: str) -> None:
    """Write what a command takes in."""
    if name.startswith("crop"):
        boxes = [{"image_id": f"train/{stem}", "bbox": [8, 4, 16, 16]} for stem in "abcd"]
        (home / "boxes.json").write_text(json.dumps(boxes))
        return
    if name == "replace":
        for stem in ("a", "c"):
            write_mask(home / f"corrected/ann_dir/train/{stem}.png", ignore=True)
        return
    existing = ("a",) if name == "add-to" else ()  # --quarantine leaves it out
    stems, listed = ("x", "y", *existing), ("x", *existing)
    folder = make_delivery(home / "delivery", train=stems, splits={"total.txt": listed})
    image = folder / "img_dir/train/x.jpg"
    image.write_bytes(image.read_bytes() + b"after the end")
    if name in {"add", "add-to"}:
        (folder / "img_dir/train/y.jpg").write_bytes(b"no image")


def spoil(home: Path, name: str) -> None:
    """Give a command something to do."""
    root = home / "registry"
    image = root / IMAGES / "train/a.jpg"
    if name in {"pull", "export"}:
        shutil.rmtree(root / ".dvc/cache")
    elif name == "fix":
        data = image.read_bytes()
        image.unlink()  # a link to the cache
        image.write_bytes(data + b"after the end")
        dvc(root, "add", "--quiet", IMAGES)
        dvc(root, "repro", "--quiet")
    elif name in {"add", "add-to", "fix-delivery", "to-remote", "replace", "crop", "crop-to"}:
        deliver(home, name)
    elif name == "doctor":
        (root / ".dvc/tmp/rwlock").write_bytes(b"")
        (root / "registry/.params.yaml.abc.part").write_bytes(b"half")
        with (root / "registry/cards/index.en.md").open("a") as card:
            card.write("edited by hand\n")
    elif name == "merge":
        merge_two_withdrawals(root)
    elif name == "remote":
        (home / "second").mkdir()
    elif name == "scan":
        (root / f"registry/scans/{NAME}.parquet").unlink()
    elif name == "verify":
        for path in (home / "store/files/md5").glob("*/*"):
            path.unlink()


def merge_two_withdrawals(root: Path) -> None:
    """Let git merge two branches that each withdrew a sample, which ends in conflicts."""
    for stem, start in (("a", "HEAD"), ("c", "HEAD^")):
        git(root, "checkout", "--quiet", "-b", stem, start)
        dvc(root, "checkout", "--quiet")
        command = [sys.executable, "-m", "sceneset", "forget", f"web/train/{stem}"]
        command += ["--reason", "case 17"]
        subprocess.run(command, cwd=root, env=environment(root.parent), check=True)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", f"Withdraw {stem}")
    done = subprocess.run(["git", "merge", "a"], cwd=root, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr


Undisturbed = Callable[[str], tuple[Path, State, float]]


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path, _released_registry: Path
) -> Undisturbed:
    """Return, for a command: the home before it, the state after it, and its duration."""

    @cache
    def run(name: str) -> tuple[Path, State, float]:
        folder = tmp_path_factory.mktemp(name)
        source = _released_registry if name in {"forget", "used"} else _ready_registry
        before = Path(shutil.copytree(source, folder / "before", symlinks=True))
        spoil(before, name)
        after = Path(shutil.copytree(before, folder / "after", symlinks=True))
        begun = time.monotonic()
        with start(after, name) as process:
            _, error = process.communicate()
        duration = time.monotonic() - begun
        assert process.returncode == 0, error.decode()
        assert leftovers(after) == []
        assert differences(state_of(after), state_of(before))
        return before, state_of(after), duration

    return run


def check_rerun(home: Path, name: str, complete: State, when: str, sceneset: Run) -> None:
    """Check what a killed command left, run it again, and compare the states."""
    assert not damaged_blobs(home), "a partial blob would be taken for a complete one"
    left = f"left/{NAME}2.csv"
    if name == "add" and f"{NAME}2" in (home / "registry/params.yaml").read_text():
        assert (home / left).read_bytes() == complete.files[left], f"killed {when}"
    was_complete = not differences(state_of(home), complete)
    outcome = sceneset(*COMMANDS[name], cwd=home / "registry")
    # What is there already may be refused: the subset of `add`, the folder of `fix --to`.
    assert outcome.code == 0 or was_complete, f"killed {when}: {outcome.err}"
    assert differences(state_of(home), complete) == [], f"killed {when}"
    assert leftovers(home) == [], f"killed {when}"


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_command_ends_in_the_same_state_when_it_is_killed_at_a_durable_step(
    name: str,
    point: str,
    undisturbed: Undisturbed,
    tmp_path: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, complete, _ = undisturbed(name)
    home = Path(shutil.copytree(before, tmp_path / "home", symlinks=True))
    enter_home(home, monkeypatch)
    program = ROOT / "tests/programs/kill_command.py"
    command = [sys.executable, str(program), point, *COMMANDS[name]]
    done = subprocess.run(command, cwd=home / "registry", check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    check_rerun(home, name, complete, point, sceneset)


@pytest.mark.sweep
@pytest.mark.parametrize("name", COMMANDS)
def test_command_ends_in_the_same_state_when_it_is_killed_at_any_time(
    name: str,
    undisturbed: Undisturbed,
    tmp_path: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, complete, seconds = undisturbed(name)
    generator = random.Random(905)
    for number in range(MOMENTS):
        moment = generator.random()
        home = Path(shutil.copytree(before, tmp_path / str(number), symlinks=True))
        process = start(home, name)
        time.sleep(moment * seconds)  # not a wait: the time of the kill is what is tested
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        psutil.wait_procs(children, timeout=60)  # dvc and git end what they are doing
        with monkeypatch.context() as patch:
            enter_home(home, patch)
            when = f"after {moment:.0%} of its time"
            check_rerun(home, name, complete, when, sceneset)
        shutil.rmtree(home)


def test_selections_writes_nothing(released: Path, sceneset: Run) -> None:
    home = released.parent
    before = state_of(home)
    assert sceneset("selections", cwd=released).code == 0
    assert differences(state_of(home), before) == []
    assert leftovers(home) == []
