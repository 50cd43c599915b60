"""What a model sees without a mask counts most; what it is blind to does not count."""

from typing import Any

import numpy as np
import pytest

from sceneset.errors import UsageError
from sceneset.models.network import OutputError
from sceneset.suggestions.disagreement import Disagreement, disagreement
from sceneset.suggestions.person_map import Output, person_map

Array = np.ndarray[Any, Any]


def picture(*boxes: tuple[int, int, int, int], value: int = 1, size: int = 100) -> Array:
    """Return a mask with boxes: left, top, right, bottom."""
    mask = np.zeros((size, size), np.uint8)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = value
    return mask


def compare(mask: Array, seen: Array) -> Disagreement:
    return disagreement(mask, np.asarray(seen == 1, np.float32))


PERSON = (20, 20, 60, 80)
FRIEND = (70, 20, 95, 80)


def test_disagreement_is_zero_when_mask_and_model_agree():
    found = compare(picture(PERSON), picture(PERSON))
    assert found == Disagreement(0, 1, 0.24, 0.24, 0, 0, 0, (0, 0, 0, 0), 1)
    assert (found.hint, found.is_blind) == ("", False)


def test_disagreement_finds_a_person_without_mask():
    found = compare(picture(PERSON), picture(PERSON, FRIEND))
    assert (found.unmarked, found.part, found.unseen) == (0.15, 0.15, 0)
    assert found.box == (0.7, 0.2, 0.95, 0.8)
    assert found.score == round(0.15 / (0.39 + 0.02), 4)
    assert found.hint == "person without mask"


def test_disagreement_is_largest_when_the_mask_is_empty():
    empty = compare(picture(), picture(PERSON))
    half = compare(picture((20, 20, 40, 80)), picture(PERSON))
    moved = compare(picture((32, 20, 72, 80)), picture(PERSON))
    assert empty.hint == "empty mask"
    assert empty.score > half.score > moved.score > 0.3


def test_disagreement_gives_no_hint_when_the_model_is_blind():
    blind = compare(picture(PERSON), picture())
    assert (blind.score, blind.hint, blind.unseen, blind.is_blind) == (0, "", 0.24, True)


def test_unseen_pixels_count_as_far_as_the_model_finds_the_mask():
    """A horse in the mask of its rider counts; a crowd of which one person is seen hardly."""
    horse = compare(picture((20, 20, 60, 100)), picture(PERSON))
    crowd = compare(
        picture(*((x, 0, x + 10, 100) for x in range(0, 100, 15))), picture((0, 0, 10, 50))
    )
    assert horse.hint == "mask without person"
    assert horse.score == pytest.approx(0.75 * 0.08 / 0.34, abs=1e-4)
    assert crowd.unseen == 0.65
    assert crowd.score < 0.1


def test_thin_differences_and_undecided_cells_do_not_count():
    assert compare(picture((19, 19, 61, 81)), picture(PERSON)).score == 0
    undecided = np.where(picture(FRIEND) == 1, 0.6, 0).astype(np.float32)
    assert disagreement(picture(), undecided).score == 0


def test_a_speck_has_a_low_score():
    assert compare(picture(), picture((50, 50, 56, 56))).score < 0.2


def test_ignored_pixels_count_neither_way():
    mask = picture(PERSON)
    mask[picture(FRIEND) == 1] = 255
    found = compare(mask, picture(PERSON, FRIEND))
    assert (found.score, found.iou, found.unmarked) == (0, 1, 0)
    everything = compare(picture((0, 0, 100, 100), value=255), picture(PERSON))
    assert (everything.score, everything.iou) == (0, 1)


def test_disagreement_does_not_depend_on_the_size_of_the_mask():
    seen = picture(PERSON, size=100)
    large = np.kron(picture((20, 20, 40, 80)), np.ones((7, 7), np.uint8))
    assert compare(large, seen) == compare(picture((20, 20, 40, 80)), seen)


def test_person_map_reads_the_first_map_in_every_layout():
    values = np.linspace(0, 1, 120, dtype=np.float32).reshape(10, 12)
    for shape in ((1, 1, 10, 12), (1, 10, 12, 1), (10, 12), (1, 10, 12)):
        found = person_map({"n": np.zeros(4, np.float32), "p": values.reshape(shape)}, Output())
        assert (found == values).all()


def test_person_map_takes_the_class_of_persons():
    logits = np.zeros((1, 3, 10, 12), np.float32)
    logits[0, 2, :5] = 9
    found = person_map({"p": logits}, Output.parse("class=2"))
    assert (found[:5] > 0.99).all()
    assert (found[5:] < 0.4).all()
    last = person_map(
        {"p": np.moveaxis(logits, 1, -1)}, Output.parse("class=2"), channels_last=True
    )
    assert (last == found).all()
    shares = np.full((1, 2, 10, 12), 0.5, np.float32)
    assert (person_map({"p": shares}, Output.parse("class=1")) == 0.5).all()


def test_person_map_takes_logits():
    values = np.full((1, 1, 8, 8), -1000, np.float32)
    assert (person_map({"p": values}, Output.parse("logit")) < 1e-6).all()


@pytest.mark.parametrize(
    ("shape", "value", "output", "reason"),
    [
        ((1, 1, 8, 8), 3.4e38, "probability", "has values from .* if they are logits"),
        ((1, 2, 8, 8), 0.5, "probability", "has 2 channels; say which one is person"),
        ((1, 2, 8, 8), 0.5, "class=2", "has no class 2"),
        ((1, 1000), 0.5, "class=2", "no output with a map of the picture, only 'p' with 1 x 1000"),
        ((), 0.5, "logit", "only 'p' with one value"),
    ],
)
def test_person_map_refuses_what_is_no_map_of_persons(shape, value, output, reason):
    with pytest.raises(OutputError, match=reason):
        person_map({"p": np.full(shape, value, np.float32)}, Output.parse(output))


@pytest.mark.parametrize("text", ["", "class", "class=", "class=-1", "class=99999", "softmax"])
def test_output_refuses_other_words(text):
    with pytest.raises(UsageError, match="is no output"):
        Output.parse(text)
