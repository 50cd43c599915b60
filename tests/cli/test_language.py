"""Chinese: the catalogue is complete and current, and every command speaks it where LANG does."""

import argparse
import ast
import inspect
import json
import re
import runpy

import pytest

import translate
from messages.printed import NAMES, printed_texts
from messages.scopes import constants_of, message_parameters, returned_values
from sceneset.cli.catalogue import Catalogue, load_catalogue, parse_po
from sceneset.cli.commands.fix import _translated
from sceneset.cli.commands.merge import _show
from sceneset.cli.findings import print_findings
from sceneset.cli.main import COMMANDS, overview, parser_of
from sceneset.cli.output import Label, print_table, print_text, say
from sceneset.cli.text_width import width_of
from sceneset.edits.merge import Merged
from sceneset.schemas.finding import finding
from sceneset.schemas.rules import RULES
from support.build import NAME, ROOT
from support.terminal import open_terminal

CHINESE = re.compile("[\u4e00-\u9fff]")
VALUE = re.compile(r"\{(?:\d+|n)\}|%\(\w+\)\w|%[srd]")
QUOTED = re.compile(r"`[^`]+`|--[a-z][a-z-]+|\b[a-z]+\.[a-z_]+\b")


@pytest.fixture
def chinese(monkeypatch) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


def entries() -> dict[str, str]:
    found = parse_po(translate.PO.read_text("utf-8"))
    found.pop("")
    return found


def test_every_text_that_people_read_is_translated():
    translated = {msgid for msgid, text in entries().items() if text}
    missing = [text for text in translate.required() if text not in translated]
    assert missing == [], "run `make generated` and translate them in sceneset.po"


def test_catalogue_has_no_text_that_the_program_does_not_print():
    known = translate.known()
    assert [msgid for msgid in entries() if msgid not in known] == []


@pytest.mark.parametrize("mark", [VALUE, QUOTED], ids=["values", "commands and options"])
def test_translations_keep_values_commands_and_options(mark):
    differing = [
        (msgid, text)
        for msgid, text in entries().items()
        if not set(mark.findall(text)) >= set(mark.findall(msgid))
    ]
    assert differing == []


def test_chinese_has_one_word_for_masks():
    pages = [ROOT / "README.zh.md", *sorted((ROOT / "registry/cards").glob("*.zh.*"))]
    for text in (*entries().values(), *(page.read_text("utf-8") for page in pages)):
        assert "掩码" not in text  # docs/glossary.md


def test_tool_keeps_private_constants_of_modules_apart():
    trees = [ast.parse(code) for code in ('_A = "one"\nB = "two"', '_A = "three"')]
    assert set(constants_of(trees)) == {"B"}


def test_rule_that_is_not_translated_is_missed(monkeypatch):
    rule = RULES["mask-values"]._replace(meaning="a new meaning of a rule")
    monkeypatch.setitem(RULES, "mask-values", rule)
    assert "a new meaning of a rule" in translate.required()
    assert rule.meaning not in entries()


def test_messages_of_argparse_exist():
    source = inspect.getsource(argparse).replace("'\n                '", "")
    for message in translate.ARGPARSE:
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
    assert not re.search(r"^[^ ]+:$", text, re.MULTILINE)  # headings end with a wide colon


@pytest.mark.usefixtures("chinese")
def test_overview_is_chinese(sceneset, tmp_path):
    outcome = sceneset("--help", cwd=tmp_path)
    for summary in COMMANDS.values():
        assert load_catalogue().exact[summary] in outcome.out
    for line in outcome.out.splitlines():
        assert CHINESE.search(line) or not line.strip(), line
        assert not line.endswith(":")


@pytest.mark.usefixtures("chinese")
def test_merge_says_in_chinese_what_it_did(capsys):
    _show(Merged(["params.yaml"], ["dvc.lock"], ["a.csv"], [], in_progress=True), dry_run=False)
    printed = capsys.readouterr()
    assert [line for line in printed.out.splitlines() if "  " not in line and line.isascii()] == []
    assert printed.err == "已合并 1 个文件\n"


def test_texts_of_a_loop_over_values_are_found():
    code = ast.parse("for title, name in (('one text', a), ('two texts', b)):\n    say(title)\n")
    assert set(printed_texts(code)) == {"one text", "two texts"}


@pytest.mark.usefixtures("chinese")
def test_what_could_not_be_read_is_one_sentence_in_chinese(capsys):
    say("not searched: can't read the scan of web in commit 17: the format is not 3 or 2")
    assert (
        capsys.readouterr().err == "没有搜索：无法读取 commit 17 中 web 的扫描：格式不是 3 或 2\n"
    )


@pytest.mark.usefixtures("chinese")
def test_wrong_use_is_explained_in_chinese(sceneset, added):
    outcome = sceneset("check", "--nonsense", cwd=added)
    assert outcome.code == 2
    assert "无法识别的参数：--nonsense" in outcome.err


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["drop", "total", "--reason", ""], "参数 --reason：请写一行文字，最多 200 个字符"),
        (["tag", "total", "--boxes", "x"], "参数 --boxes：'x'：请用整数或 none"),
    ],
)
def test_wrong_value_of_an_option_is_explained_in_chinese(words, text, sceneset, tmp_path):
    outcome = sceneset(*words, cwd=tmp_path)
    assert (outcome.code, outcome.err.strip().endswith(text)) == (2, True)


@pytest.mark.usefixtures("chinese")
def test_second_line_of_a_usage_is_below_the_first_argument(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    first, second, *_ = parser_of("tag")[0].format_usage().splitlines()
    assert width_of(first.partition("[")[0]) == width_of(second.partition("[")[0])


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


FLAT = finding(
    "mask-on-nothing",
    "the image is flat under the mask: its darkest and brightest pixels differ by 3 gray levels",
    file="ann_dir/train/note.png",
    hint="check whether the mask belongs to another image, or covers a blank border",
)


@pytest.mark.usefixtures("chinese")
def test_finding_with_values_is_printed_in_chinese_with_its_hint(capsys):
    print_findings([FLAT], stderr=False)
    [headline, message, hint] = capsys.readouterr().out.splitlines()
    assert "最暗与最亮的像素只差 3 级灰度" in message
    assert "ann_dir/train/note.png" in message
    for line in (headline, message, hint):
        assert not re.search("[a-z]{3,} [a-z]{3,}", line), line


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("name", ["error", "note", "images", "subset", "scenes", "mask"])
def test_names_that_are_words_of_the_program_are_not_translated(name, capsys):
    say(f"{name} is the default remote now. Next:")
    print_text(name, is_data=True)
    print_table(("subset", "scene"), [(name, Label("current"))])
    printed = capsys.readouterr()
    assert CHINESE.search(printed.err)
    assert name in printed.err
    first, _, row = printed.out.splitlines()
    assert first == name
    assert row.split() == [name, "当前"]


@pytest.mark.usefixtures("chinese")
def test_error_and_next_step_are_printed_in_chinese(sceneset, added):
    outcome = sceneset("lookup", "skii", cwd=added)
    assert outcome.code == 2
    assert outcome.err.startswith("sceneset：没有名为 'skii' 的场景")
    scanned = sceneset("scan", "web", cwd=added)
    assert "接下来：dvc repro --allow-missing" in scanned.err


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('finding("layout", f"{name} is here", hint="move it there")',
         ["{0} is here", "move it there"]),
        ('problem = f"a {thing}{\', again\' if twice else \'\'} here"',
         ["a {0}, again here", "a {0} here"]),
        ('def f(): return "what is returned"\nfail("layout", f())', ["what is returned"]),
        ('def g(x, message): pass\ng(1, "an argument of it")', ["an argument of it"]),
        ('message = "first"\nmessage += " and second"', ["first", "first and second"]),
        ('class F:\n    title = "a form of files"\n    loses = "its points"\n    name = "a b"',
         ["a form of files", "its points"]),
        ('def detect(tree):\n    return f"{tree} has masks" if tree else None', ["{0} has masks"]),
        ('def question():\n    return "what is it", "say it"', ["what is it", "say it"]),
        ('def why(): return "its reason"\nif reason := why():\n    say(reason)', ["its reason"]),
        ('wording = "not a message"\nopen("a file name")', []),
    ],
    ids=["finding", "choice", "returned", "parameter", "added", "format", "detected",
         "question", "walrus", "no message"],
)  # fmt: skip
def test_tool_collects_messages_with_the_texts_of_their_parts(code, texts):
    tree = ast.parse(code)
    returned = returned_values([tree], {})
    places = message_parameters([tree], NAMES)
    found = printed_texts(tree, {}, returned, places)
    assert {text for text in found if translate.is_text(text)} == set(texts)


@pytest.mark.parametrize("tool", ["translate.py", "generate.py"])
def test_tools_give_the_same_output_in_every_locale(tool, monkeypatch):
    generator = runpy.run_path(str(ROOT / "docs/generate.py"))
    outputs = []
    for language in ("C.UTF-8", "zh_CN.UTF-8"):
        monkeypatch.setenv("LC_ALL", language)
        made = translate.required if tool == "translate.py" else generator["cli_page"]
        outputs.append(made())
    assert outputs[0] == outputs[1]


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


@pytest.mark.usefixtures("chinese")
def test_reason_of_a_message_and_a_hint_is_translated_in_both_parts():
    from sceneset.cli.commands.fix import _translated

    message, hint = "the mask holds the value 128", "copy the file again from its source"
    both = _translated(f"{message}; {hint}")
    assert both == f"{_translated(message)}；{_translated(hint)}"
    assert not re.search("[a-z]", both)
    assert _translated("a reason; nobody knows") == "a reason; nobody knows"


@pytest.mark.usefixtures("chinese")
def test_comments_of_examples_and_reasons_of_fix_are_chinese():
    assert "--no-check      不检查远端" in parser_of("remote")[0].format_help()
    assert _translated("my photo.jpg has no mask") == "my photo.jpg 没有标注"
    assert _translated("my photo.jpg") == "my photo.jpg"
