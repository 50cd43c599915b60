"""The documentation is correct: its sessions run, its links and commands exist."""

import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import draw
from sceneset.cli.main import COMMANDS, main, overview, parser_of
from sceneset.cli.output import console
from sceneset.cli.scaffold import template
from sceneset.reporting import rules_page as rulebook
from support.build import ROOT
from support.pages import links, prose

READMES = ("README.md", "README.zh.md")
_DRAWN = "python demo/draw.py"
"""A session that begins with this adds a subset: it is run in a new registry."""
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("demo/*.md"))
)


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Yield every command of a page that is shown with output, and this output."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        if _DRAWN not in block:
            yield from ((command, output) for command, output in commands_of(block) if output)


def commands_of(block: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block, each with the output that is shown."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.strip()


@pytest.mark.parametrize("page", READMES)
def test_readme_sessions_print_the_output_they_show(page, sceneset, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if "zh" in page else "C.UTF-8")
    shown = list(sessions((ROOT / page).read_text("utf-8")))
    assert shown, "the README shows at least one session"
    for command, output in shown:
        program, *words = shlex.split(command)
        assert program == "sceneset"
        outcome = sceneset(*words, cwd=ROOT)
        assert outcome.code == 0, outcome.err
        assert outcome.out.strip() == output.strip(), command


@pytest.mark.parametrize("page", READMES)
def test_readme_session_with_a_drawn_delivery_prints_what_it_shows(page, registry, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if "zh" in page else "C.UTF-8")
    monkeypatch.chdir(registry)
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    [block] = [one for one in blocks if _DRAWN in one]
    for command, output in commands_of(block):
        program, *words = shlex.split(command)
        words, file = (words[:-2], Path(words[-1])) if ">" in words else (words, None)
        console.cache_clear()
        with monkeypatch.context() as patch:
            errors = io.StringIO()
            printed = io.StringIO() if file else errors
            patch.setattr(sys, "stdout", printed)
            patch.setattr(sys, "stderr", errors)
            code = draw.main(words[1:]) if program == "python" else main(words)
        assert code == 0, errors.getvalue()
        if program == "sceneset":
            assert errors.getvalue().strip() == output, command
        if file:
            file.write_text(printed.getvalue(), "utf-8")
    assert (registry / "data/ski/mmseg_1x.py").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_existing_files(page):
    text = prose((ROOT / page).read_text("utf-8"))
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_make_targets_exist(page):
    text = (ROOT / page).read_text("utf-8")
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for name in re.findall(r"^\$ sceneset (\w+)", block, re.MULTILINE):
            assert name in COMMANDS
        for target in re.findall(r"^\$ make ([\w-]+)", block, re.MULTILINE):
            assert target in targets, target


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_argument_has_help(name):
    parser, module = parser_of(name)
    assert f"sceneset {name}" in module.EXAMPLES
    assert parser.description.endswith((".", ".config/fish/config.fish"))
    for action in parser._actions:
        assert action.help, f"{action.dest} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_every_command_are_valid(name):
    examples = re.sub(r"\\\n\s*", "", parser_of(name)[1].EXAMPLES)  # join continued lines
    for line in examples.splitlines():
        command, *_ = re.split(r"\s{2,}|[>|&]", line.strip())  # without comment and redirection
        program, *words = shlex.split(command) or [""]
        if program == "sceneset":
            assert words[0] in COMMANDS
            parser_of(words[0])[0].parse_args(words[1:])  # exits if the arguments are wrong


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_overview_and_the_changelog(name):
    assert f"  {name} " in overview()
    assert re.search(rf"`(sceneset )?{name}\b", (ROOT / "CHANGELOG.md").read_text("utf-8"))


def test_page_of_findings_is_current():
    assert (ROOT / "docs/problems.md").read_text("utf-8") == rulebook.page()


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse formats help differently")
@pytest.mark.parametrize("page", ["docs/cli.md", "docs/api.md"])
def test_generated_reference_page_is_current(page):
    pages = runpy.run_path(str(ROOT / "docs/generate.py"))["PAGES"]
    assert (ROOT / page).read_text("utf-8") == pages[page](), "run `make generated`"


def parts_of(page):
    """Return what the two READMEs must have in common, without words of a language."""
    text = (ROOT / page).read_text("utf-8")
    targets = {link for link in links(page) if not link.startswith("README")}
    counts = {
        name: len(re.findall(pattern, text, re.MULTILINE))
        for name, pattern in {
            "rows of tables": r"^\|", "blocks": "^```", "paragraphs": r"\n\n(?=\S)", "lists": "^- ",
        }.items()
    }  # fmt: skip
    return targets, counts


def test_chinese_readme_has_the_links_tables_and_paragraphs_of_the_english_one():
    assert parts_of("README.zh.md") == parts_of("README.md")


def headings_and_commands(page):
    """Return the heading levels of a page, and its commands with words in Chinese left out."""
    text = (ROOT / page).read_text("utf-8")
    commands = re.findall(r"`((?:sceneset|dvc|make|git) [^`]*)`", text)
    return [len(level) for level in re.findall(r"^(#+) ", text, re.MULTILINE)], [
        command.split()[:2] for command in commands
    ]


def test_chinese_readme_has_the_headings_and_commands_of_the_english_one():
    assert headings_and_commands("README.zh.md") == headings_and_commands("README.md")


def test_readme_names_make_demo_and_make_test():
    for page in READMES:
        text = (ROOT / page).read_text("utf-8")
        assert "make demo" in text
        assert "make test" in text


def test_pages_name_no_folder_of_this_machine():
    home = Path.home().as_posix()
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        assert "/home/" not in text
        assert home == "/" or home not in text


def test_git_ignores_the_folders_that_the_docs_write_to():
    pattern = r"(?:--to|--thumbnails|--quarantine|to=)[ =]?\"?([a-z]\w*/[\w./-]*)"
    texts = [(ROOT / page).read_text("utf-8") for page in PAGES]
    texts += [template()["README.md"], *(parser_of(name)[1].EXAMPLES for name in COMMANDS)]
    folders = {folder for text in texts for folder in re.findall(pattern, text)}
    assert "data/ski" in folders
    assert "build/small" in folders
    for text in (template()[".gitignore"], (ROOT / ".gitignore").read_text("utf-8")):
        assert {f"/{folder.split('/')[0]}/" for folder in folders} <= {*text.splitlines()}
