"""Settings of Sphinx for the site of the documentation; docs/website/build.py runs it."""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from bigrams import SearchBigrams  # noqa: E402 - a module of this folder

project = "sceneset"
author = "the authors of sceneset"
extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["generated", ".doctrees"]
templates_path = [str(HERE / "templates")]
myst_heading_anchors = 4
highlight_language = "text"  # blocks without a language are files and folders
smartquotes = False

html_theme = "furo"
html_title = "sceneset"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = html_show_copyright = html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_search_language = SearchBigrams.lang
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
_FONTS = (
    '-apple-system, system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif'
)
_CODE = 'ui-monospace, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace'
html_theme_options = {
    "light_css_variables": {
        "font-stack": _FONTS,
        "font-stack--monospace": _CODE,
        "color-brand-primary": "#0b5cad",
        "color-brand-content": "#0b5cad",
        "color-brand-visited": "#0b5cad",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7db8ff",
        "color-brand-content": "#7db8ff",
        "color-brand-visited": "#7db8ff",
    },
}


def _add_context(
    app: Any, pagename: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Tell the templates what the other language is, and whether a page has no translation."""
    is_chinese = app.config.language == "zh_CN"
    context["other_language"] = ("en", "English") if is_chinese else ("zh-CN", "中文")
    context["other_page"] = f"../{'en' if is_chinese else 'zh'}/{pagename}.html"
    context["is_untranslated"] = is_chinese and pagename in app.config.pages_in_english


def setup(app: Any) -> dict[str, bool]:
    """Add the search and the switch of languages."""
    app.add_search_language(SearchBigrams)
    app.add_config_value("pages_in_english", [], "html")
    app.connect("html-page-context", _add_context)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
