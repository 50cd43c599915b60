"""Each page that people write is there in Chinese too, and says the same."""

import re

import pytest

from support.build import ROOT
from support.pages import CHINESE, ENGLISH, Outline, anchored_links, anchors, outline, prose

LINKING = ["README.md", "README.zh.md", *ENGLISH.values(), *CHINESE.values()]


def test_every_page_has_a_chinese_one_and_none_is_left_over():
    assert {name: f"docs/zh/{name}.md" for name in ENGLISH} == CHINESE


@pytest.mark.parametrize("part", Outline._fields)
@pytest.mark.parametrize("name", ENGLISH)
def test_chinese_page_has_what_the_english_one_has(name, part):
    english = getattr(outline(ENGLISH[name]), part)
    assert getattr(outline(f"docs/zh/{name}.md"), part) == english, f"translate docs/{name}.md"


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_page_has_no_sentence_in_english(name):
    text = re.sub(r"`[^`]+`|\]\([^)]*\)", "", prose((ROOT / CHINESE[name]).read_text("utf-8")))
    for part in re.split(r"[。；：|\n]", text):
        assert re.search(r"[\u4e00-\u9fff]", part) or len(re.findall(r"[a-z]{2,}", part)) < 6, part


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_page_uses_the_terms_of_the_glossary(name):
    text = prose((ROOT / CHINESE[name]).read_text("utf-8"))
    assert name == "glossary" or not re.search("掩码|掩膜|数据子集|分割文件|元组", text)


@pytest.mark.parametrize("page", LINKING)
def test_anchors_of_links_are_headings_of_their_pages(page):
    for target, anchor in anchored_links(page):
        if anchor and target.endswith(".md") and "://" not in target:
            assert anchor in anchors(target), f"{target}#{anchor}"
