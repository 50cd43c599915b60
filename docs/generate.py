"""Generate the reference pages docs/cli.md and docs/api.md from parsers and docstrings.

`make generated` runs this program; a test checks that the pages are current. The site of the
documentation also gets the command line and the findings in Chinese, from the same code.
"""

import os
import sys
from pathlib import Path

import griffe

from sceneset.cli.language import translate
from sceneset.cli.main import COMMANDS, overview, parser_of
from sceneset.schemas.rules import GROUPS, Freedom

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = (
    ("sceneset.api", "Registry"),
    ("sceneset.catalog.reader", "Catalog"),
    ("sceneset.catalog.lookup", "FoundSample"),
    ("sceneset.versions.pull", "Pulled"),
    ("sceneset.exports.types", "Exported"),
    ("sceneset.versions.diff", "Diff"),
    ("sceneset.versions.diff", "Change"),
)
"""The facade, its base class, and the classes of its results."""

_CLI_HEAD = """\
# Command line

Generated from the program by `make generated`. `sceneset help COMMAND` prints the same.

## Completion

Add one line to the startup file of your shell. It completes commands, options and choices.

| Shell | Line | File |
| --- | --- | --- |
| bash | `eval "$(sceneset completion bash)"` | `~/.bashrc` |
| zsh | `eval "$(sceneset completion zsh)"` | `~/.zshrc`, after `compinit` |
| fish | `sceneset completion fish \\| source` | `~/.config/fish/config.fish` |

## sceneset
"""
_CLI_HEAD_ZH = """\
# 命令行

由程序生成。`sceneset help 命令` 显示同样的内容。

## 补全

在 shell 的启动文件中加一行，就能补全命令、选项和取值。

| Shell | 加入的行 | 文件 |
| --- | --- | --- |
| bash | `eval "$(sceneset completion bash)"` | `~/.bashrc` |
| zsh | `eval "$(sceneset completion zsh)"` | `~/.zshrc`，在 `compinit` 之后 |
| fish | `sceneset completion fish \\| source` | `~/.config/fish/config.fish` |

## sceneset
"""
_FINDINGS_HEAD_ZH = """\
# 问题代码

每个问题都有代码、级别、位置（文件和行）、说明，以及如何修复的提示。错误会使命令在作出任何改动之前停止，警告不会。\
提示只由 `sceneset check --notes` 显示。如何修改级别和阈值、如何接受个别问题，见[规则](rules.md)。\
`sceneset rules` 显示这份列表。

由程序生成。
"""
_GROUPS_ZH = {
    "images": "图片", "masks": "标注", "names": "名称", "kinds": "种类", "leakage": "数据泄漏",
    "deliveries": "交付数据", "the registry's files": "注册表的文件",
    "changes of subsets": "子数据集的改动", "provenance": "数据归属",
    "releases and the remote": "发布与远端",
}  # fmt: skip
_FREEDOM_ZH = {Freedom.FIXED: "", Freedom.WAIVE: "，可以豁免", Freedom.SET: "，可以设置或豁免"}
_API_HEAD = """\
# Python

```python
from sceneset import Registry

registry = Registry.open("https://example.com/people.git", rev="1.2.0")
for sample in registry.lookup("ski", persons="single", phases=["train"]):
    print(sample.subset, sample.tag.stem, sample.image)
registry.pull("ski", to="data/ski")
for change in registry.diff("1.1.0").changes:
    print(change.kind, change.sample.place)
```

Generated from docstrings by `make generated`. Everything that is not on this page may change in any
release.
"""


def cli_page(locale: str = "C.UTF-8") -> str:
    """Return docs/cli.md: the help of every command at a width of 80 columns."""
    os.environ["LC_ALL"] = locale  # parsers print their help in the language of the locale
    os.environ["COLUMNS"] = "80"
    parts = [_CLI_HEAD_ZH if locale.startswith("zh") else _CLI_HEAD]
    parts += [f"```text\n{overview()}\n```\n"]
    for name in COMMANDS:
        parser, _ = parser_of(name)
        parts.append(f"## {name}\n\n```text\n{parser.format_help().rstrip()}\n```\n")
    return "\n".join(parts)


def findings_page_in_chinese() -> str:
    """Return the page of all rules in Chinese; reporting/rules_page.py writes the English one."""
    os.environ["LC_ALL"] = "zh_CN.UTF-8"
    parts = [_FINDINGS_HEAD_ZH]
    for name, rules in GROUPS.items():
        parts.append(f"## {_GROUPS_ZH.get(name, name)}\n")
        for rule in rules:
            state = f"{translate(str(rule.severity))}{_FREEDOM_ZH[rule.freedom]}"
            parts.append(
                f"- **`{rule.code}`**（{state}）：{translate(rule.meaning)}。{translate(rule.help)}"
            )
        parts.append("")
    return "\n".join(parts)


def api_page() -> str:
    """Return docs/api.md: public classes, their attributes and methods, and all exceptions."""
    package = griffe.load("sceneset", search_paths=[ROOT / "src"], docstring_parser="google")
    parts = [_API_HEAD]
    for module, name in PUBLIC:
        found = package[module.removeprefix("sceneset.")][name]
        parts += [f"## {name}\n", _docstring(found)]
        parts += _attributes(found)
        for member in found.members.values():
            if member.is_function and not member.name.startswith("_"):
                parts += [f"### {name}.{member.name}\n", _signature(member), _docstring(member)]
    tree = package["errors"].docstring.value.partition("\n\n")[2].partition("\n\nThis module")[0]
    parts += ["## Exceptions\n", f"All are in `sceneset.errors`.\n\n```text\n{tree}\n```\n"]
    return "\n".join(part for part in parts if part)


def _attributes(found: griffe.Object) -> list[str]:
    rows = [
        f"| `{member.name}` | {_code(member.annotation)} | {_one_line(member)} |"
        for member in found.members.values()
        if member.is_attribute and member.annotation and not member.name.startswith("_")
    ]
    if not rows:
        return []
    return ["| Attribute | Type | |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"]


def _signature(function: griffe.Function) -> str:
    text = f"{function.name}{function.signature().removeprefix(function.name)}"
    return f"```python\n{text}\n```\n"


def _docstring(found: griffe.Object) -> str:
    """Return a Google-style docstring as Markdown."""
    parts = []
    for section in found.docstring.parsed if found.docstring else ():
        if section.kind is griffe.DocstringSectionKind.text:
            parts.append(section.value.replace("``", "`"))
        elif section.kind is griffe.DocstringSectionKind.parameters:
            parts.append(_list("Arguments", [(one.name, one.description) for one in section.value]))
        elif section.kind is griffe.DocstringSectionKind.raises:
            raised = [(str(one.annotation), one.description) for one in section.value]
            parts.append(_list("Raises", raised))
        elif section.kind is griffe.DocstringSectionKind.returns:
            texts = [" ".join(one.description.split()) for one in section.value]
            parts.append(f"**Returns:** {' '.join(texts)}".replace("``", "`"))
    return "\n\n".join(parts) + "\n"


def _list(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"- `{name}`: {' '.join(text.split())}".replace("``", "`") for name, text in rows]
    return f"**{title}:**\n\n" + "\n".join(lines)


def _code(annotation: object) -> str:
    return f"`{annotation}`".replace("|", "\\|") if annotation else ""


def _one_line(member: griffe.Object) -> str:
    return " ".join(member.docstring.value.split()).replace("``", "`") if member.docstring else ""


CHINESE = {"cli": lambda: cli_page("zh_CN.UTF-8"), "problems": findings_page_in_chinese}
"""Pages that only the site has, by their names; they are not committed."""
PAGES = {"docs/cli.md": cli_page, "docs/api.md": api_page}


def main() -> int:
    """Write the pages."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
