"""Findings: grouped by rule, in the reader's language, or one line each with --all."""

import json
import re

import pytest

from sceneset.cli.findings import View, print_findings, print_refusal
from sceneset.cli.main import parser_of
from sceneset.cli.text_width import width_of
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.rules import RULES
from support.build import NAME
from support.printed import findings as parse
from support.terminal import open_terminal

MEANING = RULES["mask-values"].meaning


def masks(count: int, message: str = "the mask holds 128", hint: str = "fix it") -> list[Finding]:
    return [
        finding("mask-values", message, file=f"ann_dir/train/{n:04}.png", hint=hint)
        for n in range(count)
    ]


def test_alike_findings_are_one_group_with_count_places_and_one_hint(capsys):
    print_findings(masks(49), stderr=False)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"error: {MEANING} (49 findings) [mask-values]",
        "  the mask holds 128",
        "    ann_dir/train/0000.png",
        "    ann_dir/train/0001.png",
        "    ann_dir/train/0002.png",
        "    ann_dir/train/0003.png",
        "    ann_dir/train/0004.png",
        "    and 44 more",
        "  -> fix it",
    ]
    assert printed.err.splitlines()[0] == "49 errors"
    assert "sceneset check --all" in printed.err


def test_group_is_the_same_on_a_terminal_when_its_lines_fit(monkeypatch, capsys):
    print_findings(masks(49), stderr=False)
    piped = capsys.readouterr().out.splitlines()
    terminal = open_terminal(monkeypatch, 100)
    print_findings(masks(49), stderr=False)
    assert terminal.lines[: len(piped)] == piped


def test_each_place_has_its_message_when_messages_differ(capsys):
    print_findings([*masks(2), *masks(1, "the mask holds 77")], stderr=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"error: {MEANING} (3 findings) [mask-values]"
    assert "  ann_dir/train/0000.png: the mask holds 128" in lines
    assert "  ann_dir/train/0000.png: the mask holds 77" in lines
    assert lines.count("  -> fix it") == 1


def test_each_place_has_its_hint_when_hints_differ(capsys):
    print_findings([*masks(1, hint="one"), *masks(1, "other", hint="two")], stderr=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "  ann_dir/train/0000.png: other", "    -> two",
        "  ann_dir/train/0000.png: the mask holds 128", "    -> one",
    ]  # fmt: skip


def test_errors_are_above_warnings_above_notes(capsys):
    note = finding("mask-cut", "touches the border", file="a.png")
    warning = finding("no-scene", "no scene", file="a.csv", row=3)
    print_findings([note, warning, *masks(1)], stderr=False)
    printed = capsys.readouterr()
    assert re.findall(r"^(\w+): ", printed.out, re.MULTILINE) == ["error", "warning", "note"]
    assert "  a.csv:3: no scene" in printed.out
    assert printed.err == "1 error, 1 warning, 1 note\n"


def test_limit_sets_the_number_of_places(capsys):
    print_findings(masks(9), stderr=False, view=View(limit=7, has_options=True))
    printed = capsys.readouterr()
    assert printed.out.count(".png") == 7
    assert "and 2 more" in printed.out
    assert "--all lists every finding" in printed.err


def test_every_finding_is_one_line_when_all_are_shown(capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")  # the lines stay English, for other programs
    print_findings(masks(50), stderr=False, view=View(everything=True))
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "error: ann_dir/train/0000.png: the mask holds 128 [mask-values] -> fix it"
    assert len(lines) == 50
    assert printed.err == "50 个错误\n"


def test_rule_hides_findings_of_other_rules_and_counts_them(capsys):
    found = [*masks(2), finding("no-scene", "no scene", file="t.csv", row=3)]
    print_findings(found, stderr=False, view=View(rules=frozenset({"no-scene"})))
    printed = capsys.readouterr()
    assert "[no-scene]" in printed.out
    assert "[mask-values]" not in printed.out
    assert printed.err.splitlines() == [
        "2 errors, 1 warning", "2 findings of other rules are not shown",
    ]  # fmt: skip


def test_rule_never_hides_why_a_command_stopped(capsys):
    print_refusal(masks(1), View(rules=frozenset({"no-scene"})))
    assert "[mask-values]" in capsys.readouterr().err


def test_nothing_is_broken_inside_a_word_when_the_terminal_is_narrow(monkeypatch):
    terminal = open_terminal(monkeypatch)
    name = f"Insta360SemanticSeg/CustomSeg_Person_20240115_{'long' * 9}/ann_dir/train/0001.png"
    hint = "a hint of many words that does not fit into one line of a terminal, so it is wrapped"
    print_findings([finding("mask-values", "the mask holds 128", file=name, hint=hint)])
    lines = terminal.lines
    assert max(map(width_of, lines)) <= 60
    [place] = [line for line in lines if "…" in line]
    assert place.startswith("  Insta360SemanticSeg")
    assert place.endswith("/ann_dir/train/0001.png")
    words = " ".join(lines).split()
    assert {*hint.split(), *MEANING.split()} <= {*words}


def test_waived_findings_are_counted_and_not_shown(capsys):
    [shown, waived] = masks(2)
    print_findings([shown, waived.model_copy(update={"waived": "a reason"})], stderr=False)
    printed = capsys.readouterr()
    assert printed.out.count("error: ") == 1
    assert printed.err == "1 error, 1 waived\n"


def test_nothing_is_printed_when_there_is_no_finding(capsys):
    print_findings([])
    assert capsys.readouterr() == ("", "")


def test_control_characters_in_a_file_name_are_escaped(capsys):
    print_findings([finding("mask-values", "x", file="a\x1b[2J\u202eb.png")])
    assert r"a\x1b[2J\u202eb.png" in capsys.readouterr().err


def add_tags(registry, count):
    path = registry / f"registry/tags/{NAME}.csv"
    rows = "".join(f"train,missing{n},ski,single,,\n" for n in range(count))
    path.write_text(path.read_text() + rows)
    return path


def test_check_groups_findings_and_all_lists_them(added, sceneset):
    path = add_tags(added, 7)
    first = len(path.read_text().splitlines()) - 6
    grouped = sceneset("check", cwd=added)
    assert grouped.code == 1
    assert "(7 findings) [tag-without-image]" in grouped.out
    assert "and 2 more" in grouped.out
    every = sceneset("check", "--all", cwd=added)
    shown = path.relative_to(added).as_posix()
    assert parse(every.out) == {
        (f"{shown}:{row}", "tag-without-image") for row in range(first, first + 7)
    }


def test_check_shows_one_rule_and_its_exit_code_counts_all(added, sceneset):
    add_tags(added, 1)
    outcome = sceneset("check", "--rule", "mask-coarse", cwd=added)
    assert outcome.code == 1
    assert "[tag-without-image]" not in outcome.out
    assert "not shown" in outcome.err
    for rule, codes in (("mask-coarse", set()), ("tag-without-image", {"tag-without-image"})):
        selected = sceneset("check", "--rule", rule, "--json", cwd=added)
        assert {p["code"] for p in json.loads(selected.out)} == codes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rule", "mask-coars"), "did you mean mask-coarse?"),
        (("--limit", "0"), "use a whole number of 1 or more"),
        (("--limit", "x"), "use a whole number of 1 or more"),
    ],
)
def test_check_refuses_wrong_options(words, message, added, sceneset):
    outcome = sceneset("check", *words, cwd=added)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())


def test_review_has_the_same_options(added, sceneset):
    add_tags(added, 60)
    page = sceneset("review", "HEAD", cwd=added)
    assert page.code == 1
    assert "missing0" in page.out
    assert "missing59" not in page.out
    assert "missing59" in sceneset("review", "HEAD", "--all", cwd=added).out
    other = sceneset("review", "HEAD", "--rule", "mask-coarse", cwd=added)
    assert other.code == 1
    assert "missing0" not in other.out
    short = sceneset("review", "HEAD", "--limit", "2", cwd=added)
    assert ("missing1" in short.out, "missing2" in short.out) == (True, False)
    assert "and 58 more" in short.out
    assert "missing59" in sceneset("review", "HEAD", "--limit", "60", cwd=added).out


@pytest.mark.parametrize(("limit", "listed"), [((), 50), (("--limit", "3"), 3), (("--all",), 60)])
def test_markdown_lists_as_many_findings_as_the_options_say(limit, listed, added, sceneset):
    add_tags(added, 60)
    page = sceneset("check", "--markdown", *limit, cwd=added).out
    assert len(re.findall("^- .*tag-without-image", page, re.MULTILINE)) == listed
    assert (f"and {60 - listed} more" in page) == (listed < 60)


def test_hint_names_rule_only_where_it_selects_findings(capsys):
    for has_rule in (True, False):
        print_findings(masks(9), view=View(has_options=True, has_rule=has_rule))
        printed = capsys.readouterr().err
        assert "--all lists every finding" in printed
        assert ("--rule CODE" in printed) is has_rule


def test_fix_has_no_rule_that_selects_findings():
    fix, _ = parser_of("fix")
    check, _ = parser_of("check")
    assert not View.of(fix.parse_args(["web"])).has_rule
    assert View.of(check.parse_args([])).has_rule


def test_review_is_readable_on_a_terminal(added, sceneset, monkeypatch):
    from sceneset.cli.main import main

    add_tags(added, 5)
    monkeypatch.chdir(added)
    terminal = open_terminal(monkeypatch, 80)
    assert main(["review", "HEAD"]) == 1
    assert max(map(width_of, terminal.lines)) <= 80
    assert "(5 findings)" in terminal.text
    assert "not ready to merge" in terminal.text
    assert "###" not in terminal.text
