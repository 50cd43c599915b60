"""The language of messages: Chinese where the locale is Chinese, otherwise English.

The locale is the first of LC_ALL, LC_MESSAGES and LANG that is set. The rest of the program knows
only English: texts are translated where they are printed. JSON, SARIF, Markdown and the lines of
``--all`` stay English, because programs read them.
"""

import os


def is_chinese() -> bool:
    """Return whether the reader's locale is Chinese."""
    environment = os.environ
    locale = (
        environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    )
    return locale[:2].lower() == "zh"


def translate(text: str) -> str:
    """Return a text in the reader's language; a text that is not in the catalogue stays English."""
    if not text or not is_chinese():
        return text
    from sceneset.cli.catalogue import load_catalogue

    return load_catalogue().translate(text)


def in_brackets(text: str) -> str:
    """Return a text in brackets that follow a word: Chinese ones where the reader's language is."""
    return f"（{text}）" if is_chinese() else f" ({text})"


def with_colon(text: str) -> str:
    """Return a text that a colon ends, with the blank that follows it in English."""
    return f"{text}：" if is_chinese() else f"{text}: "


def text_in(texts: "dict[str, str]") -> str:
    """Return the reader's text of {"en": ..., "zh": ...}, or the other one if it is empty."""
    first, second = ("zh", "en") if is_chinese() else ("en", "zh")
    return texts[first] or texts[second]
