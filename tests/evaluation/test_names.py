"""Tests of finding the prediction of each sample."""

import unicodedata
from pathlib import PurePosixPath

import pytest

from sceneset.evaluation.names import Matches, NameIndex

SUBSETS = ("one", "two")


def match(names, selected, others=(), ending: str = "") -> Matches:
    pairs = [(name, PurePosixPath(name).stem) for name in names]
    return NameIndex(pairs, SUBSETS, ending=ending).match(selected, others)


@pytest.mark.parametrize(
    "name",
    ["a.png", "val/a.png", "one/val/a.npy", "one/ann_dir/val/a.png", "runs/one/a.png", "a.jpg.png"],
)
def test_prediction_is_found_in_each_layout(name):
    matches = match([name], [("one", "val", "a")])
    assert matches.found == {("one", "val", "a"): name}
    assert not matches.problems
    assert not matches.surplus


def test_stem_may_have_dots_and_an_ending():
    matches = match(["val/a.b_mask.png", "val/a.b.png"], [("one", "val", "a.b")], ending="_mask")
    assert matches.found == {("one", "val", "a.b"): "val/a.b_mask.png"}
    assert matches.surplus == ["val/a.b.png"]


def test_equal_names_in_two_folders_are_ambiguous():
    matches = match(["x/a.png", "y/a.png", "y/b.png"], [("one", "val", "a"), ("one", "val", "b")])
    [(key, problem)] = matches.problems.items()
    assert key == ("one", "val", "a")
    assert problem == ("ambiguous", "2 predictions fit it: x/a.png, y/a.png")
    assert matches.surplus == []
    assert list(matches.found.values()) == ["y/b.png"]


def test_equal_names_in_folders_of_subsets_or_phases_are_distinguished():
    keys = [("one", "val", "a"), ("two", "val", "a"), ("two", "train", "a")]
    matches = match(["one/val/a.png", "two/val/a.png", "two/train/a.png"], keys)
    assert matches.found == {key: f"{key[0]}/{key[1]}/a.png" for key in keys}


def test_one_file_that_fits_two_samples_is_ambiguous():
    matches = match(["a.png"], [("one", "val", "a"), ("two", "val", "a")])
    assert not matches.found
    assert {problem.problem for problem in matches.problems.values()} == {"ambiguous"}
    assert "fits 2 selected samples" in matches.problems["one", "val", "a"].detail


def test_missing_surplus_and_unselected_predictions_are_counted():
    selected, others = [("one", "val", "a"), ("one", "val", "b")], [("one", "train", "c")]
    matches = match(["val/a.png", "train/c.png", "val/d.png", "notes.png"], selected, others)
    assert matches.problems == {("one", "val", "b"): ("missing", "has no prediction")}
    assert matches.surplus == ["val/d.png", "notes.png"]
    assert matches.unselected == 1


def test_prediction_in_the_folder_of_another_phase_is_reported():
    matches = match(["train/a.png"], [("one", "val", "a")])
    problem = matches.problems["one", "val", "a"]
    assert problem.problem == "wrong-phase"
    assert "train/a.png" in problem.detail
    assert not matches.surplus


def test_prediction_of_the_other_phase_is_no_wrong_phase_if_that_sample_exists():
    matches = match(["train/a.png"], [("one", "val", "a")], [("one", "train", "a")])
    assert matches.problems["one", "val", "a"].problem == "missing"
    assert matches.unselected == 1


def test_other_samples_are_not_read_if_nothing_is_left_over():
    def others():
        raise AssertionError
        yield

    assert match(["a.png"], [("one", "val", "a")], others()).unselected == 0


def test_folders_name_a_phase_as_vendors_write_it():
    names = ["Train/a.png", "Validation/a.png", "trainval/b.png"]
    keys = [("one", "train", "a"), ("one", "val", "a"), ("one", "val", "b")]
    assert list(match(names, keys).found.values()) == names


def test_names_are_the_same_however_unicode_writes_them():
    subset, stem = "CustomSeg_Person_20240115_\u00e9", "caf\u00e9"
    for form, other in (("NFC", "NFD"), ("NFD", "NFC")):
        key = (subset, "val", unicodedata.normalize(form, stem))
        name = unicodedata.normalize(other, f"{subset}/val/{stem}_\u00e9.png")
        pairs = [(name, PurePosixPath(name).stem)]
        assert NameIndex(pairs, (subset,), ending="_\u00e9").match([key], ()).found == {key: name}
    wrong = [
        (unicodedata.normalize("NFD", f"train/{stem}.png"), unicodedata.normalize("NFD", stem))
    ]
    matches = NameIndex(wrong, ()).match([("one", "val", stem)], ())
    assert matches.problems[("one", "val", stem)].problem == "wrong-phase"


def test_common_ending_of_surplus_names_is_recognized():
    keys = [("one", "val", stem) for stem in ("a", "a_1", "b")]
    assert match(["a_mask.png", "a_1_mask.png", "b_mask.png", "c.png"], keys).ending == "_mask"
    assert match(["a2.png"], keys).ending == ""
    assert match(["a.png", "a_1.png", "b.png", "a_x.png"], keys).ending == ""
