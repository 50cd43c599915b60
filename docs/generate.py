"""Generate the reference pages docs/cli.md and docs/api.md from parsers and docstrings.

`make generated` runs this program; a test checks that the pages are current.
"""

import os
import sys
from pathlib import Path

import griffe

from sceneset.cli.main import COMMANDS, overview, parser_of

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


def cli_page() -> str:
    """Return docs/cli.md: the help of every command at a width of 80 columns."""
    os.environ["LC_ALL"] = "C.UTF-8"  # parsers print their help in the language of the locale
    os.environ["COLUMNS"] = "80"
    parts = [_CLI_HEAD, f"```text\n{overview()}\n```\n"]
    for name in COMMANDS:
        parser, _ = parser_of(name)
        parts.append(f"## {name}\n\n```text\n{parser.format_help().rstrip()}\n```\n")
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


PAGES = {"docs/cli.md": cli_page, "docs/api.md": api_page}


def main() -> int:
    """Write the pages."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
