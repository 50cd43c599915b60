"""The entry of a version in CHANGELOG.md, which readers see as Markdown."""

import re

from sceneset.schemas.version import Version
from sceneset.versions.diff import counts_text

HEADING = "## Data"
"""The heading of the section that lists versions of the data."""

_INDENT = "  "
# Characters at the start of a line that begin a heading, an underline of one, a fenced block or a
# table.
_BLOCK = re.compile(r"^(\s*)([#=~|]|-(?=-)|`(?=``))", re.MULTILINE)
# "<" can begin HTML, for example a comment that hides what follows; "![" begins an image, which is
# loaded from a server whenever somebody reads the file. Backslashes before them escape each other.
_INLINE = re.compile(r"(\\*)(<|!(?=\[))")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def with_version(text: str, record: Version) -> str:
    """Return the text of CHANGELOG.md with a version at the top of the section on data.

    Args:
        text: The present text; "" for a new file.
        record: The version.
    """
    lines = text.replace("\r\n", "\n").split("\n") if text else ["# Changelog"]
    if HEADING not in lines:
        lines = ["\n".join(lines).rstrip(), "", HEADING]
    place = lines.index(HEADING) + 1
    before, after = "\n".join(lines[:place]), "\n".join(lines[place:]).strip()
    return f"{before}\n\n{_entry(record)}\n\n{after}".rstrip() + "\n"


def _entry(record: Version) -> str:
    changes = record.changes
    counts = counts_text(changes.samples)
    lines = [f"- {record.samples} samples" + (f": {counts}" if counts else "")]
    for label, names in (
        ("new subsets", changes.subsets_added),
        ("removed subsets", changes.subsets_removed),
        ("new scenes", changes.scenes_added),
        ("removed scenes", changes.scenes_removed),
    ):
        if names:
            lines.append(f"- {label}: {', '.join(names)}")
    if record.notes:
        lines.append(f"- {_notes(record.notes)}")
    return "\n".join([f"### {record.version}", "", *lines])


def _notes(notes: str) -> str:
    r"""Return release notes as one item of a list: all of their lines, indented.

    Headings and images become text; links stay links.
    Control characters are shown as ``\x1b``, so that they can't change the terminal of a reader.
    """
    text = "\n".join(notes.replace("\r\n", "\n").replace("\r", "\n").splitlines())
    text = _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
    text = _BLOCK.sub(r"\1\\\2", text)
    text = _INLINE.sub(_escaped, text)
    return "\n".join([line and f"{_INDENT}{line}" for line in text.split("\n")]).lstrip(" ")


def _escaped(found: re.Match[str]) -> str:
    is_escaped = len(found[1]) % 2 == 1
    return found[0] if is_escaped else f"{found[1]}\\{found[2]}"
