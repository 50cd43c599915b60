"""Which samples are related, told from tables: every way, and the nearest one of many."""

import numpy as np
import pytest

from sceneset.quality import hamming_search as near
from sceneset.quality import leakage
from sceneset.quality.similarity import Reach, Table, earlier, nearest, numbered

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
    [finding] = leakage._across(table(*trained, wide), REACH)
    assert f"train/s{agreeing}.jpg" in finding.message
    assert "more look like it" not in finding.message
    held = [{"looks": (flipped(ONE, 9), 1)} | VAL for _ in range(2)]
    held[agreeing]["pdq"] = 3
    assert across({"looks": (ONE, 9), "pdq": 3}, *held) == [
        ("leak-review", f"s{agreeing + 1}", "train/s0")
    ]


@pytest.mark.parametrize("sides", [(0, 1), (1, 0)])
def test_mirrored_whichever_is_held_out(sides: tuple[int, int]) -> None:
    """One's mirror image may be near the other, and the other's mirror image not near the one."""

    def pair(apart: int, **more: object) -> list[dict[str, object]]:
        far = int("01" * 32, 2)
        looks = [(ONE ^ far ^ (far << 1), flipped(ONE, apart)), (ONE, ONE ^ far)]
        one, other = (looks[side] for side in sides)
        return [{"looks": one} | more, {"looks": other} | more | VAL]

    assert across(*pair(9, pdq=3)) == [], "they have no second opinion"
    [finding] = leakage._across(table(*pair(3)), REACH)
    assert finding.code == "leak-near"
    assert "the mirror image of" in finding.message
    one, other = (word | {"phase": "train"} for word in pair(3))
    assert [(p.code, p.stem) for p in leakage._within(table(one, other), 8)] == [
        ("duplicate-near", "s1")
    ]


def close(word: int, random: np.random.Generator, bits: int) -> int:
    """Flip fewer than so many bits."""
    chosen = random.choice(64, int(random.integers(0, bits)), replace=False)
    return word ^ sum(1 << int(bit) for bit in chosen)


def clustered(random: np.random.Generator) -> Table:
    """Draw samples of a few looks, so that ties, copies and mirrored copies abound."""
    base = [int(word) for word in random.integers(0, 1 << 64, 4, dtype=np.uint64)]
    samples = []
    for _ in range(random.integers(1, 60)):
        look = close(base[random.integers(4)], random, 7)
        mirror = look if random.random() < 0.2 else close(base[random.integers(4)], random, 7)
        pdq = int(random.integers(0, 3)) * ((1 << 40) - 1)
        phase = "train" if random.random() < 0.6 else "val"
        samples.append({"looks": (look, mirror), "pdq": pdq, "phase": phase})
    return table(*samples)


@pytest.mark.parametrize("seed", range(30))
def test_the_nearest_is_that_of_comparing_each_with_each(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, small in (("_CHUNK", 500), ("_BLOCK", 16), ("_GIVEN", 50)):
        monkeypatch.setattr(near, name, small)
    found = clustered(np.random.default_rng(seed))
    reach = Reach(near=5, review=7, second=80)
    train = np.array([n for n, phase in enumerate(found.phase) if phase == "train"], np.int64)
    held = np.array([n for n, phase in enumerate(found.phase) if phase == "val"], np.int64)

    def apart(one: int, side: int, other: int, others: int) -> int:
        return (int(found.looks[one, side]) ^ int(found.looks[other, others])).bit_count()

    def alike(one: int, other: int, sides: tuple[int, int]) -> bool:
        bits = apart(one, sides[0], other, sides[1])
        second = int(np.bitwise_count(found.pdq[one] ^ found.pdq[other]).sum())
        return bits <= 5 or (sides == (0, 0) and bits <= 7 and second <= 80)

    expected = {}
    for one in held.tolist():
        ways = []
        for sides in ((0, 0), (1, 0), (0, 1)):
            others = [other for other in train.tolist() if alike(one, other, sides)]
            way = [(apart(one, sides[0], other, sides[1]), other) for other in others]
            ways += [(*min(way), sides != (0, 0), len(way))] if way else []
        if ways:
            expected[one] = min(ways, key=lambda way: way[:2])
    got = {
        a.one: (a.apart, a.other, a.mirrored, a.many) for a in nearest(found, held, train, reach)
    }
    assert got == expected
    for own in (train, held):
        before = {}
        for place, one in enumerate(own.tolist()):
            ways = [
                (bits, other)
                for other in own[:place].tolist()
                for sides in ((0, 0), (1, 0), (0, 1))
                if (bits := apart(one, sides[0], other, sides[1])) <= 5
            ]
            before |= {one: min(ways)} if ways else {}
        got_before = {a.one: (a.apart, a.other) for a in earlier(found, own, 5)}
        assert got_before.keys() == before.keys()
        assert {one: bits for one, (bits, _) in got_before.items()} == {
            one: bits for one, (bits, _) in before.items()
        }


def test_how_many_more_look_like_it_is_told() -> None:
    train = [{"looks": (flipped(ONE, bits), 5 << bits)} for bits in (1, 1, 2)]
    for count in (1, 2, 3):
        samples = [*train[:count], {"looks": (ONE, 9)} | VAL]
        [finding] = leakage._across(table(*samples), REACH)
        more = f"and {count - 1} more look like it"
        assert (more in finding.message) == (count > 1)


def test_two_masks_of_one_picture() -> None:
    one = {"exact": 4, "mask": "m"}
    assert list(leakage._two_masks(table(one, one, {"mask": "n"}))) == []
    [finding] = leakage._two_masks(table(one, one | {"mask": "n"}))
    assert (finding.code, finding.stem) == ("mask-disagrees", "s1")


def test_copies_inside_a_phase() -> None:
    same = {"md5": "x", "looks": (ONE, 5)}
    found = leakage._within(table(same, same, {"looks": (flipped(ONE, 2), 5)}), 8)
    assert [(p.code, p.stem) for p in found] == [
        ("duplicate-bytes", "s1"),
        ("duplicate-near", "s2"),
    ]
