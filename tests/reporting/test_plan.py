"""Plans: what is counted, why a scene is urgent, and what to ask for."""

import csv
import datetime as dt
import io

import pytest

from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.reporting.plan import NOT_COUNTED, make_plan
from sceneset.reporting.plan_kinds import KINDS
from sceneset.reporting.plan_reader import read_plan_samples
from sceneset.reporting.plan_request import COLUMNS, request_text
from sceneset.reporting.plan_values import Duplicates
from sceneset.schemas.terms import Phase
from sceneset.storage.yaml_files import dump_yaml
from sceneset.storage.yaml_parser import parse
from support.build import NAME
from support.policy import PROVENANCE
from support.tabular import Drawn, far_hash, many, write_registry

DAY = dt.date(2026, 1, 5)
TRAIN, VAL, TEST = Phase


def plan_of(root, *scenes, duplicates=Duplicates.AUTO, left_out=NOT_COUNTED, **options):
    catalog = Catalog(root)
    query = resolve_query(catalog, scenes, **options)
    samples = read_plan_samples(catalog, query, left_out=left_out, day=DAY)
    return make_plan(
        catalog, query, samples, targets=catalog.params.targets, day=DAY, duplicates=duplicates
    )


def cell_of(plan, scene, persons="single"):
    [cell] = [one for one in plan.cells if (one.scene, one.persons) == (scene, persons)]
    return cell


def kinds(cell):
    return [(reason.kind, reason.phase) for reason in cell.reasons]


def test_a_sample_counts_in_each_of_its_scenes_with_the_persons_there(registry):
    samples = [
        Drawn("a", "ski;city:multi"),
        Drawn("b", "ski", phase="val"),
        Drawn("c", "ski", None),
        Drawn("d", "", "single"),
    ]
    plan = plan_of(write_registry(registry, samples))
    assert (plan.samples, plan.without_scene, plan.several) == (4, 1, 1)
    assert cell_of(plan, "ski").of(TRAIN).images == 1
    assert cell_of(plan, "ski").of(VAL).images == 1
    assert cell_of(plan, "city", "multi").images == 1
    assert cell_of(plan, "ski", None).images == 1
    assert "ski" not in plan.unused
    assert "sea" in plan.unused


def test_targets_count_different_pictures_and_not_images(registry):
    near = far_hash("clip")
    samples = [
        *many(3, "same", picture="one"),
        Drawn("x", phash=near),
        Drawn("y", phash=near ^ 0b11),
        Drawn("z", phash=far_hash("other")),
        Drawn("v", phase="val", picture="one"),  # another phase has its own pictures
    ]
    root = write_registry(registry, samples, targets="{train: 5, val: 1, multi: {train: 0}}")
    cell = cell_of(plan_of(root), "ski")
    assert (cell.of(TRAIN).images, cell.of(TRAIN).pictures) == (6, 3)
    assert (cell.missing(TRAIN), cell.missing(VAL), cell.missing(TEST)) == (2, 0, 0)
    exact = cell_of(plan_of(root, duplicates=Duplicates.EXACT), "ski")
    assert exact.of(TRAIN).pictures == 4
    assert ("repeats", TRAIN) in kinds(cell)


def test_scans_without_pictures_count_files(registry):
    samples = many(3, picture=None)
    plan = plan_of(write_registry(registry, samples), duplicates=Duplicates.EXACT)
    assert cell_of(plan, "ski").pictures == 3


def test_the_most_specific_target_counts_and_0_wants_none(registry):
    targets = (
        "{train: 10, multi: {train: 4}, scenes: {滑雪: {train: 7, single: {train: 8}, "
        "multi: {val: 2}}, city: {train: 0}}}"
    )
    plan = plan_of(write_registry(registry, (), targets=targets), "ski", "city", "sea")
    assert cell_of(plan, "ski").targets == {TRAIN: 8}
    assert cell_of(plan, "ski", "multi").targets == {TRAIN: 7, VAL: 2}
    assert cell_of(plan, "sea", "multi").targets == {TRAIN: 4}
    assert not [cell for cell in plan.cells if cell.scene == "city"]
    assert plan.unused == ["city"]
    assert {kind for cell in plan.cells for kind, _ in kinds(cell)} == {"empty"}


def test_scenes_are_ordered_by_their_most_urgent_reason_and_stay_together(registry):
    samples = [
        *many(8, "s", scenes="ski"),
        *many(8, "m", scenes="ski", persons="multi"),
        *many(2, "c", scenes="city"),
        *many(10, "d", scenes="city", persons="multi"),
        *many(10, "e", scenes="sea"),
    ]
    plan = plan_of(write_registry(registry, samples, targets="{train: 10}"))
    # Of the others, no cell has an image: the most urgent reason, in the vocabulary's order.
    shown = [(one.scene, one.persons) for one in plan.cells if one.scene in {"ski", "city", "sea"}]
    assert shown == [
        ("sea", "multi"),
        ("sea", "single"),
        ("city", "single"),
        ("city", "multi"),
        ("ski", "single"),
        ("ski", "multi"),
    ]
    ranks = [cell.reasons[0].rank for cell in plan.cells if cell.scene not in {"sea", "city"}]
    assert ranks == sorted(ranks)
    assert all(reason.kind in KINDS for cell in plan.cells for reason in cell.reasons)


def test_withdrawn_and_restricted_samples_are_not_counted(registry):
    provenance = PROVENANCE | {
        "exceptions": [
            {"samples": ["train/a001"], "restrictions": ["no-release"]},
            {"samples": ["train/a002"], "restrictions": ["no-export"]},
            {"samples": ["train/a003"], "restrictions": ["internal"]},
        ]
    }
    root = write_registry(registry, many(6), provenance=provenance)
    scan = Catalog(root).scan(NAME, ("image_md5", "phash", "phash_mirror")).to_pylist()[0]
    row = {"image": scan["image_md5"].hex(), "phash": f"{scan['phash']:016x}"}
    row |= {"phash_mirror": f"{scan['phash_mirror']:016x}", "reason": "case 1"}
    (root / "registry/forgotten.yaml").write_text(dump_yaml({"forgotten": [row]}))
    plan = plan_of(root)
    assert (plan.samples, plan.withdrawn) == (3, 1)
    assert plan.restricted == {"no-release": 1, "no-export": 1}
    strict = plan_of(root, left_out={*NOT_COUNTED, "internal"})
    assert (strict.samples, strict.restricted["internal"]) == (2, 1)


def test_a_restricted_subset_is_not_counted(registry):
    write_registry(registry, many(3), provenance=PROVENANCE | {"restrictions": ["no-export"]})
    write_registry(registry, many(2), name=f"{NAME}2")
    plan = plan_of(registry)
    assert (plan.samples, plan.restricted) == (2, {"no-export": 3})
    assert cell_of(plan, "ski").images == 2


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2025-12-31", "consent of 2 images first ended on 2025-12-31"),
        ("2026-04-05", "consent of 2 images first ends on 2026-04-05"),
        ("2026-04-06", ""),
    ],
)
def test_images_whose_consent_ends_are_to_be_replaced(registry, until, words):
    consent = {"basis": "consent", "until": until}
    exception = {"samples": ["train/a000", "train/a001"], "consent": consent}
    provenance = PROVENANCE | {"exceptions": [exception]}
    root = write_registry(registry, many(4), provenance=provenance, targets="{train: 4}")
    cell = cell_of(plan_of(root), "ski")
    assert cell.missing(TRAIN) == (2 if words else 0)
    texts = [one.text.en for one in cell.reasons if one.kind == "consent"]
    assert texts == ([f"train: {words}"] if words else [])


def test_an_image_that_stays_keeps_its_picture_when_its_repeat_leaves(registry):
    consent = {"basis": "consent", "until": "2026-01-01"}
    provenance = PROVENANCE | {"exceptions": [{"samples": ["a000"], "consent": consent}]}
    samples = many(2, picture="one")
    root = write_registry(registry, samples, provenance=provenance, targets="{train: 1}")
    count = cell_of(plan_of(root), "ski").of(TRAIN)
    assert (count.pictures, count.staying, count.leaving) == (1, 1, 1)


def test_sources_are_measured_by_share_and_effective_number(registry):
    samples = [
        *many(6, "a", source="Clip 1"),
        Drawn("b", source="clip-1"),
        Drawn("c", source="clip 2"),
        *many(2, "n"),
        Drawn("v", phase="val", source="x"),
    ]
    cell = cell_of(plan_of(write_registry(registry, samples)), "ski")
    count = cell.of(TRAIN)
    assert (count.sources, count.largest, count.without_source) == (2, 7, 2)
    assert count.effective == pytest.approx(1 / ((7 / 8) ** 2 + (1 / 8) ** 2))
    assert count.largest_share == 7 / 8
    # One image of one source says nothing of the sources that follow.
    assert ("source", TRAIN) in kinds(cell)
    assert ("source", VAL) not in kinds(cell)
    assert ("unknown", TRAIN) not in kinds(cell)


def test_shares_are_compared_with_the_wanted_ones_or_with_all_samples(registry):
    samples = [
        *many(50, "s", scenes="ski"),
        *many(49, "c", scenes="city"),
        *many(50, "v", scenes="city", phase="val"),
    ]
    root = write_registry(registry, samples, targets="{shares: {train: 0.5, val: 0.5}}")
    plan = plan_of(root)
    [text] = [one.text.en for one in cell_of(plan, "ski").reasons if one.kind == "balance"]
    assert text == "train / val / test are 100 / 0 / 0 %, wanted 50 / 50 / 0 %"
    assert "balance" not in {kind for kind, _ in kinds(cell_of(plan, "city"))}
    own = plan_of(write_registry(registry, samples, name=f"{NAME}2", targets="null"))
    assert own.shares[TRAIN] == pytest.approx(99 / 149)
    [text] = [one.text.en for one in cell_of(own, "ski").reasons if one.kind == "balance"]
    assert text.endswith("all samples 66 / 34 / 0 %")
    assert plan_of(root, phases=["train"]).shares is None


def test_without_targets_scenes_are_compared_with_each_other(registry):
    samples = [
        *many(40, "s", scenes="ski"),
        Drawn("w", "ski", phase="val"),
        *many(40, "c", scenes="city"),
        *many(3, "d", scenes="sea"),
    ]
    plan = plan_of(write_registry(registry, samples))
    assert ("without", VAL) in kinds(cell_of(plan, "city"))
    assert kinds(cell_of(plan, "sea"))[0][0] == "without"
    assert "few" in {kind for kind, _ in kinds(cell_of(plan, "sea"))}
    assert plan.requests() == []


def test_selections_limit_what_is_planned(registry):
    samples = [
        Drawn("a", "ski;city"),
        Drawn("b", "city", "multi"),
        Drawn("c", "sea", phase="val"),
    ]
    root = write_registry(registry, samples, targets="{train: 2}")
    params = root / "params.yaml"
    text = params.read_text("utf-8").replace("selections: {}", "selections: {fun: {stems: [a]}}")
    params.write_text(text, "utf-8")
    assert {one.scene for one in plan_of(root, "ski").cells} == {"ski"}
    assert plan_of(root, "ski").samples == 1
    assert plan_of(root, "ski", persons="multi").samples == 0
    assert {one.scene for one in plan_of(root, "fun").cells} == {"ski", "city"}
    assert cell_of(plan_of(root, "fun"), "city", "multi").images == 0
    assert cell_of(plan_of(root, "fun", "city"), "city", "multi").images == 1
    assert plan_of(root, phases=["val"]).samples == 1
    assert plan_of(root, "total", subsets=["web"]).samples == 3


def test_requests_say_from_how_many_sources(registry):
    targets = "{train: 100, val: 5, max_source: 0.15, scenes: {ski: {test: 1}}}"
    plan = plan_of(write_registry(registry, many(70), targets=targets), "ski", persons="single")
    asked = {(one.phase): (one.images, one.sources) for one in plan.requests()}
    # At most 15 of 100 images from one source; at least one image, though 0.15 of 5 is less.
    assert asked == {TRAIN: (30, 2), VAL: (5, 5), TEST: (1, 1)}


def test_request_is_a_table_that_spreadsheets_open_without_running_a_formula(registry):
    root = write_registry(registry, many(3), targets="{train: 5, val: 2}")
    scenes = root / "registry/scenes.yaml"
    vocabulary = parse(scenes.read_text("utf-8"), "scenes").data
    for scene in vocabulary["scenes"]:
        if scene["key"] == "ski":
            scene["name"] = {"en": '=HYPERLINK("http://x", "y")', "zh": "＝1+1, 滑雪"}
    scenes.write_text(dump_yaml(vocabulary), "utf-8")
    catalog = Catalog(root)
    text = request_text(plan_of(root, "ski"), catalog.vocabulary)
    assert text.startswith("\ufeffscene,name_en,")
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [(r["persons"], r["phase"], r["images"], r["sources"]) for r in rows] == [
        ("multi", "train", "5", "5"),
        ("multi", "val", "2", "2"),
        ("single", "train", "2", "2"),
        ("single", "val", "2", "2"),
    ]
    assert rows[0]["name_en"] == '\'=HYPERLINK("http://x", "y")'
    assert rows[0]["name_zh"] == "'＝1+1, 滑雪"
    assert rows[0]["description_en"].startswith("'=")
    assert rows[2]["why_en"] == "train: 3 different images of 5"
    assert "source" not in rows[2]["why_en"], "what is not recorded is no matter of the vendor"


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("{scenes: {skii: {train: 1}}}", "no scene is called 'skii'"),
        ("{scenes: {total: {train: 1}}}", "'total' is no scene: it has all samples"),
        ("{scenes: {ski: {train: 1}, 滑雪: {val: 1}}}", "'ski' and '滑雪' are one scene, ski"),
    ],
)
def test_targets_of_scenes_that_are_not_clear_are_refused(registry, targets, message):
    root = write_registry(registry, (), targets=targets)
    with pytest.raises(FindingsError, match=message) as caught:
        plan_of(root)
    [found] = caught.value.findings
    assert (found.file, found.hint != "") == ("params.yaml", True)


def test_an_empty_registry_has_an_empty_plan(registry):
    plan = plan_of(registry)
    assert (plan.cells, plan.samples, plan.shares) == ([], 0, None)
    assert len(plan.unused) == len(Catalog(registry).vocabulary.scenes)
    assert plan.as_json()["requests"] == []


def test_tags_without_a_scan_row_are_refused(registry):
    root = write_registry(registry, many(3))
    path = root / f"registry/tags/{NAME}.csv"
    path.write_text(path.read_text("utf-8") + "train,new,ski,single,,\n", "utf-8")
    with pytest.raises(FindingsError, match="1 sample is in the tags and not in the scan"):
        plan_of(root)
