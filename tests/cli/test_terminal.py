"""What people see on a terminal of 80 columns, in English and Chinese."""

import re
import shutil
from pathlib import Path

import pytest

from sceneset.cli.main import main
from sceneset.cli.output import console
from sceneset.cli.text_width import width_of
from support.build import NAME, make_delivery, write_mask
from support.terminal import open_terminal

COLUMNS = 80
OTHER = "CustomSeg_Person_20240116_other"
NOUNS = (
    "error|warning|note|finding|sample|image|mask|file|row|person|scene|subset|annotation|format"
)
WRONG_PLURAL = re.compile(rf"(?<![\d,.])(?:1 (?:{NOUNS})s|(?:0|[2-9]|\d[\d,]*\d) (?:{NOUNS}))\b")
KEPT = re.compile(
    r"`[^`]*`"  # commands and names of files
    r"|CVAT for images|Darwin JSON|Pascal VOC|Hugging Face|Label Studio|Embedding Atlas"
    r"|sRGB|git commit -m '[^']*'"
)
SENTENCE = re.compile(r"[A-Za-z][a-z]+(?: [a-z]{2,}){2,}")
CONTROL = re.compile(r"\r[^\r\n]*\x1b\[K|\x1b\[[0-9;?]*[a-zA-Z]|\r")
"""Lines of progress, which disappear, and control sequences."""


@pytest.fixture(scope="module")
def home(tmp_path_factory, _added_registry) -> Path:
    """A registry with a tag that has no image, and a delivery of 49 masks with a wrong value."""
    home = tmp_path_factory.mktemp("terminal")
    root = Path(shutil.copytree(_added_registry, home / "registry", symlinks=True))
    shutil.copytree(root, home / "clean", symlinks=True)
    tags = root / f"registry/tags/{NAME}.csv"
    rows = "".join(f"train,missing{number},ski,single,,\n" for number in range(12))
    tags.write_text(f"{tags.read_text()}{rows}train,alone,city,single,,\n")
    stems = [f"{number:04}" for number in range(49)]
    make_delivery(home / "bad", {"ski.txt": stems}, train=stems)
    for stem in stems:
        write_mask(home / f"bad/ann_dir/train/{stem}.png", person=128)
    shutil.copytree(home / "bad/img_dir/train", home / "masks/images")
    shutil.copytree(home / "bad/ann_dir/train", home / "masks/masks")
    return home


COMMANDS = {
    "add": (1, "registry", "add ../bad --name {other} --dry-run"),
    "add masks": (1, "registry", "add ../masks --name {other} --dry-run"),
    "add taken": (0, "registry", "add ../masks --name {other} --dry-run --map 128=person"),
    "scenes-from": (
        0,
        "registry",
        "add ../masks --name {other} --map 1..=person --scenes-from folder",
    ),
    "check": (1, "registry", "check"),
    "lookup": (0, "registry", "lookup ski surfing"),
    "lookup samples": (0, "clean", "lookup ski --samples"),
    "show": (0, "clean", "show {name}"),
    "scenes": (0, "clean", "scenes"),
    "review": (1, "registry", "review HEAD"),
    "release": (1, "registry", "release 1.0.0"),
    "formats": (0, "registry", "formats"),
    "export": (0, "clean", "export yolo-seg ski --to ../out"),
}


@pytest.fixture(params=["C.UTF-8", "zh_CN.UTF-8"], ids=["English", "Chinese"])
def is_chinese(request, monkeypatch) -> bool:
    monkeypatch.setenv("LC_ALL", request.param)
    return request.param.startswith("zh")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_readable_on_80_columns(name, home, is_chinese, monkeypatch, tmp_path):
    code, folder, line = COMMANDS[name]
    monkeypatch.chdir(home / folder)

    def seen(columns: int) -> str:
        terminal = open_terminal(monkeypatch, columns)
        console.cache_clear()
        words = line.format(name=NAME, other=OTHER).split()
        assert main(words) == code, terminal.text
        return CONTROL.sub("", terminal.text)

    narrow = seen(COLUMNS)
    lines = narrow.splitlines()
    assert any(lines)
    for one in map(str.strip, lines):
        assert width_of(one) <= COLUMNS or " " not in one, one
    assert WRONG_PLURAL.findall(narrow) == []
    if is_chinese:
        assert [one for one in map(english_in, lines) if one] == []
    else:
        assert words_of(narrow) <= words_of(seen(1000))  # no word is broken


def words_of(text: str) -> set[str]:
    """Return the words of a text; those with "..." in the middle are shortened on purpose."""
    return {word.rstrip(":") for word in text.split() if "…" not in word}


def english_in(line: str) -> str:
    """Return a part of a line that is English, except names."""
    found = SENTENCE.search(KEPT.sub("x", line))
    return found[0] if found else ""
