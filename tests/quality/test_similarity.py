"""Relations between samples, found in tables: each kind of relation, and the nearest match."""

from collections.abc import Iterator

import numpy as np
import pytest

from sceneset.quality import hamming_search
from sceneset.quality.leakage import (
    duplicate_findings,
    held_out_findings,
    mask_findings,
    source_findings,
)
from sceneset.quality.originals import originals_of_crops
from sceneset.quality.sample_table import SampleTable, row_ids
from sceneset.quality.similarity import Thresholds, earlier_matches, nearest_matches

THRESHOLDS = Thresholds(near=8, review=10, pdq=80)
HASH = 0x0123456789ABCDEF
VAL = {"phase": "val"}


def table(*samples: dict[str, object]) -> SampleTable:
    """Build a table; samples differ in every column that is not given."""
    random = np.random.default_rng(len(samples))
    hashes = random.integers(0, 1 << 64, (len(samples), 2), dtype=np.uint64)
    pdq = random.integers(0, 1 << 64, (len(samples), 4), dtype=np.uint64)
    exact = random.integers(0, 1 << 40, (len(samples), 9), dtype=np.uint64)
    turned = random.integers(0, 1 << 64, (len(samples), 6), dtype=np.uint64)
    columns = {"hashes": hashes, "pdq": pdq, "exact": exact, "turned": turned}
    for n, sample in enumerate(samples):
        for name, column in columns.items():
            if name in sample:
                column[n] = sample[name]

    def texts(name: str, default: str) -> list[str]:
        return [str(s.get(name, default.format(n))) for n, s in enumerate(samples)]

    files = [f"{stem}.jpg" for stem in texts("stem", "s{}")]
    image_id, mask_id = (
        np.unique(texts(name, f"{name}{{}}"), return_inverse=True)[1] for name in ("md5", "mask")
    )
    phases = texts("phase", "train")
    turned_rows = np.array(
        [n for n, phase in enumerate(phases) if phase != "train" and "turned" in samples[n]],
        np.int64,
    )
    return SampleTable(
        *(texts("subset", "web"), phases, texts("stem", "s{}"), files),
        texts("source", ""),
        *(image_id, mask_id, row_ids(exact)),
        np.array([sample.get("orientation", 1) for sample in samples], np.int64),
        *(hashes, pdq, turned_rows, turned[turned_rows]),
        np.array([n for n, sample in enumerate(samples) if "crop" in sample], np.int64),
    )


def flipped(word: int, bits: int) -> int:
    """Return ``word`` with so many bits flipped."""
    return word ^ ((1 << bits) - 1) << 20


def held_out(*samples: dict[str, object]) -> list[tuple[str, str, str]]:
    """Return (code, stem, matching training image) of the findings on held-out samples."""
    findings = held_out_findings(table(*samples), THRESHOLDS)
    return [(p.code, p.stem, p.message.partition("img_dir/")[2][:8]) for p in findings]


def test_row_ids_are_equal_only_when_rows_are_equal() -> None:
    random = np.random.default_rng(1)
    rows = random.integers(0, 3, (500, 4), dtype=np.uint64)
    colliding = np.array([[1 << 63, 0], [0, 0], [1 << 63, 0], [0, 1 << 63]], np.uint64)
    for some in (rows, colliding, rows[:0]):
        ids = row_ids(some).tolist()
        contents = [row.tobytes() for row in some]
        assert len(set(zip(ids, contents, strict=True))) == len(set(ids)) == len(set(contents))


def test_held_out_image_is_reported_once_by_its_closest_relation() -> None:
    same = {"hashes": (HASH, 5), "exact": 7}
    assert held_out({"md5": "x"} | same, {"md5": "x"} | same | VAL) == [
        ("leak-bytes", "s1", "train/s0")
    ]
    assert held_out(same, same | VAL) == [("leak-pixels", "s1", "train/s0")]
    assert held_out({"hashes": (HASH, 5)}, {"hashes": (HASH, 5)} | VAL) == [
        ("leak-near", "s1", "train/s0")
    ]


def test_held_out_image_is_matched_to_the_identical_file_when_many_look_alike() -> None:
    black = {"hashes": (0, 0)}
    assert held_out(*[black] * 3, black | {"md5": "x"}, black | {"md5": "x"} | VAL) == [
        ("leak-bytes", "s4", "train/s3")
    ]


def test_held_out_image_is_near_up_to_8_bits_and_to_review_when_pdq_agrees() -> None:
    near, wide = ({"hashes": (flipped(HASH, bits), 5), "pdq": 3} | VAL for bits in (8, 9))
    assert [code for code, *_ in held_out({"hashes": (HASH, 9), "pdq": 3}, near)] == ["leak-near"]
    assert [code for code, *_ in held_out({"hashes": (HASH, 9), "pdq": 3}, wide)] == ["leak-review"]
    assert held_out({"hashes": (HASH, 9)}, wide) == [], "the PDQ hashes differ"
    beyond = {"hashes": (flipped(HASH, 11), 5), "pdq": 3} | VAL
    assert held_out({"hashes": (HASH, 9), "pdq": 3}, beyond) == []


def test_nearer_pair_does_not_hide_a_match_when_its_pdq_disagrees() -> None:
    disagreeing = {"hashes": (flipped(HASH, 9), 1)}
    agreeing = {"hashes": (flipped(HASH, 10), 2), "pdq": 3}
    found = held_out(disagreeing, agreeing, {"hashes": (HASH, 9), "pdq": 3} | VAL)
    assert found == [("leak-review", "s2", "train/s1")]


@pytest.mark.parametrize("agreeing", [0, 1])
def test_pdq_is_compared_for_each_image_when_perceptual_hashes_are_equal(agreeing: int) -> None:
    train = [{"hashes": (flipped(HASH, 9), 1)} for _ in range(2)]
    train[agreeing]["pdq"] = 3
    wide = {"hashes": (HASH, 9), "pdq": 3} | VAL
    [finding] = held_out_findings(table(*train, wide), THRESHOLDS)
    assert f"train/s{agreeing}.jpg" in finding.message
    assert "more training image" not in finding.message
    val = [{"hashes": (flipped(HASH, 9), 1)} | VAL for _ in range(2)]
    val[agreeing]["pdq"] = 3
    assert held_out({"hashes": (HASH, 9), "pdq": 3}, *val) == [
        ("leak-review", f"s{agreeing + 1}", "train/s0")
    ]


@pytest.mark.parametrize("sides", [(0, 1), (1, 0)])
def test_mirrored_copy_is_found_whichever_of_the_two_is_held_out(sides: tuple[int, int]) -> None:
    """mirror(a) may be near b although mirror(b) is not near a."""

    def pair(distance: int, **more: object) -> list[dict[str, object]]:
        far = int("01" * 32, 2)
        hashes = [(HASH ^ far ^ (far << 1), flipped(HASH, distance)), (HASH, HASH ^ far)]
        one, other = (hashes[side] for side in sides)
        return [{"hashes": one} | more, {"hashes": other} | more | VAL]

    assert held_out(*pair(9, pdq=3)) == [], "mirrored pairs are not reviewed: they have no PDQ"
    [finding] = held_out_findings(table(*pair(3)), THRESHOLDS)
    assert finding.code == "leak-near"
    assert "the mirror image of" in finding.message
    one, other = (sample | {"phase": "train"} for sample in pair(3))
    assert [(p.code, p.stem) for p in duplicate_findings(table(one, other), 8)] == [
        ("duplicate-near", "s1")
    ]


def close_to(word: int, random: np.random.Generator, bits: int) -> int:
    """Return ``word`` with fewer than ``bits`` bits flipped."""
    chosen = random.choice(64, int(random.integers(0, bits)), replace=False)
    return word ^ sum(1 << int(bit) for bit in chosen)


def clustered(random: np.random.Generator) -> SampleTable:
    """Return samples around few hashes, with many ties, copies and mirrored copies."""
    base = [int(word) for word in random.integers(0, 1 << 64, 4, dtype=np.uint64)]
    samples = []
    for _ in range(random.integers(1, 60)):
        phash = close_to(base[random.integers(4)], random, 7)
        is_symmetric = random.random() < 0.2
        mirror = phash if is_symmetric else close_to(base[random.integers(4)], random, 7)
        pdq = int(random.integers(0, 3)) * ((1 << 40) - 1)
        phase = "train" if random.random() < 0.6 else "val"
        turned = tuple(close_to(base[random.integers(4)], random, 7) for _ in range(6))
        sample = {"hashes": (phash, mirror), "pdq": pdq, "phase": phase}
        samples.append(sample | ({"turned": turned} if random.random() < 0.8 else {}))
    return table(*samples)


class BruteForce:
    """Finds matches by comparing every pair."""

    SIDES = ((0, 0), (1, 0), (0, 1))

    def __init__(self, samples: SampleTable) -> None:
        self.samples = samples

    def distance(self, row: int, other: int, sides: tuple[int, int]) -> int:
        hashes = self.samples.hashes
        return (int(hashes[row, sides[0]]) ^ int(hashes[other, sides[1]])).bit_count()

    def is_match(self, row: int, other: int, sides: tuple[int, int], limits: Thresholds) -> bool:
        distance, pdq = self.distance(row, other, sides), self.samples.pdq
        pdq_distance = int(np.bitwise_count(pdq[row] ^ pdq[other]).sum())
        to_review = distance <= limits.review and pdq_distance <= limits.pdq
        return distance <= limits.near or (sides == (0, 0) and to_review)

    def nearest(
        self, rows: list[int], others: list[int], limits: Thresholds
    ) -> dict[int, tuple[int, int, int, int]]:
        """Return (distance, other, turn, number of matches) of each row with a match."""
        best = {}
        for row in rows:
            plain, mirrored, other_mirrored = (
                {
                    other: self.distance(row, other, sides)
                    for other in others
                    if self.is_match(row, other, sides, limits)
                }
                for sides in self.SIDES
            )
            turned = self.turned(row, others, limits.near)
            found = [
                (distance, other, turn, len(matches))
                for turn, matches in ((1, plain), (2, mirrored), *turned, (2, other_mirrored))
                for other, distance in matches.items()
            ]
            if found:
                best[row] = min(found, key=lambda match: match[:2])
        return best

    def turned(
        self, row: int, others: list[int], near: int
    ) -> Iterator[tuple[int, dict[int, int]]]:
        """Yield each orientation from 3 on, and the others near to the row turned in that way."""
        [places] = np.nonzero(self.samples.turned_rows == row)
        for place in places:
            for number, word in enumerate(self.samples.turned[place].tolist()):
                distances = {
                    other: (word ^ int(self.samples.hashes[other, 0])).bit_count()
                    for other in others
                }
                yield number + 3, {o: bits for o, bits in distances.items() if bits <= near}

    def earlier(self, rows: list[int], near: int) -> dict[int, int]:
        """Return the distance of the nearest earlier match of each row that has one."""
        best = {}
        for place, row in enumerate(rows):
            distances = [
                self.distance(row, other, sides) for other in rows[:place] for sides in self.SIDES
            ]
            if distances and min(distances) <= near:
                best[row] = min(distances)
        return best


@pytest.mark.parametrize("seed", range(30))
def test_matches_equal_those_of_comparing_every_pair(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, small in (("_CHUNK", 500), ("_BLOCK", 16), ("_BATCH", 50)):
        monkeypatch.setattr(hamming_search, name, small)
    samples = clustered(np.random.default_rng(seed))
    expected = BruteForce(samples)
    limits = Thresholds(near=5, review=7, pdq=80)
    train, val = (
        np.array([n for n, phase in enumerate(samples.phase) if phase == wanted], np.int64)
        for wanted in ("train", "val")
    )
    found = {
        m.row: (m.distance, m.other, m.turn, m.total)
        for m in nearest_matches(samples, val, train, limits)
    }
    assert found == expected.nearest(val.tolist(), train.tolist(), limits)
    for rows in (train, val):
        earlier = {m.row: m.distance for m in earlier_matches(samples, rows, 5)}
        assert earlier == expected.earlier(rows.tolist(), 5)


def turned_to(turn: int, distance: int = 0) -> dict[str, object]:
    """Return a held-out sample that shows HASH if it is turned as an EXIF orientation says."""
    turned = [0x5555_0000_FFFF_AAAA + (number << 40) for number in range(6)]
    turned[turn - 3] = flipped(HASH, distance)
    return {"hashes": (0xAAAA_5555_0F0F_3C3C, 0x3C3C_0F0F_5555_AAAA), "turned": turned} | VAL


TRAIN = {"hashes": (HASH, 0xF0F0_F0F0_1234_4321)}


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (3, "train/s0.jpg, turned by 180 degrees (4 of"),
        (4, "train/s0.jpg, flipped upside down (4 of"),
        (5, "train/s0.jpg, mirrored and turned by 90 degrees counterclockwise (4 of"),
        # If turning it clockwise shows the training image, it was turned the other way.
        (6, "train/s0.jpg, turned by 90 degrees counterclockwise (4 of"),
        (7, "train/s0.jpg, mirrored and turned by 90 degrees clockwise (4 of"),
        (8, "train/s0.jpg, turned by 90 degrees clockwise (4 of"),
    ],
)
def test_turned_copy_is_found_and_the_message_says_how_it_is_turned(turn: int, words: str) -> None:
    [finding] = held_out_findings(table(TRAIN, turned_to(turn, 4)), THRESHOLDS)
    assert finding.code == "leak-near"
    assert words in finding.message
    assert held_out(TRAIN, turned_to(turn, 9)) == [], "turned pairs are not reviewed"


def test_message_compares_images_as_shown_when_they_have_exif_orientations() -> None:
    def message(turn: int, held: int, train: int) -> str:
        held_out_sample = turned_to(turn) | {"orientation": held}
        samples = table(TRAIN | {"orientation": train}, held_out_sample)
        [finding] = held_out_findings(samples, THRESHOLDS)
        return finding.message.partition("train/s0.jpg")[2]

    same = ", as their EXIF orientations show them (0 of 64 bits differ)"
    # Stored turned with a tag, and stored upright: viewers show the same.
    assert message(6, 6, 1) == same
    assert message(8, 1, 6) == same
    assert message(3, 3, 1) == message(3, 8, 6) == same
    assert message(3, 6, 6) == ", turned by 180 degrees (0 of 64 bits differ)"
    plain = {"hashes": (HASH, 5), "orientation": 6}
    [finding] = held_out_findings(table(plain, plain | {"orientation": 1} | VAL), THRESHOLDS)
    assert "s0.jpg, if their EXIF orientations are ignored (0 of" in finding.message
    [finding] = held_out_findings(table(plain, plain | VAL), THRESHOLDS)
    assert finding.message.endswith("train/s0.jpg (0 of 64 bits differ)")


def test_turned_copy_is_not_searched_when_its_scan_has_no_turned_hashes() -> None:
    sample = turned_to(6)
    del sample["turned"]
    assert held_out(TRAIN, sample) == []


@pytest.mark.parametrize(
    ("matches", "more"),
    [(1, ""), (2, "and like 1 more training image"), (3, "and like 2 more training images")],
)
def test_message_counts_the_other_training_images_that_match(matches: int, more: str) -> None:
    train = [{"hashes": (flipped(HASH, bits), 5 << bits)} for bits in (1, 1, 2)]
    samples = [*train[:matches], {"hashes": (HASH, 9)} | VAL]
    [finding] = held_out_findings(table(*samples), THRESHOLDS)
    assert finding.message.endswith(more)
    assert ("more training image" in finding.message) == (matches > 1)


def test_image_is_reported_when_it_has_two_different_masks() -> None:
    one = {"exact": 4, "mask": "m"}
    assert list(mask_findings(table(one, one, {"mask": "n"}))) == []
    [finding] = mask_findings(table(one, one | {"mask": "n"}))
    assert (finding.code, finding.stem) == ("mask-disagrees", "s1")


def test_masks_are_not_compared_when_the_images_are_stored_in_different_orientations() -> None:
    one = {"exact": 4, "mask": "m", "orientation": 1}
    turned = {"exact": 4, "mask": "n", "orientation": 6}
    assert list(mask_findings(table(one, turned))) == []
    [finding] = mask_findings(table(one, turned, turned | {"mask": "o"}))
    assert (finding.stem, "s1.jpg" in finding.message) == ("s2", True)


def test_source_is_compared_as_names_of_scenes_are() -> None:
    samples = [{"source": "Clip 7"}, {"source": "clip-7"} | VAL, {"source": "clip 8"} | VAL]
    [finding] = source_findings(table(*samples), {})
    assert (finding.code, finding.stem) == ("leak-source", "s1")
    assert "has the source 'clip-7'" in finding.message
    assert "spelled 'Clip 7', does" in finding.message


@pytest.mark.parametrize(
    ("crop", "original", "expected"),
    [
        ({"source": "web/s1"} | VAL, {}, ("s0", "has the source 'web/s1', which is the training")),
        ({"source": "web/s1"}, VAL, ("s1", "is the original of the training image")),
        ({"source": "s1"} | VAL, {"source": "c"}, ("s0", "has the source 's1', which is the")),
        ({"source": "web/train/s1"}, {}, None),
        ({"source": "other/s1"} | VAL, {}, None),
    ],
    ids=["crop held out", "original held out", "original has a clip", "one phase", "other subset"],
)
def test_crop_and_its_original_must_be_in_one_phase(
    crop: dict[str, object], original: dict[str, object], expected: tuple[str, str] | None
) -> None:
    samples = table({"crop": True} | crop, original)
    found = list(source_findings(samples, originals_of_crops(samples)))
    assert [p.code for p in found] == ["leak-source"] * (expected is not None)
    if expected:
        assert found[0].stem == expected[0]
        assert found[0].message.startswith(expected[1])


def test_crop_and_another_frame_of_the_clip_must_be_in_one_phase() -> None:
    crop = {"crop": True, "source": "web/s1"} | VAL
    samples = table(crop, {"source": "clip"} | VAL, {"source": "clip"})
    found = list(source_findings(samples, originals_of_crops(samples)))
    assert [p.stem for p in found] == ["s0", "s1"]


def test_duplicates_within_a_phase_are_reported_for_the_later_image() -> None:
    same = {"md5": "x", "hashes": (HASH, 5)}
    found = duplicate_findings(table(same, same, {"hashes": (flipped(HASH, 2), 5)}), 8)
    assert [(p.code, p.stem) for p in found] == [
        ("duplicate-bytes", "s1"),
        ("duplicate-near", "s2"),
    ]


def test_duplicate_is_reported_when_only_its_exif_orientation_differs() -> None:
    same = {"exact": 7}
    [finding] = duplicate_findings(table(same, same | {"orientation": 6}), 8)
    assert (finding.code, finding.stem) == ("duplicate-near", "s1")
    assert "has the same pixels as" in finding.message
