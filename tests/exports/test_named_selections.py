"""Selections of params.yaml: what they select, their caps and digests, and their findings."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset import Registry
from sceneset.catalog import selections
from sceneset.catalog.selections import resolve_selection, summarize
from sceneset.errors import FindingsError, UnknownNameError
from sceneset.quality.evaluate import subset_findings
from sceneset.rules.broken_samples import JUDGED_CODES
from sceneset.schemas.params import Params
from support.build import git
from support.exports import FIRST, SECOND

Write = Callable[[str], Registry]


@pytest.fixture
def write(exports) -> Write:
    """Write selections into params.yaml; return the registry."""
    path = exports.root / "params.yaml"
    before = path.read_text("utf-8").replace("selections: {}\n", "").replace("rules: {}\n", "")

    def write(text: str) -> Registry:
        path.write_text(f"{before}\nselections:\n{text}", "utf-8")
        return Registry.open(exports.root)

    return write


def chosen(registry: Registry, *names: str, **options) -> list[str]:
    return [
        f"{s.subset.rpartition('_')[2]}/{s.tag.phase}/{s.tag.stem}"
        for s in registry.lookup(*names, **options)
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("scenes: [滑雪]", ["phone/train/B", "web/train/a", "web/train/b", "web/val/a"]),
        ("scenes: [ski], phase: train", ["phone/train/B", "web/train/a", "web/train/b"]),
        ("scenes: [ski], phase: [val, test]", ["web/val/a"]),
        ("persons: multi", ["web/train/b", "web/train/人 1"]),
        (f"subsets: [{SECOND}]", ["phone/train/B", "phone/train/a", "phone/val/w"]),
        (
            f"phase: train, exclude: {{scenes: [city], subsets: [{SECOND}]}}",
            ["web/train/a", "web/train/with space"],
        ),
        (
            f"scenes: [ski], exclude: {{stems: [B, {FIRST}/train/a]}}",
            ["web/train/b", "web/val/a"],
        ),
        (
            f"subsets: [{FIRST}], exclude: {{persons: multi}}",
            ["web/train/a", "web/train/with space", "web/val/a", "web/val/v.1"],
        ),
        (f"subsets: [{FIRST}], phase: test", []),
    ],
)
def test_selection_selects_by_scene_persons_phase_and_subset(fields, expected, write):
    found = chosen(write(f"  mine: {{{fields}}}"), "mine")
    assert sorted(found) == sorted(expected)


def test_selection_leaves_out_exactly_the_samples_that_check_reports_for_a_rule(write, exports):
    codes = sorted(JUDGED_CODES)
    text = "".join(f"  no-{code}: {{exclude: {{rules: [{code}]}}}}\n" for code in codes)
    registry = write(text)
    everything = {(s.subset, *s.tag.key) for s in registry.lookup()}
    reported: dict[str, set[tuple[str, str, str]]] = {code: set() for code in codes}
    for found in subset_findings(registry, notes=True):
        if found.code in reported:
            reported[found.code].add((found.subset, found.phase, found.stem))
    kept = {code: {(s.subset, *s.tag.key) for s in registry.lookup(f"no-{code}")} for code in codes}
    assert kept == {code: everything - reported[code] for code in codes}
    assert sum(map(bool, reported.values())) >= 5
    # Findings that people accept leave nothing out, be they waived by sample or by file.
    [one, *others] = sorted(reported["mask-empty"])
    waivers = [("sample", f"{one[1]}/{one[2]}", one[0])]
    waivers += [
        ("file", f"Insta360SemanticSeg/{subset}/ann_dir/{phase}/{stem}.png", subset)
        for subset, phase, stem in others
    ]
    (exports.root / "registry/waivers.yaml").write_text(
        "waivers:\n"
        + "".join(
            f"- {{code: mask-empty, subset: {subset}, {key}: {value!r}, reason: x, "
            "date: 2025-01-01}\n"
            for key, value, subset in waivers
        )
    )
    assert others
    assert len(Registry.open(exports.root).lookup("no-mask-empty")) == len(everything)


def test_digest_covers_the_threshold_of_a_rule_that_a_selection_excludes_by(write, exports):
    before = summarize(write("  mine: {exclude: {rules: [person-small]}}"), "mine")
    path = exports.root / "params.yaml"
    path.write_text(re.sub(r"min_person: \S+", "min_person: 0.9", path.read_text("utf-8")), "utf-8")
    after = summarize(Registry.open(exports.root), "mine")
    assert sum(after.samples.values()) < sum(before.samples.values())
    assert after.digest != before.digest


def test_selection_without_fields_selects_everything(write):
    registry = write("  everything:\n")
    assert registry.lookup("everything") == registry.lookup()


def test_query_narrows_a_selection_and_adds_scenes(write):
    registry = write("  mine: {scenes: [ski]}")
    assert chosen(registry, "mine", phases=["val"]) == ["web/val/a"]
    assert chosen(registry, "mine", subsets=["phone"]) == ["phone/train/B"]
    assert chosen(registry, "mine", persons="multi") == ["web/train/b"]
    both = registry.lookup("mine", "city")
    assert {s.tag.stem for s in both} == {"a", "b", "B", "人 1"}
    assert len(both) == len({(s.subset, s.tag.key) for s in both})


@given(
    st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=60),
    st.integers(1, 40),
    st.integers(0, 2**63 - 1),
)
@settings(max_examples=60, deadline=None)
def test_capped_choice_changes_by_one_sample_at_most_when_a_sample_is_added(numbers, cap, seed):
    def choose(images: list[int]) -> set[str]:
        tags = [SimpleNamespace(key=(number,)) for number in images]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                selections,
                "content_hashes",
                lambda *_: {(n,): (f"{n:032x}", "") for n in images},
            )
            found = selections._capped(None, {"x": tags}, cap, seed)
        return {tag.key[0] for tag in found["x"]}

    before, after = choose(numbers[:-1] or numbers), choose(numbers)
    assert len(after) == min(cap, len(numbers))
    assert len(before - after) <= 1
    assert after - before <= {numbers[-1]}
    assert choose(numbers[::-1]) == after


def test_cap_takes_another_choice_when_the_seed_changes(write):
    choices = {
        seed: tuple(chosen(write(f"  mine: {{cap: 3, seed: {seed}}}"), "mine"))
        for seed in range(12)
    }
    assert {len(choice) for choice in choices.values()} == {3}
    assert len(set(choices.values())) > 3
    assert choices[7] == tuple(chosen(write("  mine: {cap: 3, seed: 7}"), "mine"))
    assert len(chosen(write("  mine: {cap: 90}"), "mine")) == 9


def test_digest_changes_with_the_samples_and_not_with_how_they_are_selected(write):
    registry = write(
        "  one: {scenes: [ski]}\n  other: {scenes: [滑雪], weight: 3}\n"
        "  less: {scenes: [ski], cap: 2}"
    )
    one, other, less = (summarize(registry, name) for name in ("one", "other", "less"))
    assert one._replace(name="") == other._replace(name="")
    assert one.digest != less.digest
    assert one.samples == {"train": 3, "val": 1}
    assert one.subsets == (FIRST, SECOND)
    assert sum(less.samples.values()) == 2


@pytest.mark.parametrize(
    ("text", "row", "field", "message"),
    [
        ("  ski: {phase: train}", 1, "selections.ski", "is also a name of the scene ski"),
        ("  a:\n    scenes:\n      - ski\n      - skki", 4, "selections.a.scenes[2]", "skki"),
        ("  a:\n    exclude: {subsets: [CustomSeg_Person_20200101_x]}", 2,
         "selections.a.exclude.subsets[1]", "no subset is called"),
        ("  a:\n    exclude:\n      rules: [mask-empty,\n        leak-near]", 4,
         "selections.a.exclude.rules[2]", "no rule that judges a sample by itself"),
        ("  a: {exclude: {rules: [mask-cut]}}\nrules: {mask-cut: off}", 1,
         "selections.a.exclude.rules[1]", "is switched off"),
    ],
    ids=["scene", "unknown scene", "unknown subset", "relation", "off"],
)  # fmt: skip
def test_check_reports_names_of_selections_with_their_line(
    text, row, field, message, write, sceneset, exports
):
    write(text)
    first = (exports.root / "params.yaml").read_text("utf-8").splitlines().index("selections:") + 1
    outcome = sceneset("check", "--json", cwd=exports.root)
    [found] = [f for f in outcome.json if f["code"] == "selection-names"]
    assert (found["row"], found["field"]) == (first + row, field)
    assert message in found["message"]
    assert outcome.code == 1
    outcome = sceneset("selections", cwd=exports.root)
    assert outcome.code == 1
    assert message in outcome.err


@pytest.mark.parametrize(
    "fields",
    [
        {"a b": {}}, {"Ski": {}}, {"con": {}}, {"../x": {}}, {"x": {"cap": "3"}},
        {"x": {"cap": True}}, {"x": {"weight": 0}}, {"x": {"weight": float("nan")}},
        {"x": {"phase": "Train"}}, {"x": {"persons": "both"}}, {"x": {"scene": ["ski"]}},
        {"x": {"scenes": "ski"}}, {"x": {"exclude": {"stems": ["a/b"]}}},
        {"x": {"exclude": {"stems": ["a/trian/b"]}}}, {"x": {"seed": -1}},
        {"x": {"exclude": {"rules": ["mask-hole"]}}}, {"x": {"exclude": {"persons": "any"}}},
    ],
)  # fmt: skip
def test_params_refuse_selections_that_are_not_valid(fields):
    with pytest.raises(ValueError, match="selections"):
        Params.model_validate({"selections": fields})


def test_error_in_a_selection_names_its_line(write, exports):
    registry = write("  a: {}\n  b:\n    cap: many\n")
    lines = (exports.root / "params.yaml").read_text("utf-8").splitlines()
    with pytest.raises(FindingsError) as caught:
        registry.lookup("a")
    [found] = caught.value.findings
    assert lines[found.row - 1] == "    cap: many"
    assert found.field == "selections.b.cap"


def test_unknown_name_lists_the_nearest_selection(write):
    with pytest.raises(
        UnknownNameError, match=r"no scene or selection.*Nearest: outdoor.*`sceneset selections`"
    ):
        write("  outdoor: {}").lookup("outdor")


def test_lookup_command_prints_stems_rows_and_samples_of_a_selection(write, sceneset, exports):
    write("  mine: {scenes: [ski], phase: val, description: winter}")
    assert sceneset("lookup", "mine", "--stems", cwd=exports.root).out == "a\n"
    [row] = sceneset("lookup", "mine", "--json", cwd=exports.root).json
    assert (row["scene"], row["phase"], row["images"]) == ("mine", "val", 1)
    assert (row["split_file"], row["description"]["en"]) == (None, "winter")
    [sample] = sceneset("lookup", "mine", "--samples", "--json", cwd=exports.root).json
    assert (sample["subset"], sample["stem"]) == (FIRST, "a")
    both = sceneset("lookup", "mine", "ski", "--json", cwd=exports.root).json
    assert [row["scene"] for row in both].count("mine") == 1
    assert "winter" in sceneset("lookup", "mine", cwd=exports.root).out


def test_pull_and_export_write_the_samples_of_a_selection(write, sceneset, exports, tmp_path):
    write("  mine: {scenes: [ski], phase: train, cap: 2}")
    expected = set(chosen(Registry.open(exports.root), "mine"))
    done = sceneset("pull", "mine", "--to", tmp_path / "out", cwd=exports.root)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out/sceneset.json").read_text("utf-8"))
    assert record["pull"]["selections"] == ["mine"]
    assert {
        f"{p.parents[2].name.rpartition('_')[2]}/train/{p.stem}"
        for p in tmp_path.glob("out/*/ann_dir/*/*")
    } == expected
    listed = {
        f"{path.parents[1].name.rpartition('_')[2]}/train/{stem}"
        for path in tmp_path.glob("out/*/split_dir/selection.mine.train.txt")
        for stem in path.read_text("utf-8").splitlines()
    }
    assert listed == expected
    assert sorted(tmp_path.glob("out/*/split_dir/*.txt")) == sorted(
        tmp_path.glob("out/*/split_dir/selection.mine.*")
    )
    done = sceneset("export", "coco", "mine", "--to", tmp_path / "coco", cwd=exports.root)
    assert done.code == 0, done.err
    assert "2 samples" in done.err


def test_selections_command_prints_counts_and_digests(write, sceneset, exports):
    registry = write("  mine: {scenes: [ski], weight: 2}\n  few: {cap: 1}")
    [mine, few] = sceneset("selections", "--json", cwd=exports.root).json
    assert mine["digest"] == summarize(registry, "mine").digest
    assert mine["samples"] == {"train": 3, "val": 1, "test": 0}
    assert (mine["weight"], few["cap"], few["images"]) == (2, 1, 1)
    assert mine["digest"] in sceneset("selections", cwd=exports.root).out


def test_release_records_selections_and_accepts_new_ones_of_the_same_state(ready, sceneset):
    def release(number: str, text: str):
        path = ready / "params.yaml"
        path.write_text(path.read_text("utf-8").partition("\nselections:")[0] + text, "utf-8")
        git(ready, "commit", "--quiet", "--all", "--allow-empty", "--message", "x")
        return sceneset("release", number, cwd=ready)

    assert release("1.0.0", "").code == 0
    assert release("1.0.1", "\nselections:\n  mine: {cap: 3}\n").code == 0
    [first, second] = sceneset("versions", "--json", cwd=ready).json
    assert first["selections"] == {}
    registry = Registry.open(ready)
    digest = summarize(registry, "mine").digest
    assert second["selections"] == {"mine": {"samples": {"train": 3}, "digest": digest}}
    assert [s.tag for s in Registry.open(ready, rev="1.0.1").lookup("mine")] == [
        s.tag for s in registry.lookup("mine")
    ]
    refused = release("1.0.2", "\nselections:\n  mine: {cap: 3, weight: 2}\n")
    assert refused.code == 1
    assert "already released as 1.0.1" in refused.err
    with pytest.raises(UnknownNameError):
        Registry.open(ready, rev="1.0.0").lookup("mine")


def test_withdrawn_sample_of_a_version_does_not_change_the_others(ready, sceneset):
    path = ready / "params.yaml"
    before = path.read_text("utf-8").replace("selections: {}\n", "")
    path.write_text(f"{before}selections: {{mine: {{cap: 3}}}}\n", "utf-8")
    git(ready, "commit", "--quiet", "--all", "--message", "x")
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    before = [s.tag.stem for s in Registry.open(ready, rev="1.0.0").lookup("mine")]
    done = sceneset("forget", f"web/train/{before[0]}", "--reason", "test", cwd=ready)
    assert done.code == 0, done.err
    after = [s.tag.stem for s in Registry.open(ready, rev="1.0.0").lookup("mine")]
    assert after == before[1:]
    assert resolve_selection(Registry.open(ready, rev="1.0.0"), "mine")
