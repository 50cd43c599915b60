"""Very large and very wrong text files: time, memory and messages stay small."""

import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from support.build import NAME, make_delivery
from support.sizes import FILES, LARGE, MEMORY, READ, cases, good_text, measured, measured_with

MANY = 100_000
_ENTRY = f"registry/subsets/{NAME}.yaml"
_TAGS = f"registry/tags/{NAME}.csv"
_HEADER = "phase,stem,scenes,persons,boxes,source\n"


def lines(text: str) -> Callable[[str], str]:
    """Return a text with many lines after the good content; # stands for the line's number."""
    return lambda good: good + "".join(text.replace("#", str(n)) + "\n" for n in range(MANY))


def instead(text: str, size: int = LARGE) -> Callable[[str], str]:
    """Return a text of one piece, repeated."""
    return lambda _: text * (size // len(text.encode()) + 1)


def in_splits(text: str) -> Callable[[str], str]:
    return lambda good: (
        good.rstrip() + "\n" + "".join(text.replace("#", str(n)) + "\n" for n in range(MANY // 4))
    )


WRONG = {
    "params-keys": ("params.yaml", lines("key#: 1")),
    "params-repeated-keys": ("params.yaml", lines("zz: 1")),
    "params-large": ("params.yaml", instead("a: b\n")),
    "params-one-line": ("params.yaml", instead("[")),
    "params-comment": ("params.yaml", instead("# x\n")),
    "scenes-keys": ("registry/scenes.yaml", lines("key#: {en: a}")),
    "scenes-list": ("registry/scenes.yaml", lines("  - {key: UPPER#, en: a, zh: b}")),
    "scenes-large": ("registry/scenes.yaml", instead("- x\n", 15 << 20)),
    "entry-keys": (_ENTRY, lines("key#: 1")),
    "entry-rows": (_ENTRY, in_splits("- {scene: unheard#, file: f#.txt}")),
    "entry-empty-rows": (_ENTRY, in_splits("- {scene: ski, source: s#, file: f#.txt}")),
    "entry-large": (_ENTRY, instead("name: x\n")),
    "tags-values": (_TAGS, lines("train,s#,ski,perhaps,1,")),
    "tags-columns": (_TAGS, lines("train,s#")),
    "tags-scenes": (_TAGS, lines("train,s#,unheard#,single,1,")),
    "tags-repeated": (_TAGS, lines("train,a,ski,single,1,")),
    "tags-without-image": (_TAGS, lines("train,s#,ski,single,1,")),
    "tags-conflicts": (_TAGS, lines("train,s#,ski:multi;city:single,single,1,")),
    "tags-large": (_TAGS, instead("x\n")),
    "tags-one-line": (_TAGS, instead("x")),
    "tags-commas": (_TAGS, instead(",")),
    "tags-quotes": (_TAGS, lambda _: _HEADER + '"' * LARGE),
    "tags-blank": (_TAGS, instead("\n")),
    "tags-returns": (_TAGS, instead("\r")),
    "tags-wide": (_TAGS, lambda _: _HEADER + "\N{SKIER}" * (LARGE // 4)),
    "tags-invalid-large": (_TAGS, lambda _: _HEADER + "train,a/b,ski,single,1,\n" * (LARGE // 24)),
}


_SHORT = {
    *("params-keys", "params-one-line", "scenes-list", "entry-rows", "entry-large", "tags-values"),
    *("tags-conflicts", "tags-one-line", "tags-quotes", "tags-invalid-large"),
}
"""One of each kind; all others are slow tests."""


def _slow(names: Iterable[str], short: Container[str]) -> list[ParameterSet]:
    return [pytest.param(n, marks=[] if n in short else [pytest.mark.sweep]) for n in names]


@pytest.mark.parametrize("name", _slow(WRONG, _SHORT))
def test_check_prints_little_and_needs_little_memory_when_a_file_is_very_wrong(
    name: str, added: Path
) -> None:
    file, change = WRONG[name]
    path = added / file
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    run = measured(added, ("check", "--json"))
    assert run.code == 1, run.out[-1000:]
    assert "Traceback" not in run.out
    assert len(run.out) < (4 << 20 if name == "tags-conflicts" else 300_000)
    assert run.megabytes < 256


@pytest.mark.parametrize(
    "name",
    _slow(
        ["tags-values", "tags-scenes", "tags-large", "entry-rows"], {"tags-scenes", "entry-rows"}
    ),
)
def test_add_prints_little_and_needs_little_memory_when_a_file_is_very_wrong(
    name: str, registry: Path
) -> None:
    delivery = make_delivery(registry.parent / "delivery")
    (registry.parent / "entry.yaml").write_text("splits:\n- {scene: ski, file: ski.txt}\n")
    (registry.parent / "tags.csv").write_text(_HEADER + "train,a,ski,single,1,\n")
    file = registry.parent / ("entry.yaml" if name.startswith("entry") else "tags.csv")
    file.write_text(WRONG[name][1](file.read_text()), "utf-8")
    option = "--entry" if name.startswith("entry") else "--tags"
    words = ("add", str(delivery), "--name", NAME, "--dry-run", option, str(file), "--json")
    run = measured(registry, words)
    assert run.code == 1, run.out[-1000:]
    assert len(run.out) < 300_000
    assert run.megabytes < 256


def test_last_finding_counts_the_others(added: Path) -> None:
    path = added / "params.yaml"
    path.write_text(path.read_text() + "".join(f"key{n}: 1\n" for n in range(MANY)))
    run = measured(added, ("check", "--all"))
    assert "and 99,900 more findings of this kind in this file" in run.out
    assert "key99: is not a field here" in run.out
    assert "key100: " not in run.out


@pytest.mark.sweep
def test_a_million_good_rows_of_tags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    with path.open("w") as file:
        file.write(_HEADER)
        for n in range(1_000_000):
            file.write(f"train,{n:07},ski,single,1,video-{n // 100}\n")
    program = (
        "import sys; from pathlib import Path; from sceneset.catalog.tags_csv import read_tags;"
        "tags = read_tags(Path(sys.argv[1]), 'tags.csv');"
        "assert len(tags) == 1_000_000 and tags[-1].source == 'video-9999'"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert time.monotonic() - started < 30


_LINEAGE = f"registry/lineage/{NAME}.csv"
_SAMPLED = (
    *((_LINEAGE, "good", "check"), (_LINEAGE, "wrong", "forget"), (_TAGS, "good", "check")),
    *(("params.yaml", "keys", "review"), ("params.yaml", "values", "show")),
    *(("registry/scenes.yaml", "scenes", "lookup"), ("registry/waivers.yaml", "rows", "check")),
    *(("registry/used.csv", "wrong", "version"), ("dvc.lock", "stages", "doctor")),
    *(("dvc.yaml", "stages", "verify"), ("params.yaml", "wrong-selections", "check")),
)
"""One case of each kind of file; all others are slow tests."""


_BASES: dict[str, float] = {}
"""Memory of each command in a registry of four samples, in MiB."""


def _assert_bounded(root: Path, file: str, content: str, command: str) -> None:
    """Run a command with a large file: it ends, says little, and needs little memory."""
    if command not in _BASES:
        base = measured(root, READ[command])
        assert base.code == 0 or "[release-same]" in base.out, base.out[-1000:]
        _BASES[command] = base.megabytes
    text = FILES[file][content](good_text(root, file))
    run = measured_with(root, file, text, READ[command])
    assert run.code in {0, 1, 2}, (command, run.code, run.out[-1000:])  # not killed for CPU time
    assert "Traceback" not in run.out, command
    assert len(run.out) < 300_000, command
    assert run.megabytes < _BASES[command] + MEMORY, command


@pytest.mark.parametrize(("file", "content", "command"), _SAMPLED)
def test_a_command_needs_little_memory_for_a_large_file(
    file: str, content: str, command: str, released: Path
) -> None:
    _assert_bounded(released, file, content, command)


@pytest.mark.sweep
@pytest.mark.parametrize(("file", "content", "commands"), list(cases()))
def test_commands_need_little_memory_for_any_large_file(
    file: str, content: str, commands: tuple[str, ...], released: Path
) -> None:
    make_delivery(released.parent / "delivery")  # for `add`
    for command in commands:
        _assert_bounded(released, file, content, command)
