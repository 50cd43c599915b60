"""Data cards: the values of a state, and their pages in both languages and both formats."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from sceneset.catalog.tombstones import tombstones_text
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.reporting.data_card import DataCard, compute_data_card
from sceneset.reporting.data_card_blocks import Chart, Items, SceneTable, listed
from sceneset.reporting.data_card_coverage import Coverage
from sceneset.reporting.data_card_limits import FEW, Limited, limit_texts
from sceneset.reporting.data_card_pages import (
    FORMATS,
    HTML_GENERATOR,
    LANGUAGES,
    MARKDOWN_GENERATOR,
    card_page,
    card_sections,
    escape_line,
)
from sceneset.reporting.provenance import Consented
from sceneset.schemas.provenance import Basis, Restriction
from sceneset.schemas.rules import Severity
from sceneset.schemas.stats import Foreground, GroupStats
from sceneset.schemas.terms import Phase
from sceneset.schemas.tombstone import Tombstone
from sceneset.versions.revisions import open_state
from support.build import NAME, git
from support.policy import PROVENANCE, set_provenance, waive

HOSTILE = (
    "<script>alert(1)</script> ![x](http://example.com/x.png) | `a` </table> \u202ereversed &lt;b"
)


def card_of(root: Path, rev: str | None = None) -> DataCard:
    return compute_data_card(open_state(root, rev))


class Page(HTMLParser):
    """What a browser finds in a page: tags, ids, links, headings and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.append((name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_data(self, data):
        self.text += data


def test_card_of_a_version_has_its_values(released: Path) -> None:
    card = card_of(released, "1.0.0")
    state = card.state
    assert (state.version, state.commit) == ("1.0.0", git(released, "rev-parse", "HEAD").strip())
    tagged = git(released, "for-each-ref", "--format=%(taggerdate:short)", "refs/tags").strip()
    assert state.date == tagged
    assert card.access.tag == git(released, "tag", "--list").strip()
    assert card.coverage.phases == {"train": 4}
    assert card.coverage.persons == {"single": 2, "multi": 2}
    assert card.coverage.scenes == {("ski", "train"): 4}
    assert card.coverage.without_source == 4
    folder = released / "Insta360SemanticSeg" / NAME
    files = [*folder.glob("img_dir/*/*"), *folder.glob("ann_dir/*/*")]
    assert card.bytes == sum(path.stat().st_size for path in files)
    assert sum(card.shares) == card.samples == card.union.numbers.images == 4
    assert [subset.entry.name for subset in card.subsets] == [NAME]
    assert card.provenance.licences == {PROVENANCE["licence"]: 4}
    assert card.provenance.contacts == {PROVENANCE["contact"]}
    assert card.changes
    assert card.changes.since == ""
    assert card.findings(Severity.ERROR) == card.waived == card.withdrawn == 0
    assert card.is_compared
    assert not {rule.code for rule in card.rules} & LEAKAGE_CODES


@pytest.mark.parametrize("form", FORMATS)
def test_pages_are_equal_for_equal_states_and_differ_by_language(form: str, released: Path) -> None:
    pages = {
        language: {card_page(card_of(released, rev), language, form) for rev in ("1.0.0", "latest")}
        for language in LANGUAGES
    }
    assert all(len(found) == 1 for found in pages.values())
    assert pages["en"].isdisjoint(pages["zh"])


def test_scene_table_of_the_markdown_card_is_that_of_the_card_stage(added: Path) -> None:
    card = card_of(added)
    for language in LANGUAGES:
        stage = (added / f"registry/cards/{NAME}.{language}.md").read_text("utf-8")
        table = re.findall(r"(?m)^\|.*\n", stage.partition("**")[0])[: 2 + 3]
        assert table[0].count("|") == 9
        assert "".join(table) in card_page(card, language, "md")


def test_all_sections_are_there_in_both_languages(released: Path) -> None:
    card = card_of(released, "1.0.0")
    english, chinese = (card_sections(card, language, str) for language in LANGUAGES)
    anchors = [section.anchor for section in english]
    assert anchors == [section.anchor for section in chinese]
    assert set(anchors) == {
        *("summary", "subsets", "licence", "scenes", "statistics", "rules", "leakage", "changes"),
        *("access", "limits", "made"),
    }
    for one, other in zip(english, chinese, strict=True):
        assert re.search(r"[\u4e00-\u9fff]", other.heading), other.heading
        assert not re.search(r"[\u4e00-\u9fff]", one.heading)
        assert [type(block) for block in one.blocks] == [type(block) for block in other.blocks]
    for section in chinese:
        for block in section.blocks:
            for text in block.texts if isinstance(block, Items) else ():
                assert text.endswith("。"), text


def test_html_page_is_one_file_with_headings_in_order(released: Path) -> None:
    card = card_of(released, "1.0.0")
    for language in LANGUAGES:
        text = card_page(card, language, "html")
        page = Page(text)
        assert HTML_GENERATOR in text
        assert not page.tags & {"script", "link", "img", "iframe"}
        assert not [pair for pair in page.attributes if pair[0] in {"src", "srcset", "onclick"}]
        assert len(page.ids) == len(set(page.ids))
        assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
        assert page.levels[0] == 1
        assert page.levels.count(1) == 1
        steps = zip(page.levels, page.levels[1:], strict=False)
        assert all(second - first <= 1 for first, second in steps)
        assert {"svg", "table", "nav", "main"} <= page.tags
    assert card_page(card, "en", "md").splitlines()[0] == MARKDOWN_GENERATOR


def test_state_is_compared_with_the_last_version_and_the_old_card_stays(released: Path) -> None:
    before = card_page(card_of(released, "1.0.0"), "en", "md")
    path = released / f"registry/tags/{NAME}.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace("train,a,ski,", "train,a,ski;sea,"), "utf-8")
    path = released / f"registry/subsets/{NAME}.yaml"
    entry = yaml.safe_load(path.read_text("utf-8"))
    entry["splits"].append({"scene": "sea", "file": "sea.txt"})
    path.write_text(yaml.safe_dump(entry), "utf-8")
    card = card_of(released)
    assert not card.state.version
    assert card.changes
    assert (card.changes.since, card.changes.samples) == ("1.0.0", {"scenes": 1})
    assert card.changes.scenes_added == ("sea",)
    text = card_page(card, "en", "md")
    assert "## What changed since 1.0.0" in text
    assert "- samples with other scenes: 1\n" in text
    assert "- scenes added: sea\n" in text
    assert "working tree" in text
    assert card_page(card_of(released, "1.0.0"), "en", "md") == before


def test_version_is_known_without_its_tag(released: Path) -> None:
    git(released, "tag", "--delete", *git(released, "tag", "--list").split())
    state = card_of(released, "1.0.0").state
    assert state.version == "1.0.0"
    assert state.date == git(released, "log", "-1", "--format=%cs").strip()


def test_release_notes_are_lines_of_text(released: Path) -> None:
    path = released / "registry/versions/1.0.0.yaml"
    record = yaml.safe_load(path.read_text("utf-8"))
    record["notes"] = f"# More snow\n- {HOSTILE}\n\n1. last"
    path.write_text(yaml.safe_dump(record, allow_unicode=True), "utf-8")
    git(released, "tag", "--delete", *git(released, "tag", "--list").split())
    git(released, "commit", "--quiet", "--all", "--amend", "--no-edit")
    text = card_page(card_of(released, "1.0.0"), "en", "md")
    notes = text.partition("### Release notes\n")[2].partition("\n## ")[0].split("\n\n")
    assert [line.strip()[:6] for line in notes if line.strip()] == ["&#35; ", "&#45; ", "1&#46;"]
    assert "<script" not in text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@example.com/people.git?token=secret", "https://example.com/people.git"),
        ("git@example.com:team/people.git", "git@example.com:team/people.git"),
        ("/home/secret/people", "REPOSITORY"),
        ("file:///home/secret/people", "REPOSITORY"),
        ("", "REPOSITORY"),
    ],
)
def test_commands_name_the_repository_without_secrets(url: str, shown: str, released: Path) -> None:
    if url:
        git(released, "config", "remote.origin.url", url)
    text = card_page(card_of(released, "1.0.0"), "en", "md")
    assert "secret" not in text
    assert f"$ sceneset pull --repo {shown} --rev 1.0.0 --to people\n" in text
    assert f'Registry.open("{shown}", rev="1.0.0")' in text
    assert f"$ git clone {shown} people\n$ cd people\n$ git checkout insta360-" in text
    assert str(released) not in text


def test_accepted_findings_are_counted_with_their_reasons(added: Path) -> None:
    params = added / "params.yaml"
    text = params.read_text("utf-8")
    assert "min_person: 0.02" in text
    params.write_text(text.replace("min_person: 0.02", "min_person: 0.9"), "utf-8")
    waive(added, "person-small", "train/a")
    card = card_of(added)
    [rule] = [rule for rule in card.rules if rule.code == "person-small"]
    assert (rule.number, rule.waived) == (3, 1)
    assert [(one.code, one.subset, one.reason, one.number) for one in card.accepted] == [
        ("person-small", NAME, "looked at", 1)
    ]
    page = card_page(card, "en", "md")
    assert f"| `person-small` | {NAME} | 1 | looked at |" in page
    assert "- The rules report 0 errors and 3 warnings; see Rules." in page
    assert "- 1 finding is accepted with a reason; see Rules." in page


def test_errors_of_the_registry_are_counted_and_leakage_is_not_claimed(added: Path) -> None:
    path = added / "registry/waivers.yaml"
    path.write_text("waivers: [{code: mask-holes}]\n")
    card = card_of(added)
    assert card.findings(Severity.ERROR)
    assert not card.is_compared
    text = card_page(card, "en", "md")
    assert "were not compared, because the rules report errors" in text
    assert "No training image is related" not in text


def restrict(root: Path, **restrictions: object) -> str:
    """Restrict the samples of a registry to internal use, commit that, and return a URL of it."""
    set_provenance(root, PROVENANCE | restrictions)
    git(root, "commit", "--quiet", "--all", "--message", "Restrict")
    return f"file://{root}"


def test_restricted_samples_are_not_described(added: Path) -> None:
    internal = {"samples": ["a"], "restrictions": ["internal"], "licence": "Secret-1.0"}
    url = restrict(added, exceptions=[internal])
    card = compute_data_card(open_state(url), left_out={Restriction.INTERNAL})
    assert (card.samples, card.left_out.samples, card.left_out.subsets) == (3, 1, [])
    assert card.subsets[0].stats.numbers.images == card.union.numbers.images == 3
    assert [row.numbers.images for row in card.subsets[0].stats.rows] == [3, 1, 2]
    assert card.provenance.licences == {PROVENANCE["licence"]: 3}
    page = card_page(card, "en", "md")
    assert "1 sample for internal use is not described." in page
    everything = compute_data_card(open_state(url))
    assert everything.samples == 4
    assert everything.provenance.restrictions == {Restriction.INTERNAL: 1}
    assert "| for internal use (internal) | 1 |" in card_page(everything, "en", "md")


def test_card_of_a_registry_that_the_reader_gets_nothing_of(added: Path) -> None:
    url = restrict(added, restrictions=["internal"])
    card = compute_data_card(open_state(url), left_out={Restriction.INTERNAL})
    assert (card.samples, card.subsets, card.rules) == (0, [], [])
    for language in LANGUAGES:
        for form in FORMATS:
            text = card_page(card, language, form)
            assert "ski.txt" not in text
            assert PROVENANCE["contact"].partition("@")[2] not in text
    page = card_page(card, "en", "md")
    assert f"4 samples for internal use are not described, with all of {NAME}." in page
    assert "There is no sample." in page


@pytest.mark.parametrize("rev", ["1.0.0", None])
def test_withdrawn_samples_are_counted_and_not_named(rev: str | None, released: Path) -> None:
    card = card_of(released, rev)
    row = compute_row(released)
    withdrawn = Tombstone(image=row, phash="0" * 16, phash_mirror="0" * 16, reason="case 17")
    assert card.withdrawn == 0
    (released / "registry/forgotten.yaml").write_text(tombstones_text([withdrawn]), "utf-8")
    card = card_of(released, rev)
    assert card.withdrawn == 1
    text = card_page(card, "en", "md")
    assert "- 1 sample was withdrawn. Numbers on this card count withdrawn samples;" in text
    assert "case 17" not in text
    assert row not in text


def compute_row(root: Path) -> str:
    """Return the content hash of an image."""
    scan = open_state(root).scan(NAME, ("image_md5",))
    return str(scan["image_md5"][0].as_py().hex())


def test_texts_of_people_are_text_on_every_page(added: Path) -> None:
    some = {"samples": ["a"], "licence": HOSTILE}
    origin = {"kind": "vendor", "name": HOSTILE}
    set_provenance(added, PROVENANCE | {"licence": HOSTILE, "origin": origin, "contact": HOSTILE,
                                        "exceptions": [some]})  # fmt: skip
    path = added / "registry/scenes.yaml"
    scenes = yaml.safe_load(path.read_text("utf-8"))
    [ski] = [scene for scene in scenes["scenes"] if scene["key"] == "ski"]
    ski["name"] = {"en": HOSTILE, "zh": HOSTILE}
    path.write_text(yaml.safe_dump(scenes, allow_unicode=True), "utf-8")
    card = card_of(added)
    for language in LANGUAGES:
        page = Page(card_page(card, language, "html"))
        assert not page.tags & {"script", "img"}
        assert page.text.count(HOSTILE) >= 5
        markdown = card_page(card, language, "md")
        for markup in ("<script", "![", "](", "</table", "`a`"):
            assert markup not in markdown, markup


def test_markdown_lines_begin_no_block() -> None:
    assert escape_line("# a") == "&#35; a"
    assert escape_line("- a") == "&#45; a"
    assert escape_line("12. a") == "12&#46; a"
    assert escape_line("0.03 % of") == "0.03 % of"
    assert escape_line("---") == "&#45;--"


def test_limits_name_what_samples_do_not_cover() -> None:
    coverage = Coverage()
    coverage.add("train", ["ski"], "single", FEW, has_source=True)
    coverage.add("val", ["ski"], "single", has_source=True)
    coverage.add("train", ["sea"], None, 7, has_source=False)
    coverage.add("val", ["city"], "multi", 1, has_source=True)
    coverage.add("train", [], "multi", 2, has_source=True)
    foreground = Foreground(pooled=0.1, image_mean=0.1, ignored=0.25, without_person=3)
    limited = Limited(
        coverage,
        GroupStats(images=coverage.samples, foreground=foreground),
        {"ski": "Ski", "sea": "Sea", "city": "City", "zoo": "Zoo"},
        crops=5,
        unrecorded={"first": ["licence", "contact"], "second": ["licence", "contact"]},
    )
    texts = limit_texts(limited, "en")
    for expected in (
        "There are no test samples.",
        "so that no measurement covers them: Sea.",
        "Scenes without training samples: City.",
        f"Scenes with fewer than {FEW} samples: Sea, City.",
        "Scenes of the vocabulary without samples: Zoo.",
        "5 samples are crops",
        "2 samples have no scene.",
        "The number of persons is not recorded for 7 samples.",
        "7 samples have no source",
        "3 images show no person.",
        "25.00 % of all pixels",
        "Not recorded (licence, contact): first, second.",
    ):
        assert [text for text in texts if expected in text], expected
    assert len(limit_texts(limited, "zh")) == len(texts) == 13


def test_limits_of_complete_samples_are_those_of_the_masks() -> None:
    coverage = Coverage()
    for phase in Phase:
        coverage.add(str(phase), ["ski"], "single", FEW, has_source=True)
    numbers = GroupStats(images=coverage.samples)
    [text] = limit_texts(Limited(coverage, numbers, {"ski": "Ski"}), "en")
    assert "one class, person" in text


def test_long_lists_of_names_are_counted() -> None:
    names = [str(number) for number in range(25)]
    assert listed(names[:3], "en") == "0, 1, 2"
    assert listed(names, "en").endswith("18, 19 and 5 more")
    assert listed(names, "zh").endswith("18、19 等，另有 5 个")


def test_charts_show_what_tables_show(added: Path) -> None:
    sections = {one.anchor: one for one in card_sections(card_of(added), "en", str)}
    for anchor in ("scenes", "statistics"):
        [chart] = [block for block in sections[anchor].blocks if isinstance(block, Chart)]
        assert chart.svg.startswith("<svg")
        assert chart.caption in chart.svg
    tables = [block for block in sections["subsets"].blocks if isinstance(block, SceneTable)]
    assert [table.values["images"] for table in tables] == [4]


def test_consent_is_counted_by_basis_and_end(added: Path) -> None:
    some = {"samples": ["a"], "consent": {"basis": "consent", "until": "2030-01-02"}}
    set_provenance(added, PROVENANCE | {"consent": {"basis": "no-persons"}, "exceptions": [some]})
    card = card_of(added)
    found = {
        (str(given.basis), str(given.until)): n for given, n in card.provenance.consents.items()
    }
    assert found == {("no-persons", "None"): 3, ("consent", "2030-01-02"): 1}
    assert Consented(Basis.NO_PERSONS, None) in card.provenance.consents
    page = card_page(card, "en", "md")
    assert "| the persons agreed (consent) | 2030-01-02 | 1 |" in page
    assert "| no real person is shown (no-persons) |  | 3 |" in page
