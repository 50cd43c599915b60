"""Chinese: the catalogue is complete and current, and every command speaks it where LANG does."""

import argparse
import inspect
import json
import re
import runpy

import pytest

from sceneset.cli.catalogue import Catalogue, load_catalogue, parse_po
from sceneset.cli.main import COMMANDS, overview, parser_of
from sceneset.cli.text_width import width_of
from sceneset.schemas.rules import RULES
from support.build import NAME, ROOT
from support.terminal import open_terminal

CHINESE = re.compile("[\u4e00-\u9fff]")
TOOL = runpy.run_path(str(ROOT / "docs/translate.py"))
VALUE = re.compile(r"\{(?:\d+|n)\}|%\(\w+\)\w|%[srd]")
NAMES = re.compile(r"`[^`]+`|--[a-z][a-z-]+|\b[a-z]+\.[a-z_]+\b")


@pytest.fixture
def chinese(monkeypatch) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


def entries() -> dict[str, str]:
    found = parse_po(TOOL["PO"].read_text("utf-8"))
    found.pop("")
    return found


def test_every_text_that_people_read_is_translated():
    translated = {msgid for msgid, text in entries().items() if text}
    missing = [text for text in TOOL["required"]() if text not in translated]
    assert missing == [], "run `make generated` and translate them in sceneset.po"


def test_catalogue_has_no_text_that_the_program_does_not_print():
    known = TOOL["known"]()
    assert [msgid for msgid in entries() if msgid not in known] == []


@pytest.mark.parametrize("mark", [VALUE, NAMES], ids=["values", "commands and options"])
def test_translations_keep_values_commands_and_options(mark):
    differing = [
        (msgid, text)
        for msgid, text in entries().items()
        if not set(mark.findall(text)) >= set(mark.findall(msgid))
    ]
    assert differing == []


def test_rule_that_is_not_translated_is_missed(monkeypatch):
    rule = RULES["mask-values"]._replace(meaning="a new meaning of a rule")
    monkeypatch.setitem(RULES, "mask-values", rule)
    assert "a new meaning of a rule" in TOOL["required"]()
    assert rule.meaning not in entries()


def test_messages_of_argparse_exist():
    source = inspect.getsource(argparse).replace("'\n                '", "")
    for message in TOOL["ARGPARSE"]:
        assert repr(message)[1:-1] in source, message


def test_catalogue_translates_templates_and_the_values_in_them():
    catalogue = Catalogue(
        {"{0}: {1} added": "已添加 {1}：{0}", "{n} sample": "{n} 个样本", "{0}: {1}": "no template"}
    )
    assert catalogue.translate("web: 1 sample added") == "已添加 1 个样本：web"
    assert catalogue.translate("a: b") == "a: b"
    assert catalogue.translate("my sample") == "my sample"


def test_po_file_is_parsed_with_its_escapes_and_broken_lines_are_refused():
    text = '# note\nmsgid ""\n"one\\n"\n"\\"two\\""\nmsgstr "一\\\\"\n'
    assert parse_po(text) == {'one\n"two"': "一\\"}
    with pytest.raises(ValueError, match="line 1"):
        parse_po("msgctxt x")


@pytest.mark.parametrize(
    ("environment", "is_chinese"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN"}, True),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({}, False),
    ],
)
def test_language_is_that_of_the_locale(environment, is_chinese, monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert bool(CHINESE.search(overview())) is is_chinese


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_is_chinese_and_fits_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    parser, _ = parser_of(name)
    text = parser.format_help()
    assert text.startswith("用法：")
    assert CHINESE.search(parser.description)
    for action in parser._actions:
        assert CHINESE.search(action.help) or not re.search("[a-z]{4} ", action.help), action.help
    arguments = text.partition("示例")[0]
    assert max(map(width_of, arguments.splitlines())) <= 80


@pytest.mark.usefixtures("chinese")
def test_overview_is_chinese(sceneset, tmp_path):
    outcome = sceneset("--help", cwd=tmp_path)
    assert "检查一批交付数据" in outcome.out or "检查交付数据并添加为子数据集" in outcome.out
    for line in outcome.out.splitlines():
        assert CHINESE.search(line) or not line.strip(), line


@pytest.mark.usefixtures("chinese")
def test_wrong_use_is_explained_in_chinese(sceneset, added):
    outcome = sceneset("check", "--nonsense", cwd=added)
    assert outcome.code == 2
    assert "无法识别的参数：--nonsense" in outcome.err


@pytest.mark.usefixtures("chinese")
def test_findings_have_chinese_headlines_and_json_stays_english(sceneset, added):
    path = added / f"registry/tags/{NAME}.csv"
    path.write_text(path.read_text() + "train,missing,ski,single,,\n")
    outcome = sceneset("check", cwd=added)
    meaning = load_catalogue().translate(RULES["tag-without-image"].meaning)
    assert f"错误：{meaning} [tag-without-image]" in outcome.out
    assert "1 个错误" in outcome.err
    [found] = sceneset("check", "--rule", "tag-without-image", "--json", cwd=added).json
    assert not CHINESE.search(json.dumps(found, ensure_ascii=False))
    for form in ("--sarif", "--markdown"):
        printed = sceneset("check", "--rule", "tag-without-image", form, cwd=added).out
        assert not CHINESE.search(printed)


@pytest.mark.usefixtures("chinese")
def test_lookup_describes_rows_in_the_readers_language(sceneset, added, monkeypatch):
    chinese = sceneset("lookup", "ski", cwd=added)
    assert "滑雪" in chinese.out
    assert chinese.out.startswith("子数据集")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    english = sceneset("lookup", "ski", cwd=added)
    assert not CHINESE.search(english.out)
    assert "ski single-person" in english.out


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("words", [("lookup",), ("show", NAME), ("scenes",), ("rules",)])
def test_tables_fit_80_columns_in_both_languages(words, added, monkeypatch):
    from sceneset.cli.main import main

    monkeypatch.chdir(added)
    for language in ("zh_CN.UTF-8", "C"):
        monkeypatch.setenv("LANG", language)
        terminal = open_terminal(monkeypatch, 80)
        assert main(list(words)) == 0
        assert terminal.lines
        assert max(map(width_of, terminal.lines)) <= 80, terminal.text


def test_english_loads_no_catalogue(sceneset, tmp_path, monkeypatch):
    monkeypatch.setattr("sceneset.cli.catalogue.load_catalogue", None)
    assert sceneset("--help", cwd=tmp_path).code == 0
