"""Which samples are related, told from tables: every way, and the nearest one of many."""

import numpy as np
import pytest

from sceneset.registry import leakage
from sceneset.registry.alike import Reach, Table, numbered

REACH = Reach(near=8, review=10, second=80)


def table(*samples: dict[str, object]) -> Table:
    """Build a table; samples differ in all that is not given."""
    random = np.random.default_rng(len(samples))
    looks = random.integers(0, 1 << 64, (len(samples), 2), dtype=np.uint64)
    pdq = random.integers(0, 1 << 64, (len(samples), 4), dtype=np.uint64)
    exact = random.integers(0, 1 << 40, (len(samples), 9), dtype=np.uint64)
    for n, sample in enumerate(samples):
        for column, name in ((looks, "looks"), (pdq, "pdq"), (exact, "exact")):
            if name in sample:
                column[n] = sample[name]

    def words(name: str, default: str) -> list[str]:
        return [str(s.get(name, default.format(n))) for n, s in enumerate(samples)]

    files = [f"{stem}.jpg" for stem in words("stem", "s{}")]
    md5, mask = (np.unique(words(n, f"{n}{{}}"), return_inverse=True)[1] for n in ("md5", "mask"))
    texts = (words("subset", "web"), words("phase", "train"), words("stem", "s{}"), files)
    return Table(*texts, words("source", ""), md5, mask, numbered(exact), looks, pdq)


def test_equal_rows_have_one_number_whatever_they_are_mixed_to() -> None:
    random = np.random.default_rng(1)
    rows = random.integers(0, 3, (500, 4), dtype=np.uint64)
    wrapped = np.array([[1 << 63, 0], [0, 0], [1 << 63, 0], [0, 1 << 63]], np.uint64)
    for some in (rows, wrapped, rows[:0]):
        found = numbered(some).tolist()
        texts = [row.tobytes() for row in some]
        assert len(set(zip(found, texts, strict=True))) == len(set(found)) == len(set(texts))


def across(*samples: dict[str, object]) -> list[tuple[str, str, str]]:
    found = leakage._across(table(*samples), REACH)
    return [(p.code, p.stem, p.message.partition("img_dir/")[2][:8]) for p in found]


def flipped(word: int, bits: int) -> int:
    return word ^ ((1 << bits) - 1) << 20


ONE = 0x0123456789ABCDEF
VAL = {"phase": "val"}


def test_same_bytes_come_before_same_pixels_before_looks() -> None:
    same = {"looks": (ONE, 5), "exact": 7}
    assert across({"md5": "x"} | same, {"md5": "x"} | same | VAL) == [
        ("leak-bytes", "s1", "train/s0")
    ]
    assert across(same, same | VAL) == [("leak-pixels", "s1", "train/s0")]
    assert across({"looks": (ONE, 5)}, {"looks": (ONE, 5)} | VAL) == [
        ("leak-near", "s1", "train/s0")
    ]


def test_the_very_file_is_found_among_many_that_look_alike() -> None:
    black = {"looks": (0, 0)}
    assert across(*[black] * 3, black | {"md5": "x"}, black | {"md5": "x"} | VAL) == [
        ("leak-bytes", "s4", "train/s3")
    ]


def test_near_up_to_eight_bits_and_review_with_a_second_opinion() -> None:
    near, wide = ({"looks": (flipped(ONE, bits), 5), "pdq": 3} | VAL for bits in (8, 9))
    assert [code for code, *_ in across({"looks": (ONE, 9), "pdq": 3}, near)] == ["leak-near"]
    assert [code for code, *_ in across({"looks": (ONE, 9), "pdq": 3}, wide)] == ["leak-review"]
    assert across({"looks": (ONE, 9)}, wide) == [], "the second opinion differs"
    beyond = {"looks": (flipped(ONE, 11), 5), "pdq": 3} | VAL
    assert across({"looks": (ONE, 9), "pdq": 3}, beyond) == []


def test_a_doubtful_pair_does_not_hide_one_that_is_agreed_on() -> None:
    doubtful = {"looks": (flipped(ONE, 9), 1)}
    agreed = {"looks": (flipped(ONE, 10), 2), "pdq": 3}
    found = across(doubtful, agreed, {"looks": (ONE, 9), "pdq": 3} | VAL)
    assert found == [("leak-review", "s2", "train/s1")]


@pytest.mark.parametrize("agreeing", [0, 1])
def test_of_equal_hashes_each_has_its_own_second_opinion(agreeing: int) -> None:
    trained = [{"looks": (flipped(ONE, 9), 1)} for _ in range(2)]
    trained[agreeing]["pdq"] = 3
    wide = {"looks": (ONE, 9), "pdq": 3} | VAL
    [problem] = leakage._across(table(*trained, wide), REACH)
    assert f"train/s{agreeing}.jpg" in problem.message
    assert "more look like it" not in problem.message
    held = [{"looks": (flipped(ONE, 9), 1)} | VAL for _ in range(2)]
    held[agreeing]["pdq"] = 3
    assert across({"looks": (ONE, 9), "pdq": 3}, *held) == [
        ("leak-review", f"s{agreeing + 1}", "train/s0")
    ]


def test_mirrored() -> None:
    wide = {"looks": (77, flipped(ONE, 9)), "pdq": 3} | VAL
    assert across({"looks": (ONE, 1), "pdq": 3}, wide) == [], "they have no second opinion"
    [problem] = leakage._across(
        table({"looks": (ONE, 1)}, {"looks": (77, flipped(ONE, 3))} | VAL), REACH
    )
    assert problem.code == "leak-near"
    assert "the mirror image of" in problem.message


def test_two_masks_of_one_picture() -> None:
    one = {"exact": 4, "mask": "m"}
    assert list(leakage._two_masks(table(one, one, {"mask": "n"}))) == []
    [problem] = leakage._two_masks(table(one, one | {"mask": "n"}))
    assert (problem.code, problem.stem) == ("mask-disagrees", "s1")


def test_copies_inside_a_phase() -> None:
    same = {"md5": "x", "looks": (ONE, 5)}
    found = leakage._within(table(same, same, {"looks": (flipped(ONE, 2), 5)}), 8)
    assert [(p.code, p.stem) for p in found] == [
        ("duplicate-bytes", "s1"),
        ("duplicate-near", "s2"),
    ]
