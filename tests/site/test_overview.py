"""The first page: numbers that agree with the tags, what needs attention, and its size."""

import datetime as dt
from collections import Counter

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tags_csv import tags_text
from sceneset.schemas.finding import Severity, finding
from sceneset.schemas.rules import RULES
from sceneset.schemas.subset import Subset
from sceneset.schemas.terms import Persons, Phase
from sceneset.schemas.version import Version, VersionChanges, VersionSubset
from sceneset.site.attention import (
    consent_findings,
    reference_day,
    restrictions,
    rule_counts,
    short_scenes,
    without_consent,
)
from sceneset.site.collect import site_options
from sceneset.site.facts import Facts, SubsetFacts
from sceneset.site.heat_map import LEVELS, heat_map, level_of
from sceneset.site.model import SiteModel, SubsetModel
from sceneset.site.pages_overview import overview_page
from sceneset.site.render import Page
from sceneset.storage.yaml_files import dump_yaml
from sceneset.storage.yaml_parser import parse
from sceneset.versions.records import VersionTag
from support.build import NAME, git
from support.policy import PROVENANCE, set_provenance
from support.site import HOSTILE, build, fragment, read

ONE_LINE = HOSTILE.strip()


def facts_of(counts: dict[tuple[Phase, Persons | None], int]) -> Facts:
    facts = Facts(images=sum(counts.values()))
    for (phase, persons), count in counts.items():
        facts.counts[persons, phase] = count
        facts.phases[phase] += count
    return facts


def model_of(root, scenes: dict[str, dict[Phase, int]]) -> SiteModel:
    """Return a model of one subset in which scenes have these numbers of samples."""
    (root / "registry/scenes.yaml").write_text(
        dump_yaml(
            {"scenes": [{"key": key, "name": {"en": key}, "file_stem": key} for key in scenes]}
        )
    )
    facts = SubsetFacts()
    for key, phases in scenes.items():
        if any(phases.values()):
            facts.scenes[key] = facts_of({(p, Persons.SINGLE): n for p, n in phases.items() if n})
            facts.whole.merge(facts.scenes[key])
    entry = Subset.model_validate(
        {"name": NAME, "kind": "full", "splits": [{"scene": "total", "file": "total.txt"}]}
    )
    model = SiteModel(Catalog(root), "test", "", "", [SubsetModel(entry, facts)], [], [])
    model.scenes, model.whole = facts.scenes, facts.whole
    return model


def version_of(number: str, counts: dict[str, dict[Phase, int]], notes: str = "") -> Version:
    digests = dict.fromkeys(("img_dir", "ann_dir", "entry", "tags", "splits"), "0" * 32)
    return Version(
        version=number,
        notes=notes,
        state="0" * 32,
        samples=sum(sum(phases.values()) for phases in counts.values()),
        subsets={
            name: VersionSubset(kind="full", samples=phases, **digests)
            for name, phases in counts.items()
        },
        changes=VersionChanges(step="minor"),
    )


def test_heat_map_counts_what_the_tags_say_and_its_cells_lead_there(added, tmp_path):
    tags = Catalog(added).tags(NAME)
    tags = [
        tags[0].model_copy(update={"persons": None}),
        tags[1].model_copy(update={"scenes": (("ski", None), ("city", "multi"))}),
        *tags[2:],
    ]
    (added / f"registry/tags/{NAME}.csv").write_text(tags_text(tags), "utf-8")
    scenes = added / "registry/scenes.yaml"
    vocabulary = parse(scenes.read_text("utf-8"), "scenes").data
    for scene in vocabulary["scenes"]:
        if scene["key"] == "ski":
            scene["name"] = {"en": ONE_LINE, "zh": f"滑雪 {ONE_LINE}"}
    scenes.write_text(dump_yaml(vocabulary), "utf-8")
    wanted = Counter(
        (scene, str(persons or "unknown"))
        for tag in Catalog(added).tags(NAME)
        for scene, persons in tag.memberships
    )
    assert {"unknown"} < {persons for _, persons in wanted}
    to = tmp_path / "to"
    build(added, to, findings=[])
    names = {scene.key: scene.name for scene in Catalog(added).vocabulary.scenes}
    for language in ("en", "zh"):
        page = read(to, f"{language}/index.html")
        found = {}
        for address, texts in page.links.items():
            filters = fragment(address)
            if address.startswith("scenes/") and filters:
                scene = address.removeprefix("scenes/").partition(".")[0]
                assert filters["phase"] == "train"
                found[scene, filters["persons"]] = int(texts[0])
        assert found == wanted
        for scene in {scene for scene, _ in wanted}:
            assert f"scenes/{scene}.html" in page.links
        assert names["ski"].text(language) in page.text
    _, persons, *rows, total = page.rows("各场景的样本数")
    assert total[-1] == "4"
    assert len(persons) == 9  # also the phases without samples
    assert [row[4:10] for row in rows] == [["0"] * 6] * len(rows)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8, 100, 99_999])
def test_shades_rise_with_counts(most):
    levels = [level_of(count, most) for count in range(most + 1)]
    assert levels[0] == 0
    assert levels == sorted(levels)
    assert 1 <= levels[1] <= levels[-1] == LEVELS
    model_scale = {level: levels.index(level) for level in set(levels)}
    assert len(model_scale) <= LEVELS + 1


def test_scale_says_which_counts_have_a_shade(registry):
    counts = (1, 4, 9, 70, 800)
    scenes = {f"s{n}": {Phase.TRAIN: count} for n, count in enumerate(counts)}
    heat = heat_map(model_of(registry, scenes))
    for row in heat.rows:
        for cell in row.cells:
            if cell.samples:
                [(low, high)] = [(lo, hi) for level, lo, hi in heat.scale if level == cell.level]
                assert low <= cell.samples <= high
    assert heat.scale[-1][2] == 800


def test_scenes_short_of_samples_are_named(registry):
    scenes = {
        "a": {Phase.TRAIN: 100, Phase.VAL: 10},
        "b": {Phase.TRAIN: 100},
        "c": {Phase.TRAIN: 99},
        "d": {Phase.TRAIN: 24, Phase.VAL: 1},
        "e": {Phase.TRAIN: 0},
        "f": {Phase.TRAIN: 3, Phase.VAL: 1},
    }
    short = short_scenes(model_of(registry, scenes))
    assert short.missing == [Phase.TEST]  # not five scenes that have none
    assert {p: [s.key for s in some] for p, some in short.without.items()} == {
        Phase.VAL: ["b", "c"]
    }
    assert [(scene.key, count) for scene, count in short.few] == [("f", 4)]
    assert short.median == 99
    nothing = short_scenes(model_of(registry, {"a": {}}))
    assert not nothing
    full = dict.fromkeys(Phase, 5)
    assert not short_scenes(model_of(registry, {"a": full, "b": full}))


def test_rules_are_counted_without_waived_findings():
    found = [finding("mask-holes", f"m{n}") for n in range(3)]
    found += [finding("leak-near", "x"), found[0].model_copy(update={"waived": "ok"})]
    assert [(one.code, one.findings) for one in rule_counts(found)] == [
        ("leak-near", 1),
        ("mask-holes", 3),
    ]


@pytest.mark.parametrize(
    ("until", "code"),
    [("2025-12-31", "consent-expired"), ("2026-03-31", "consent-expires"), ("2026-06-01", None)],
)
def test_consent_is_compared_with_the_day_of_the_latest_version(added, until, code):
    consent = {"basis": "consent", "until": until}
    set_provenance(added, PROVENANCE | {"consent": consent, "restrictions": ["internal"]})
    catalog = Catalog(added)
    subset = SubsetModel(catalog.entry(NAME), SubsetFacts())
    versions = [version_of("1.0.0", {}), version_of("1.1.0", {})]
    model = SiteModel(catalog, "t", "", "", [subset], [], versions)
    assert reference_day(model) is None  # no tag, so no date: no clock is read
    assert consent_findings(model, None) == []
    model.tags = {"1.1.0": VersionTag("t", "c", "2026-01-05T10:00:00+08:00", signed=False)}
    assert reference_day(model) == dt.date(2026, 1, 5)
    found = consent_findings(model, reference_day(model))
    assert [one.code for one in found] == [code] * (code is not None)
    assert without_consent(model) == []
    assert [(str(one), some) for one, some in restrictions(subset)] == [("internal", False)]


def test_page_says_whose_consent_and_licence_are_missing(added, tmp_path):
    set_provenance(added, {"origin": {"kind": "vendor", "name": ONE_LINE}})
    to = tmp_path / "to"
    build(added, to, title=HOSTILE)
    page = read(to, "en/index.html")
    assert f"{NAME}: no consent is recorded" in page.text
    [_, row] = page.rows("Subsets")
    assert row == [NAME, "full", "4", "0", "0", "not recorded", f"vendor, {ONE_LINE}".strip(),
                   "not recorded"]  # fmt: skip
    assert "entry-provenance" in " ".join(map(str, page.rows("Findings")))


def test_versions_are_listed_newest_first_with_what_they_hold(released, tmp_path):
    to = tmp_path / "to"
    build(released, to, findings=[])
    page = read(to, "en/index.html")
    [_, row] = page.rows("Versions")
    assert row[0] == "1.0.0"
    assert row[2:7] == ["4", "4", "0", "0", "1"]
    dt.date.fromisoformat(row[1])
    assert "versions/1.0.0.html" in page.links
    assert "sceneset pull --to DIR" in page.text


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://user:secret@example.com/x.git", "git clone https://example.com/x.git "),
        ("git@example.com:x.git", "git clone git@example.com:x.git "),
        ("/srv/somewhere/x", None),
    ],
)
def test_commands_name_the_repository_without_credentials(added, tmp_path, remote, shown):
    git(added, "remote", "add", "origin", remote)
    options = site_options(Catalog(added), repo="https://user:secret@example.com/x.git//data")
    to = tmp_path / "to"
    build(added, to, findings=[], repo=options.repo, state="1.0.0")
    page = read(to, "en/index.html")
    repo = "https://example.com/x.git//data"
    assert f"sceneset pull ski --rev 1.0.0 --repo {repo} --to DIR" in page.text
    assert ("git clone" in page.text) == (shown is not None)
    assert shown is None or shown in page.text
    for path in to.rglob("*.*"):
        assert b"secret" not in path.read_bytes()
        assert b"/srv/" not in path.read_bytes()


def test_page_of_a_large_registry_is_small(registry):
    """30 subsets, 60 scenes, 100,000 samples, 200 versions, every rule with findings."""
    names = [f"CustomSeg_Person_20240115_a-subset-with-a-long-name-{n:02}" for n in range(30)]
    scenes = {f"a_scene_with_a_long_key_{n:02}": dict.fromkeys(Phase, 555) for n in range(60)}
    model = model_of(registry, scenes)
    provenance = PROVENANCE | {"licence": "x" * 2000, "contact": "y" * 200}
    model.subsets = [
        SubsetModel(
            Subset.model_validate(
                {"name": name, "kind": "full", "provenance": provenance}
                | {"splits": [{"scene": "total", "file": "total.txt"}]}
            ),
            model.subsets[0].facts,
        )
        for name in names
    ]
    for facts in model.scenes.values():
        for phase in Phase:
            facts.counts[Persons.MULTI, phase] = facts.counts[None, phase] = 12_345
    counts = dict.fromkeys(Phase, 1111)
    model.versions = [
        version_of(f"1.{n}.0", dict.fromkeys(names, counts), "long notes " * 500)
        for n in range(200)
    ]
    model.findings = [
        finding(code, "x" * 300)
        for code, rule in RULES.items()
        if rule.severity is not Severity.NOTE
        for _ in range(100)
    ]
    for language in ("en", "zh"):
        text = overview_page(Page(model, "index.html", language))
        assert len(text.encode()) < 300_000, len(text.encode())


def test_page_of_an_empty_registry_has_all_parts(registry, tmp_path):
    to = tmp_path / "to"
    build(registry, to)
    for language in ("en", "zh"):
        read(to, f"{language}/index.html")
    page = read(to, "en/index.html")
    assert "There is no version yet." in page.text
    assert "Nothing needs attention." in page.text
    assert "Scenes without samples: " in page.text


def test_page_of_a_registry_with_an_unreadable_subset_has_all_parts(released, tmp_path):
    (released / f"registry/tags/{NAME}.csv").write_text("phase,stem\nnowhere,a\n")
    (released / "params.yaml").write_text(
        (released / "params.yaml").read_text().replace("selections: {}", "selections: {all: {}}")
    )
    to = tmp_path / "to"
    report = build(released, to)
    assert report.unread == [NAME]
    page = read(to, "en/index.html")
    assert f"Left out, because a file can't be read: {NAME}" in page.text
    assert page.rows("Versions")[1][0] == "1.0.0"
    page = read(to, "en/findings.html")
    assert NAME in page.ids
    assert f"subsets/{NAME}.html" not in page.links
    assert "can't be resolved" in read(to, "en/selections/all.html").text
    read(to, "zh/versions/1.0.0.html")
