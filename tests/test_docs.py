"""The documentation says what is true: its sessions run, its links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.cli.main import COMMANDS, overview, parser_of
from sceneset.reporting import rules_page as rulebook
from support.build import ROOT

READMES = ("README.md", "README.zh.md")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md"))
)


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Yield every shown command that has output, with that output."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if output.strip():
                yield command, output


@pytest.mark.parametrize("page", READMES)
def test_sessions_print_what_they_show(page, sceneset):
    shown = list(sessions((ROOT / page).read_text("utf-8")))
    assert shown, "the first screen shows a real session"
    for command, output in shown:
        program, *words = shlex.split(command)
        assert program == "sceneset"
        outcome = sceneset(*words, cwd=ROOT)
        assert outcome.code == 0, outcome.err
        assert outcome.out.strip() == output.strip(), command


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_shown_commands_exist(page):
    text = (ROOT / page).read_text("utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for name in re.findall(r"^\$ sceneset (\w+)", block, re.MULTILINE):
            assert name in COMMANDS
        for target in re.findall(r"^\$ make (\w+)", block, re.MULTILINE):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(name):
    parser, module = parser_of(name)
    text = parser.format_help()
    assert f"sceneset {name}" in module.EXAMPLES
    assert "examples:" in text
    for line in module.EXAMPLES.splitlines():
        if line.startswith("  sceneset "):
            assert shlex.split(line.split("  ")[1])[1] in COMMANDS
    for action in parser._actions:
        assert action.help or action.choices, f"{action.dest} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_overview_and_the_changelog(name):
    assert f"  {name} " in overview()
    assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text("utf-8").replace("sceneset ", "")


def test_the_page_of_findings_is_current():
    assert (ROOT / "docs/problems.md").read_text("utf-8") == rulebook.page()


def test_the_readme_names_the_two_commands():
    for page in READMES:
        text = (ROOT / page).read_text("utf-8")
        assert "make demo" in text
        assert "make test" in text


def test_nothing_names_this_machine():
    home = Path.home().as_posix()
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        assert "/home/" not in text
        assert home == "/" or home not in text
