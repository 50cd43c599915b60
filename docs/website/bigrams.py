"""Words of the site's search: Chinese text as pairs of characters, other text as stemmed words.

Chinese has no blanks between words, and Sphinx finds words only with a dictionary. Pairs need none:
滑雪场 is found by 滑雪 and by 雪场. Single characters are found too.
"""

import re

from sphinx.search.en import SearchEnglish

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PARTS = re.compile(rf"(?P<han>[{_HAN}]+)|[^\W{_HAN}]+")


class SearchBigrams(SearchEnglish):
    """Split Chinese text into pairs of characters, and stem English words."""

    lang = "bigrams"
    js_splitter_code = f"""\
// Chinese text in pairs of characters, one character as itself, other text in words.
function splitQuery(query) {{
  const parts = query.match(/[{_HAN}]+|(?:(?![{_HAN}])[\\p{{Letter}}\\p{{Number}}_])+/gu) || [];
  return parts.flatMap((part) => {{
    if (!/^[{_HAN}]{{2}}/.test(part)) return [part];
    return Array.from(part.slice(1), (second, place) => part[place] + second);
  }});
}}
"""

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name that Sphinx gives it
        """Return the terms under which a text is indexed."""
        terms = []
        for part in _PARTS.finditer(input):
            text = part[0]
            if part["han"]:
                terms += [text[place : place + 2] for place in range(len(text) - 1)]
                terms += text
            else:
                terms.append(text)
        return terms
