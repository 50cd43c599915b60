"""Every two commands that write, at once, end as one after the other.

Two serial runs, one in each order, say what the end may be: all files, the remote, the cache, git's
references and its status, byte for byte. A command that is refused is run again, as its message
says. Both start at once, and the second one starts in the middle of the first one.
"""

import re
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset.storage.files import md5_of
from support.build import NAME, dvc, git, make_delivery, write_image, write_mask
from support.fork_server import run_module
from support.states import (
    State,
    damaged_blobs,
    differences,
    environment,
    leftovers,
    state_of,
)

URL = "https://example.com/runs"
COMMANDS = {
    "add": ("add", "../other", "--name", f"{NAME}2", "--quarantine", "../left"),
    "doctor": ("doctor", "--fix"),
    "export": ("export", "coco", "ski", "--to", "../coco"),
    "fix": ("fix", "web", "--apply"),
    "forget": ("forget", "web/train/b", "--reason", "case 1", "--purge"),
    "pull": ("pull", "ski", "--to", "../out"),
    "release": ("release", "2.0.0"),
    "remote": ("remote", "../second", "--name", "second"),
    "repro": ("dvc", "repro", "--force"),
    "scan": ("scan", "web", "--from-remote"),
    "used": ("used", f"{URL}/1", "--rev", "1.0.0"),
    "verify": ("verify", "--repair"),
    "remote to a third place": ("remote", "../third", "--name", "third"),
    "use by another run": ("used", f"{URL}/2", "--rev", "1.0.0"),
    "grow": ("add", "../more", "--to", "web"),
    "replace": ("add", "../corrected", "--to", "web", "--replace", "masks"),
    "tag": ("tag", "ski", "--match", "[cd]", "--add", "city"),
    "move": ("move", "ski", "--match", "c", "--phase", "val"),
    "drop": ("drop", "--match", "d", "--reason", "out of focus"),
    "split": ("split", "web", "--val", "0.5", "--apply"),
    "scene": ("scene", "rename", "ski", "alpine"),
    "rename": ("rename", "web", f"{NAME}3"),
    "retire": ("retire", "web", "--reason", "replaced"),
}
"""The commands, each with work to do in the registries of ``before``."""
EDITS = ["grow", "replace", "tag", "move", "drop", "split", "scene", "rename", "retire"]
"""The commands that change subsets."""
MAIN = [name for name in COMMANDS if " " not in name and name not in EDITS]
# A command that says so, in one line, has found that the other one is at work, and is run again.
_LOCKED = re.compile(
    r"^running: |\.sceneset/[a-z.]*lock: |\.dvc/tmp/lock: |: another command is writing it"
    r"|, or is running$|Unable to acquire lock|is busy, it is being blocked|cannot lock ref"
    r"|index\.lock"
)


class Done(NamedTuple):
    """How a command ended."""

    code: int
    err: str

    @property
    def refused_by_lock(self) -> int:
        """The number of lines that say so."""
        return sum(bool(_LOCKED.search(line)) for line in self.err.splitlines())

    @property
    def codes(self) -> frozenset[str]:
        """The rules of its findings."""
        return frozenset(re.findall(r"\[([a-z0-9-]+)\]", self.err))


class Serial(NamedTuple):
    """Two commands, run one after the other."""

    end: State
    refusals: frozenset[tuple[str, frozenset[str]]]
    """Commands that are refused in this order, and the rules that they are refused by."""
    seconds: float
    """The time that the first one takes."""


def start(home: Path, name: str) -> Done:
    words = COMMANDS[name]
    module, arguments = ("dvc", words[1:]) if words[0] == "dvc" else ("sceneset.cli.main", words)
    done = run_module(module, arguments, cwd=home / "registry", env=environment(home))
    return Done(done.returncode, (done.stderr + done.stdout).decode())


def finish(home: Path, names: Sequence[str], ends: Sequence[Done]) -> list[tuple[str, Done]]:
    """Run refused commands again until it helps no more, as they say; return all ends."""
    last = all_ends = list(zip(names, ends, strict=True))
    while refused := [name for name, done in last if done.code]:
        last = [(name, start(home, name)) for name in refused]
        all_ends = [*all_ends, *last]
        if all(done.code for _, done in last):
            break
    is_outdated = any("`dvc repro`" in done.err for _, done in all_ends if done.code)
    # DVC chooses the stages when it starts: those of a subset that is added meanwhile come later.
    if is_outdated or "repro" in names:
        dvc(home / "registry", "repro", "--allow-missing")
    return all_ends


@pytest.fixture(scope="module")
def before(
    tmp_path_factory: pytest.TempPathFactory, _released_registry: Path
) -> Callable[[frozenset[str]], Path]:
    """Return, for some commands: a home in which each of them has something to do."""
    base = tmp_path_factory.mktemp("pairs") / "base"
    shutil.copytree(_released_registry, base, symlinks=True)
    root = base / "registry"
    make_delivery(base / "other", train=("x", "y"), splits={"total.txt": ("x", "y")})
    (base / "other/img_dir/train/x.jpg").write_bytes(b"no image")
    more = make_delivery(base / "more", train=("m", "n"), splits={"total.txt": ("m", "n")})
    for seed, stem in enumerate(("m", "n"), 300):
        write_image(more / f"img_dir/train/{stem}.jpg", seed)
    write_mask(base / "corrected/ann_dir/train/c.png", ignore=True)
    for name in ("second", "third"):
        (base / name).mkdir()
    image = root / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    data = image.read_bytes()
    image.unlink()
    image.write_bytes(data + b"after the end")
    dvc(root, "add", "--quiet", f"Insta360SemanticSeg/{NAME}/img_dir")
    dvc(root, "repro", "--quiet")
    dvc(root, "push")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "An image to fix")

    @cache
    def prepare(names: frozenset[str]) -> Path:
        if not names & {"doctor", "verify"}:
            return base
        home = base.with_name("-".join(sorted(names)))
        shutil.copytree(base, home, symlinks=True)
        if "doctor" in names:
            with (home / "registry/registry/cards/index.en.md").open("a") as card:
                card.write("edited by hand\n")
        if "verify" in names:  # the blob is that of the image that `forget` withdraws
            (home / "store" / blob_of(home / "registry", "b")).unlink()
        return home

    return lambda names: prepare(names & {"doctor", "verify"})


def blob_of(root: Path, stem: str) -> str:
    """Return the path of an image's blob on a remote."""
    md5 = md5_of((root / f"Insta360SemanticSeg/{NAME}/img_dir/train/{stem}.jpg").read_bytes())
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target, symlinks=True))


@pytest.fixture(scope="module")
def serial(
    tmp_path_factory: pytest.TempPathFactory, before: Callable[[frozenset[str]], Path]
) -> Callable[[str, str], Serial]:
    """Return how two commands end, one after the other."""
    folder = tmp_path_factory.mktemp("serial")

    @cache
    def run(first: str, second: str) -> Serial:
        home = copy(before(frozenset((first, second))), folder / f"{first} {second}")
        started = time.monotonic()
        ends = [start(home, first)]
        seconds = time.monotonic() - started
        ends.append(start(home, second))
        all_ends = finish(home, (first, second), ends)
        assert not any(done.code and done.refused_by_lock for _, done in all_ends), all_ends
        assert leftovers(home) == []
        end = state_of(home)
        shutil.rmtree(home)
        refusals = frozenset((name, done.codes) for name, done in all_ends if done.code)
        return Serial(end, refusals, seconds)

    return run


def run_at_once(home: Path, first: str, second: str, offset: float) -> list[Done]:
    """Start two commands, the second one after ``offset`` seconds; return how they ended."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(start, home, first)
        time.sleep(offset)  # not a wait: when the second one starts is what is tested
        other = pool.submit(start, home, second)
        return [one.result(), other.result()]


def check_pair(
    first: str,
    second: str,
    part: float,
    before: Callable[[frozenset[str]], Path],
    serial: Callable[[str, str], Serial],
    tmp_path: Path,
) -> None:
    """Run two commands, the second one when a part of the first one's time is over."""
    orders = [serial(first, second), serial(second, first)]
    home = copy(before(frozenset((first, second))), tmp_path / "home")
    ends = run_at_once(home, first, second, part * orders[0].seconds)
    allowed = orders[0].refusals | orders[1].refusals
    all_ends = finish(home, (first, second), ends)
    for name, done in all_ends:
        if done.code == 0 or (name, done.codes) in allowed:
            continue
        assert done.refused_by_lock == 1 or name in {"repro", "doctor"}, done.err
        assert done.refused_by_lock, done.err
        assert done.code == 1 or name == "repro", done.err
    assert not any(done.code and done.refused_by_lock for _, done in all_ends[2:]), all_ends
    state = state_of(home)
    ways = [differences(state, order.end) for order in orders]
    assert [] in ways, (min(ways, key=len), all_ends)
    assert damaged_blobs(home) == []
    assert leftovers(home) == []


Pair = tuple[Callable[[frozenset[str]], Path], Callable[[str, str], Serial], Path]


@pytest.fixture
def place(
    before: Callable[[frozenset[str]], Path], serial: Callable[[str, str], Serial], tmp_path: Path
) -> Pair:
    return before, serial, tmp_path


@pytest.mark.parametrize(
    ("first", "second"), [("forget", "verify"), ("fix", "release"), ("add", "add")]
)
def test_two_commands_end_as_one_after_the_other(first: str, second: str, place: Pair) -> None:
    check_pair(first, second, 0, *place)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("first", "second"),
    [
        *combinations_with_replacement(MAIN, 2),
        ("remote", "remote to a third place"),
        ("used", "use by another run"),
    ],
)
def test_every_two_commands_that_start_at_once_end_as_one_after_the_other(
    first: str, second: str, place: Pair
) -> None:
    check_pair(first, second, 0, *place)


@pytest.mark.sweep
@pytest.mark.parametrize(("first", "second"), [*product(MAIN, MAIN)])
def test_command_that_starts_in_the_middle_of_another_ends_as_if_one_came_after_the_other(
    first: str, second: str, place: Pair
) -> None:
    check_pair(first, second, 0.5, *place)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("first", "second"),
    [
        *combinations_with_replacement(EDITS, 2),
        *product(EDITS, ("add", "fix", "forget", "release", "repro")),
    ],
)
def test_changes_of_subsets_that_start_at_once_end_as_one_after_the_other(
    first: str, second: str, place: Pair
) -> None:
    check_pair(first, second, 0, *place)
