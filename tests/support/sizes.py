"""Text files of 32 MiB, and the commands that read them: right, wrong and hostile content.

Used by tests/faults/test_sizes.py, which bounds memory, and by benchmarks/sizes.py, which prints
the figures of docs/performance.md.
"""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from support.build import NAME, ROOT

LARGE = 32 << 20
"""Size of a file, in bytes."""
BELOW_LIMIT = 15 << 20
"""Size of a YAML file that is read; larger ones are refused by their size."""
MEMORY = 256
"""Most memory of a command, in MiB above that of the same command without a large file."""
CPU = 60
"""Most CPU time of a command in seconds: far more than any needs, to stop quadratic work."""

HOME = f"Insta360SemanticSeg/{NAME}"
DIR_LIST = "the list of img_dir in DVC's cache"

Change = Callable[[str], str]
"""Returns the text of a large file, given the good text of the file."""


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    seconds: float
    """CPU time of the command and the programs it started."""
    megabytes: float
    """Peak memory of its largest process, in MiB."""


def rows(row: str, size: int = LARGE, head: str | None = None) -> Change:
    """Return a change that adds rows up to a size; "#" stands for the number of the row.

    Args:
        row: The row, without its line end.
        size: The size of the file in bytes.
        head: What stands before the rows (default: the good text of the file).
    """

    def change(good: str) -> str:
        start = good if head is None else head
        step = len(row.replace("#", "0000000").encode()) + 1
        count = max(size - len(start.encode()), 0) // step
        return start + "".join(row.replace("#", f"{n:07}") + "\n" for n in range(count))

    return change


def repeated(text: str, size: int = LARGE, head: str = "", tail: str = "") -> Change:
    """Return a change that replaces a file by one text, repeated."""
    return lambda _: head + text * (size // len(text.encode())) + tail


_ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(f'*{old}' for _ in range(10))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

YAML: dict[str, Change] = {
    "short": repeated("a: b\n"),
    "keys": rows("key#: 1"),
    "one-line": repeated("["),
    "comments": rows("# a comment", BELOW_LIMIT),
    "deep": repeated("[", BELOW_LIMIT, "a: "),
    "deep-mapping": repeated("- ", BELOW_LIMIT),
    "values": repeated("x,", BELOW_LIMIT, "a: [", "x]\n"),
    "maps": repeated("{},", BELOW_LIMIT, "a: [", "{}]\n"),
    "distinct-keys": rows("key#: 1", BELOW_LIMIT),
    "text": repeated("x", BELOW_LIMIT, "a: ", "\n"),
    "number": repeated("1", BELOW_LIMIT, "a: ", "\n"),
    "quoted": repeated("\\\\", BELOW_LIMIT, 'a: "', '"\n'),
    "aliases": rows("# a comment", BELOW_LIMIT, _ALIASES),
    "anchors": repeated("&a x,", BELOW_LIMIT, "a: [", "x]\n"),
    "documents": repeated("---\n", BELOW_LIMIT),
}
"""Content for every YAML file."""

CSV: dict[str, Change] = {
    "short": repeated("x\n"),
    "blank": repeated("\n"),
    "one-line": repeated("x"),
    "commas": repeated(","),
    "quotes": lambda good: good.partition("\n")[0] + "\n" + '"' * LARGE,
    "returns": repeated("\r"),
    "wide": lambda good: good.partition("\n")[0] + "\n" + "\N{SKIER}" * (LARGE // 4),
}
"""Content for every CSV file."""

JSON: dict[str, Change] = {
    "short": repeated("1\n"),
    "deep": repeated("["),
    "lists": repeated("[],", head="[", tail="[]]"),
    "keys": lambda _: "{" + ",".join(f'"k{n}":1' for n in range(LARGE // 14)) + "}",
}

_TAG = "phase,stem,scenes,persons,boxes,source\n"
_LINEAGE = "phase,stem,image_md5,mask_md5,new_phase,new_stem,new_image_md5,new_mask_md5,reason\n"
_DELIVERED = "phase,stem,image,annotation,changes\n"
_HASH, _DAY = "0123456789abcdef", "2024-01-01"
_MD5, _OTHER = "0" * 25, "1" * 25
_ENTRY_HEAD = f"name: {NAME}\nkind: full\nsplits:\n- {{scene: total, file: total.txt}}\n"

FILES: dict[str, dict[str, Change]] = {
    "params.yaml": YAML
    | {
        "subsets": rows("  - CustomSeg_Person_20240101_#", BELOW_LIMIT, "subsets:\n"),
        "wrong-subsets": rows("  - x#", 2 << 20, "subsets:\n"),
        "selections": lambda good: (
            good.replace("selections: {}", "selections:")
            + rows("  s#: {scenes: [ski]}", 60_000, "")("")
        ),
        "wrong-selections": lambda good: (
            good.replace("selections: {}", "selections:")
            + rows("  s#: {scenes: [unheard#]}", 900_000, "")("")
        ),
    },
    "registry/scenes.yaml": YAML
    | {
        "scenes": rows("  - {key: scene-#, en: scene #, zh: 场景#}", 1_400_000),
        "wrong-scenes": rows("  - {key: UPPER#, en: a, zh: b}", 1_300_000),
    },
    f"registry/subsets/{NAME}.yaml": YAML
    | {
        "rows": rows("- {scene: ski, source: s#, file: f#.txt}", 1_500_000, _ENTRY_HEAD),
        "wrong-rows": rows("- {scene: unheard#, file: f#.txt}", 1_500_000, _ENTRY_HEAD),
    },
    f"registry/tags/{NAME}.csv": CSV
    | {
        "good": rows("train,#,ski,single,1,video-1", head=_TAG),
        "values": rows("train,s#,ski,perhaps,1,", head=_TAG),
        "unsafe": rows("train,a/b,ski,single,1,", head=_TAG),
        "repeated": rows("train,a,ski,single,1,", head=_TAG),
        "unheard": rows("train,s#,unheard#,single,1,", head=_TAG),
        "conflicts": rows("train,s#,ski:multi;city:single,single,1,", head=_TAG),
    },
    "registry/forgotten.yaml": YAML
    | {
        "rows": rows(
            f"- {{image: '{_MD5}#', phash: '{_HASH}', phash_mirror: '{_HASH}', reason: case 1}}",
            3_000_000,
            "forgotten:\n",
        ),
        "wrong-rows": rows("- {image: x#, reason: case 1}", 2_000_000, "forgotten:\n"),
    },
    "registry/waivers.yaml": YAML
    | {
        "rows": rows(
            f"- {{code: mask-specks, subset: {NAME}, sample: train/s#, reason: r, date: {_DAY}}}",
            3_000_000,
            "waivers:\n",
        ),
        "wrong-rows": rows("- {code: unheard, subset: x#}", 2_000_000, "waivers:\n"),
    },
    f"registry/lineage/{NAME}.csv": CSV
    | {
        "good": rows(f"train,s#,{_MD5}#,{_MD5}#,train,s#,{_OTHER}#,{_OTHER}#,fix", head=_LINEAGE),
        "wrong": rows("train,s#,x,x,train,s#,x,x,fix", head=_LINEAGE),
        "one-chain": rows(
            f"train,a,{_MD5}0000000,{_MD5}#,train,a,{_OTHER}#,{_OTHER}#,fix", head=_LINEAGE
        ),
    },
    f"registry/deliveries/{NAME}.csv": CSV
    | {
        "good": rows(
            "train,s#,a/s#.jpg,labels.json#7,", head="phase,stem,image,annotation,changes\n"
        )
    },
    "registry/used.csv": CSV
    | {
        "good": rows("1.0.0,,https://example.com/#,", head="version,selection,run,digest\n"),
        "wrong": rows("1.0.0,,no-url-#,", head="version,selection,run,digest\n"),
    },
    "registry/versions/1.0.0.yaml": YAML,
    "registry/manifest.json": JSON,
    "registry/reports/check.json": JSON,
    "registry/stats/dataset.yaml": YAML,
    f"registry/stats/{NAME}.yaml": YAML,
    "dvc.lock": YAML | {"stages": rows("  s#: {cmd: x}", BELOW_LIMIT, "schema: '2.0'\nstages:\n")},
    "dvc.yaml": YAML | {"stages": rows("  s#: {cmd: x}", BELOW_LIMIT, "stages:\n")},
    f"{HOME}/img_dir.dvc": YAML,
    f"{HOME}/split_dir/ski.txt": {
        "short": repeated("x\n"),
        "blank": repeated("\n"),
        "one-line": repeated("x"),
        "stems": rows("s#", head=""),
    },
    ".dvc/config": {
        "short": repeated("x\n"),
        "one-line": repeated("x"),
        "keys": rows("    key# = 1"),
        "sections": rows("['remote \"r#\"']\n    url = ../store"),
        "comments": rows("# a comment"),
    },
    ".gitignore": {
        "short": rows("/x#"),
        "one-line": repeated("x"),
        "stars": repeated("*a", head="/"),
    },
    ".gitattributes": {"short": rows("x# merge=union"), "one-line": repeated("x")},
    ".dvcignore": {"short": rows("/x#"), "one-line": repeated("x")},
    "CHANGELOG.md": {
        "short": rows("- a change #"),
        "one-line": repeated("x"),
        "headings": rows("## 1.0.#"),
    },
    DIR_LIST: JSON
    | {
        "rows": rows(
            f'{{"md5": "{_MD5}#", "relpath": "train/s#.jpg"}},',
            head="[",
        ),
    },
}
"""Files of a registry, and their large contents by name."""

READ: dict[str, tuple[str, ...]] = {
    "check": ("check", "--json"),
    "lookup": ("lookup", "ski", "--samples", "--json"),
    "stems": ("lookup", "ski", "--stems"),
    "show": ("show", "web"),
    "scenes": ("scenes",),
    "selections": ("selections",),
    "versions": ("versions",),
    "version": ("versions", "1.0.0"),
    "sql": ("sql", "select count(*) from samples"),
    "diff": ("diff", "HEAD", "--samples"),
    "review": ("review", "HEAD"),
    "verify": ("verify",),
    "doctor": ("doctor",),
    "fix": ("fix", "web"),
    "forget": ("forget", "web/train/a", "--reason", "case 1", "--dry-run"),
    "pull": ("pull", "ski", "--to", "../pulled"),
    "export": ("export", "coco", "ski", "--to", "../exported"),
    "scan": ("scan", "web"),
    "release": ("release", "2.0.0"),
    "used": ("used", "https://example.com/1", "--rev", "1.0.0"),
    "add": ("add", "../delivery", "--name", f"{NAME}-2", "--dry-run", "--json"),
}
"""Commands by a short name; each changes nothing that the next one reads, or is refused."""


def path_of(root: Path, file: str) -> Path:
    """Return the path of a file of ``FILES`` in a registry."""
    if file != DIR_LIST:
        return root / file
    text = (root / HOME / "img_dir.dvc").read_text()
    [md5] = [line.split()[-1] for line in text.splitlines() if "md5: " in line]
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def measured(cwd: Path, words: Sequence[str], *, seconds: int = CPU) -> Outcome:
    """Run a command in a process of its own.

    Args:
        cwd: The folder of the registry.
        words: The command line, without "sceneset".
        seconds: Most CPU time of each process; the kernel ends it after that.
    """
    program = ROOT / "tests/programs/measure_command.py"
    out = cwd.parent / "out.txt"
    command = [sys.executable, program, out, sys.executable, "-m", "sceneset", *words]
    done = subprocess.run(
        command,
        cwd=cwd,
        check=True,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
    )
    code, used, megabytes = json.loads(done.stdout)
    for name in ("pulled", "exported"):
        shutil.rmtree(cwd.parent / name, ignore_errors=True)
    return Outcome(code, out.read_text("utf-8"), used, megabytes)


def measured_with(root: Path, file: str, text: str, words: Sequence[str]) -> Outcome:
    """Run a command while a file of the registry has other content."""
    path = path_of(root, file)
    good = path.read_bytes() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # DVC's cache is read-only
    path.write_text(text, "utf-8")
    try:
        return measured(root, words)
    finally:
        path.unlink(missing_ok=True)
        if good is not None:
            path.write_bytes(good)


def good_text(root: Path, file: str) -> str:
    """Return the text of a file of ``FILES``, or "" if the registry has no such file."""
    path = path_of(root, file)
    return path.read_text("utf-8") if path.exists() else ""


def cases() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield files, names of contents and commands: `check`, `review` and two others by turns."""
    others = [name for name in READ if name not in {"check", "review"}]
    turn = count()
    for file, contents in FILES.items():
        for content in contents:
            two = tuple(others[next(turn) % len(others)] for _ in range(2))
            yield file, content, ("check", "review", *two)
