"""Every example of the first pages runs, and prints what the page shows."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

import draw
from sceneset.cli.main import COMMANDS, parser_of
from support.build import ROOT, git
from support.pages import ENGLISH
from support.walks import Walk, parts, steps_of

SUBSET = "CustomSeg_Person_20240115_first"
ROLES = ("data-engineer", "training-engineer", "reviewer", "annotator")


def page(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text("utf-8")


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    """What the page Getting started leaves: a registry, its remote, a delivery and an entry."""
    home = tmp_path_factory.mktemp("walk")
    checkout = shutil.copytree(_empty_registry, home / "checkout", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        walk = Walk(checkout, home, patch)
        assert walk.go(page("getting-started"))
    assert (home / "people/data/ski/sceneset.json").is_file()
    assert git(home / "people", "status", "--porcelain") == ""
    return home


@pytest.fixture
def started(_started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    home = Path(shutil.copytree(_started, tmp_path / "home", symlinks=True))
    monkeypatch.chdir(home / "people")
    assert draw.main(["../delivery2", "--images", "8", "--scene", "city", "--seed", "8"]) == 0
    shutil.rmtree(home / "delivery")
    (home / "delivery2").rename(home / "delivery")
    return Walk(home / "people", home, monkeypatch)


@pytest.mark.faults
def test_getting_started_leads_to_a_version_and_a_folder(_started: Path) -> None:
    assert git(_started / "people", "tag").strip() == "insta360-semantic-seg@v1.0.0"


@pytest.mark.faults
@pytest.mark.parametrize("role", ROLES)
def test_examples_of_a_role_run(role: str, started: Walk) -> None:
    if role == "reviewer":
        git(started.folder, "switch", "--quiet", "--create", "clips")
        started.go("```console\n$ sceneset tag ski --of-phase train --source clip-7\n```\n")
        git(started.folder, "commit", "--quiet", "--all", "--message", "Clips")
        git(started.folder, "switch", "--quiet", "main")
    assert started.go(page(role))


WORDS = {
    "SUBSET": "first", "CODE": "mask-holes", "COMMAND": "lookup", "NEW_NAME": f"{SUBSET}-2",
    "OTHER_KEY": "surfing", "KEY": "sea", "DELIVERY": "~/delivery", "clip7_*": "ski_*",
}  # fmt: skip
"""What the placeholders of AGENTS.md stand for in the registry of the tests."""


def check_commands(text: str) -> int:
    """Parse the arguments of each command in the blocks of a page; return how many there are."""
    commands = [
        part[1:]
        for step in steps_of(text)
        if step.kind == "command"
        for part in parts(shlex.split(step.text, comments=True))
        if part[:1] == ["sceneset"]
    ]
    for name, *words in commands:
        parser_of(name)[0].parse_args(words)  # exits if the arguments are wrong
    return len(commands)


def filled(path: Path) -> str:
    """Return AGENTS.md with the placeholders filled in."""
    text = path.read_text("utf-8")
    for word, value in WORDS.items():
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", value, text)
    return text


@pytest.mark.faults
def test_commands_for_coding_agents_run(started: Walk) -> None:
    text = filled(started.folder / "AGENTS.md")
    (started.folder / "build").mkdir()
    (started.folder / "build/stems.txt").write_text("ski_0001\n")
    text = text.replace("scene add sea", "scene add skating")
    assert started.go(text) >= 30


@pytest.mark.parametrize("path", ["AGENTS.md", "src/sceneset/cli/templates/AGENTS.md"])
def test_commands_for_coding_agents_are_valid(path: str) -> None:
    text = filled(ROOT / path)
    assert check_commands(text) > 25
    for name in re.findall(r"`sceneset (\w+)[^`]*`", text):
        assert name in COMMANDS


@pytest.mark.parametrize("name", ["../README", "../README.zh", *ENGLISH])
def test_commands_of_a_page_have_valid_arguments(name: str) -> None:
    check_commands(page(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_a_page_that_people_write(name: str) -> None:
    assert any(f"sceneset {name}" in page(one) for one in ENGLISH)


def test_page_for_coding_agents_is_the_same_in_this_registry() -> None:
    template = (ROOT / "src/sceneset/cli/templates/AGENTS.md").read_text("utf-8")
    assert (ROOT / "AGENTS.md").read_text("utf-8").startswith(template)


def test_page_for_coding_agents_names_files_of_a_registry() -> None:
    """A file that is renamed or new must be found in the list of what no agent may edit."""
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    names = re.findall(r"^\| (`registry/[^|]+) \|", page("files"), re.MULTILINE)
    folders = {name.strip("`").split("/")[1].partition(".")[0] for name in names}
    assert {folder for folder in folders if folder not in text} == set()
