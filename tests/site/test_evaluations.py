"""Tests of the pages of evaluations in the catalogue."""

from pathlib import Path

import numpy as np
import pytest

from sceneset.errors import UsageError
from sceneset.evaluation.counts import Facts, Row, Widths, count_pair, table_of, write_counts
from sceneset.imaging.mask_agreement import PackedMask
from sceneset.schemas.provenance import Restriction
from sceneset.site.evaluations import read_evaluations
from support.build import NAME
from support.site import HOSTILE, build, read

SIZE = (32, 24)


def counts_file(path: Path, shifts: dict[str, int], **changed: str) -> Path:
    """Write the counts of predictions that are the true mask, moved to the right."""
    truth = np.zeros((24, 32), np.uint8)
    truth[6:18, 10:20] = 1
    rows = []
    for number, (stem, shift) in enumerate(sorted(shifts.items())):
        facts = Facts(NAME, "train", stem, ("ski",), "single", "", *SIZE, f"{number:032x}")
        masks = (PackedMask.of(mask) for mask in (truth, np.roll(truth, shift, axis=1)))
        rows.append(Row(facts._replace(**changed), count_pair(*masks, Widths()), values="0/1"))
    about = {"truth": "working tree", "predictions": HOSTILE}
    write_counts(path, table_of(rows, Widths(), about))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        counts_file(tmp_path / "old <b>.parquet", {"a": 5, "b": 1, "c": 0, "d": 2}),
        counts_file(tmp_path / "new.parquet", {"a": 0, "b": 1, "c": 2, "d": 2}),
    ]


@pytest.mark.parametrize(("language", "word"), [("en", "Worst samples"), ("zh", "最差的样本")])
def test_each_run_has_a_page_with_measures_worst_samples_and_a_comparison(
    language, word, added, tmp_path, files
):
    build(added, tmp_path / "site", findings=[], evaluations=read_evaluations(files))
    first = read(tmp_path / "site", f"{language}/evaluations/1.html")
    second = read(tmp_path / "site", f"{language}/evaluations/2.html")
    assert "old <b>" in first.text
    assert word in first.text
    # 10 of 10 columns overlap after a shift by 0, 9 of 11 by 1, 8 of 12 by 2, 5 of 15 by 5
    rows = first.rows(*[head for _, head in first.headings if head in {"Measures", "指标"}])
    assert rows[1][1] == f"{(5 + 9 + 10 + 8) / (15 + 11 + 10 + 12):.4f}"
    links = [link for link in first.links if "sample=" in link]
    assert [link.rpartition("/")[2] for link in links] == ["a", "d", "b", "c"]
    assert all(link.startswith(f"../subsets/{NAME}.html#sample=") for link in links)
    compared = next(head for _, head in second.headings if "old <b>" in head)
    assert second.rows(compared)[1][2:5] == ["0.6667", "0.7778", "+0.1111"]
    assert f"{NAME}/train/a" in second.text


def test_overview_and_scenes_show_all_runs(added, tmp_path, files):
    build(added, tmp_path / "site", findings=[], evaluations=read_evaluations(files))
    for page, up in (("en/index.html", ""), ("en/scenes/ski.html", "../")):
        shown = read(tmp_path / "site", page)
        rows = shown.rows("Evaluations of predictions")
        assert [row[0] for row in rows[1:]] == ["old <b>", "new"]
        assert [row[3] for row in rows[1:]] == ["0.6667", "0.7778"]
        assert f"{up}evaluations/2.html" in shown.links
    assert "Evaluations" not in read(tmp_path / "site", "en/scenes/sea.html").text


def test_catalogue_without_evaluations_says_nothing_of_them(added, tmp_path):
    build(added, tmp_path / "site", findings=[])
    assert "Evaluations" not in read(tmp_path / "site", "en/index.html").text
    assert not (tmp_path / "site/en/evaluations").exists()


def test_samples_that_the_catalogue_does_not_show_are_named_nowhere(added, tmp_path):
    shifts = {"a": 5, "secret": 9, HOSTILE.replace("/", ""): 8}
    files = [
        counts_file(tmp_path / "one.parquet", shifts),
        counts_file(tmp_path / "two.parquet", dict.fromkeys(shifts, 0)),
    ]
    build(added, tmp_path / "site", findings=[], evaluations=read_evaluations(files))
    for number in (1, 2):
        text = (tmp_path / f"site/en/evaluations/{number}.html").read_text("utf-8")
        assert "train/a" in text
        assert "secret" not in text
        assert "<script>alert" not in text
    moved = read(tmp_path / "site", "en/evaluations/2.html").rows(
        "Samples whose IoU changed by 0.1 or more"
    )
    assert [row[0] for row in moved[1:]] == [f"{NAME}/train/a"]
    assert f'<a href="../subsets/{NAME}.html#sample={NAME}/train/a"><bdi>' in text


def test_restricted_samples_are_named_nowhere(added, tmp_path, files):
    build(
        added,
        tmp_path / "site",
        findings=[],
        evaluations=read_evaluations(files),
        left_out=[*Restriction],
    )
    shown = read(tmp_path / "site", "en/evaluations/1.html")
    assert "Measures" in [head for _, head in shown.headings]


def test_runs_without_a_common_sample_are_not_compared(added, tmp_path, files):
    other = counts_file(tmp_path / "other.parquet", {"a": 0}, mask_md5="f" * 32)
    build(added, tmp_path / "site", findings=[], evaluations=read_evaluations([files[0], other]))
    shown = read(tmp_path / "site", "en/evaluations/2.html")
    assert "no sample with the same true mask in common" in shown.text


def test_file_without_counts_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_text("none")
    with pytest.raises(UsageError, match="can't be read as Parquet"):
        read_evaluations([tmp_path / "a.parquet"])


def test_site_shows_what_evaluate_wrote(added, tmp_path, sceneset, files):
    done = sceneset(
        *("site", "--to", tmp_path / "site", "--evaluation", files[0], "--evaluation", files[1]),
        cwd=added,
    )
    assert done.code == 0, done.err
    assert (tmp_path / "site/zh/evaluations/2.html").exists()
    refused = sceneset("site", "--to", tmp_path / "site", "--evaluation", added, cwd=added)
    assert refused.code == 2
    assert "can't be read" in refused.err
