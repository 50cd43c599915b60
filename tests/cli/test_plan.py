"""Tests of `sceneset plan`."""

import datetime as dt
import re
import shutil

import pyarrow as pa
import pytest

from sceneset.api import Registry
from sceneset.cli.main import main
from sceneset.cli.text_width import width_of
from sceneset.evaluation.counts import write_counts
from support.build import Run
from support.tabular import Drawn, counts_of, many, write_registry
from support.terminal import open_terminal

SAMPLES = [
    *many(6, "s", scenes="ski", source="clip 1"),
    *many(4, "t", scenes="ski", source="clip 2", phase="val"),
    *many(9, "c", scenes="city;sea:multi", picture="one"),
    Drawn("w", "", "single"),
]


@pytest.fixture
def drawn(registry):
    return write_registry(registry, SAMPLES, targets="{train: 10, scenes: {ski: {val: 3}}}")


def test_plan_prints_a_row_for_each_scene_and_the_order_in_words(drawn, sceneset: Run):
    done = sceneset("plan", "ski", "city", "--on", "2026-01-05", cwd=drawn)
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split() == ["scene", "persons", "images", "different", "wanted", "why"]
    assert [row.split()[:5] for row in rows] == [
        ["city", "multi", "0", "0", "10"],  # the vocabulary's order
        ["city", "single", "9", "1", "9"],
        ["ski", "multi", "0", "0", "13"],
        ["ski", "single", "10", "10", "4"],
    ]
    assert "train: 6 different images of 10; train: one source has 100 %" in rows[3]
    assert "1. a phase with a target has no image" in done.err
    assert "36 different images are wanted; --to FILE writes the list for a vendor" in done.err
    assert "19 samples counted; images of a phase that look alike count as one" in done.err


def test_plan_says_what_is_not_in_a_row(drawn, sceneset: Run):
    err = sceneset("plan", cwd=drawn).err
    assert "9 samples are in several rows and counted in each" in err
    assert "1 sample is in no scene and counted in no row" in err


def test_plan_fits_into_80_columns(drawn, monkeypatch):
    monkeypatch.chdir(drawn)
    for locale in ("C.UTF-8", "zh_CN.UTF-8"):
        monkeypatch.setenv("LC_ALL", locale)
        with monkeypatch.context() as patch:
            terminal = open_terminal(patch, 80)
            assert main(["plan", "--on", "2026-01-05"]) == 0
        lines = terminal.lines
        assert max(map(width_of, lines)) <= 80, max(lines, key=width_of)
        assert any(re.match(r"ski\b", line) for line in lines)
        assert ("没有图片，需要 10 张" in terminal.text) == ("zh" in locale)


def test_plan_without_targets_says_how_to_set_some(registry, sceneset: Run, tmp_path):
    root = write_registry(registry, SAMPLES)
    done = sceneset("plan", cwd=root)
    assert "no target is set" in done.err
    assert "write `targets` in params.yaml" in done.err
    assert re.search(r"^ski +single +10 +10 +0 ", done.out, re.MULTILINE)
    refused = sceneset("plan", "--to", tmp_path / "request.csv", cwd=root)
    assert refused.code == 2
    assert "--target N" in refused.err
    assert not (tmp_path / "request.csv").exists()


def test_target_replaces_those_of_params_in_the_chosen_phases(drawn, sceneset: Run):
    def wanted(*words):
        found = sceneset("plan", "ski", "--persons", "single", "--json", *words, cwd=drawn).json
        [cell] = found["cells"]
        return [cell["phases"][phase]["wanted"] for phase in ("train", "val", "test")]

    assert wanted() == [4, 0, 0]
    assert wanted("--target", "20") == [14, 0, 0]
    assert wanted("--target", "20", "--target", "test=2") == [14, 0, 2]
    assert wanted("--target", "20", "--phase", "val") == [0, 16, 0]
    assert wanted("--target", "0") == [0, 0, 0]
    done = sceneset("plan", "--target", "0", cwd=drawn)
    assert "all targets are reached" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--target", "many"),
        ("--target", "-1"),
        ("--target", "dev=3"),
        ("--target", "10000001"),
        ("--target", "²"),
        ("--to", "list.txt"),
        ("--html", "page"),
        ("--on", "yesterday"),
        ("--open",),
        ("--evaluation", "nothing.parquet"),
        ("skii",),
    ],
)
def test_plan_refuses_wrong_words(drawn, sceneset: Run, words):
    done = sceneset("plan", *words, cwd=drawn)
    assert (done.code, done.out) == (2, "")
    assert done.err


def test_plan_writes_a_request_and_a_page_and_replaces_only_its_own(
    drawn, sceneset: Run, tmp_path, monkeypatch
):
    request, page = tmp_path / "request.csv", tmp_path / "plan.html"
    words = ("plan", "--to", request, "--html", page)
    assert sceneset(*words, cwd=drawn).code == 0
    assert request.read_bytes().startswith(b"\xef\xbb\xbfscene,name_en,name_zh,persons,phase,")
    english = page.read_text("utf-8")
    assert '<html lang="en">' in english
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert sceneset(*words, cwd=drawn).code == 0
    assert "下一步采集什么" in page.read_text("utf-8")
    for path in (request, page):
        path.write_text("mine")
        done = sceneset(*words, cwd=drawn)
        assert done.code == 2
        assert path.read_text() == "mine"
        path.unlink()
    inside = drawn / "registry/request.csv"
    assert sceneset("plan", "--to", inside, cwd=drawn).code == 2
    assert not inside.exists()


def test_plan_shows_where_a_model_is_worst(drawn, sceneset: Run, tmp_path):
    samples = [one for one in SAMPLES if one.phase == "val"]
    file = tmp_path / "run.parquet"
    write_counts(file, counts_of([*samples, Drawn("gone", phase="val")], [0.5] * 5))
    done = sceneset("plan", "ski", "--evaluation", file, "--html", tmp_path / "p.html", cwd=drawn)
    assert re.search(r"^ski +single +10 +10 +4 +0\.500 ", done.out, re.MULTILINE)
    assert re.search(r"^ski +multi +0 +0 +13 +- ", done.out, re.MULTILINE)
    assert "IoU of all pixels of 4 images of val and test from the evaluation: 0.500" in done.err
    assert "1 evaluated sample is not among the counted samples" in done.err
    assert "0.500" in (tmp_path / "p.html").read_text("utf-8")


def test_plan_shows_no_number_where_an_evaluation_has_none(drawn, sceneset: Run, tmp_path):
    samples = [one for one in SAMPLES if one.phase == "val"]
    counts = counts_of(samples, [0.5] * len(samples))
    table = counts.table
    for name in counts.widths.columns():  # no mask has a person
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array([0] * len(table), pa.int64()))
    write_counts(tmp_path / "run.parquet", counts._replace(table=table))
    done = sceneset("plan", "--evaluation", tmp_path / "run.parquet", cwd=drawn)
    assert "from the evaluation: -" in done.err
    assert "nan" not in done.out + done.err


def test_plan_of_an_empty_registry(registry, sceneset: Run, tmp_path):
    done = sceneset("plan", "--html", tmp_path / "p.html", cwd=registry)
    assert (done.code, done.out) == (0, "")
    assert "0 samples counted" in done.err
    assert "No scene has a sample or a target." in (tmp_path / "p.html").read_text("utf-8")
    empty = sceneset("plan", "ski", "--target", "3", cwd=registry)
    assert re.search(r"^ski +single +0 +0 +3 +train: no image, 3 wanted$", empty.out, re.MULTILINE)


def test_plan_of_a_version_reads_no_image(released, sceneset: Run):
    shutil.rmtree(released / "Insta360SemanticSeg")
    shutil.rmtree(released / ".dvc/cache")
    done = sceneset("plan", "--rev", "1.0.0", "--target", "3", "--json", cwd=released)
    assert done.code == 0, done.err
    [ski] = [
        one for one in done.json["cells"] if (one["scene"], one["persons"]) == ("ski", "single")
    ]
    assert (ski["images"], ski["wanted"]) == (2, 1)


def test_python_gives_the_same_plan(drawn, sceneset: Run):
    shown = sceneset("plan", "ski", "--on", "2026-01-05", "--json", cwd=drawn).json
    plan = Registry.open(drawn).plan("ski", day=dt.date(2026, 1, 5))
    assert plan.as_json() == shown
    tried = Registry.open(drawn).plan("ski", targets={"val": 9}, day=dt.date(2026, 1, 5))
    assert [one.images for one in tried.requests()] == [9, 5]
