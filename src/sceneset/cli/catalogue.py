"""Read the catalogue of translations (a gettext .po file) and translate printed texts.

A msgid is a whole text, or the template of an f-string: ``{0}``, ``{1}``... stand for its values
and ``{n}`` for a number. A printed text that is no msgid is compared with the templates, so that
messages can be built anywhere in the program and translated where they are printed.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_VALUE = re.compile(r"\{(\d+|n)\}")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_FEWEST_LETTERS = 5
"""A template with fewer letters, such as "{0}: {1}", would match any text."""
_DEEPEST = 4


class _Template(NamedTuple):
    literal: str
    """The longest part without values: a quick test before the pattern."""
    pattern: re.Pattern[str]
    values: tuple[str, ...]
    translation: str
    has_value_first: bool

    def fill(self, values: list[str]) -> str:
        """Return the translation with the values of a text."""
        by_name = dict(zip(self.values, values, strict=True))
        return _VALUE.sub(lambda one: by_name.get(one[1], one[0]), self.translation)


class Catalogue:
    """The translations of one language."""

    def __init__(self, entries: dict[str, str]) -> None:
        self.exact = {msgid: text for msgid, text in entries.items() if msgid and text}
        templates = [
            _template(msgid, text) for msgid, text in self.exact.items() if is_template(msgid)
        ]
        # The most specific template wins: first those that start with words, then by their length.
        self.templates = sorted(templates, key=lambda one: (one.has_value_first, -len(one.literal)))
        self.translate = lru_cache(maxsize=4096)(self._translate)

    def _translate(self, text: str, depth: int = 0) -> str:
        if text in self.exact:
            return self.exact[text]
        if depth > _DEEPEST:
            return text
        for template in self.templates:
            if template.literal in text and (found := template.pattern.fullmatch(text)):
                values = [self._translate_value(value, depth + 1) for value in found.groups()]
                return template.fill(values)
        return text

    def _translate_value(self, value: str, depth: int) -> str:
        """Translate a value that is a sentence or a number with a noun; keep names and numbers."""
        core = value.strip()
        return value.replace(core, self._translate(core, depth)) if is_phrase(core) else value


def is_phrase(text: str) -> bool:
    """Return whether a text has several words; one word may be a name that a user chose."""
    return " " in text


def is_template(msgid: str) -> bool:
    """Return whether a msgid has values, and enough letters to recognize it by."""
    letters = sum(map(str.isalpha, _VALUE.sub("", msgid)))
    fewest = 2 if "{n}" in msgid else _FEWEST_LETTERS
    return bool(_VALUE.search(msgid)) and letters >= fewest


def _template(msgid: str, translation: str) -> _Template:
    parts = _VALUE.split(msgid)
    literals, values = parts[::2], parts[1::2]
    pattern = re.escape(literals[0])
    for value, literal in zip(values, literals[1:], strict=True):
        pattern += (r"([\d,]+)" if value == "n" else "(.*?)") + re.escape(literal)
    return _Template(
        max(literals, key=len),
        re.compile(pattern, re.DOTALL),
        tuple(values),
        translation,
        not literals[0],
    )


def parse_po(text: str) -> dict[str, str]:
    """Return the translations of a .po file by msgid; comments are skipped.

    Raises:
        ValueError: a line is none of msgid, msgstr, a string or a comment.
    """
    entries: dict[str, str] = {}
    msgid, keyword = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition('"')
        found = _STRING.fullmatch('"' + rest)
        if word.strip() not in {"msgid", "msgstr", ""} or not found:
            raise ValueError(f"line {number}: expected msgid or msgstr and a quoted string")
        keyword = word.strip() or keyword
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), found[1])
        if keyword == "msgid":
            msgid = value if word.strip() else msgid + value
        else:
            entries[msgid] = entries.get(msgid, "") * (not word.strip()) + value
    return entries


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue of Chinese messages."""
    path = files("sceneset").joinpath("locale", "zh_CN", "LC_MESSAGES", "sceneset.po")
    return Catalogue(parse_po(path.read_text("utf-8")))
