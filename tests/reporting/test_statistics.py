"""Statistics against a plain computation over the pixels themselves."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sceneset import Registry
from sceneset.catalog.scan_table import write_scan
from sceneset.errors import FindingsError
from sceneset.reporting.scan_columns import COLUMNS, Measures, spreads
from sceneset.reporting.statistics import all_statistics, exact_sum, mean_of, numbers
from sceneset.schemas.stats import Colour, Numbers
from support.build import NAME

SIZES = [(7, 5), (40, 30), (5, 7), (1, 1), (40, 30), (64, 3)]


def pictures(seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images and masks of several sizes, dark and light, one without a person."""
    rng = np.random.default_rng(seed)
    made = []
    for n, (width, height) in enumerate(SIZES):
        low = 40 * n
        image = rng.integers(low, min(low + 60, 256), (height, width, 3), dtype=np.int64)
        mask = rng.choice([0, 1, 255], (height, width)) if n else np.zeros((height, width), int)
        made.append((image, mask))
    return made


def measures_of(made: list[tuple[np.ndarray, np.ndarray]]) -> Measures:
    columns: dict[str, list[int]] = {name: [] for name in COLUMNS[2:]}
    for image, mask in made:
        columns["width"].append(image.shape[1])
        columns["height"].append(image.shape[0])
        columns["person"].append((mask == 1).sum())
        columns["ignore"].append((mask == 255).sum())
        for n, channel in enumerate("rgb"):
            columns[f"sum_{channel}"].append(image[..., n].sum())
            columns[f"sq_{channel}"].append((image[..., n] ** 2).sum())
    return Measures({name: np.asarray(values, np.int64) for name, values in columns.items()})


def colours_of(made: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    flat = [image.reshape(-1, 3) / 255 for image, _ in made]
    means = np.array([one.mean(0) for one in flat])
    return {
        "pooled_mean": np.concatenate(flat).mean(0),
        "pooled_std": np.concatenate(flat).std(0),
        "image_mean": means.mean(0),
        "image_std": np.array([one.std(0) for one in flat]).mean(0),
        "std_of_image_means": means.std(0),
    }


@pytest.mark.parametrize("count", [1, 2, len(SIZES)])
def test_colours_are_those_of_the_pixels(count):
    made = pictures()[:count]
    found = numbers(measures_of(made), None)
    wanted = colours_of(made)
    assert set(wanted) == set(Colour.model_fields)
    for name, values in wanted.items():
        assert getattr(found.colour, name) == pytest.approx(values, abs=1e-9), name


def test_sizes_and_persons_are_those_of_the_pixels():
    made = pictures()
    found = numbers(measures_of(made), 3)
    shares = [(mask == 1).mean() for _, mask in made]
    masks = np.concatenate([mask.ravel() for _, mask in made])
    assert (found.images, found.boxes) == (6, 3)
    assert found.sizes.model_dump() == {
        "distinct": 5, "smallest": (1, 1), "largest": (40, 30), "commonest": (40, 30),
    }  # fmt: skip
    assert found.foreground.pooled == pytest.approx((masks == 1).mean(), abs=1e-9)
    assert found.foreground.ignored == pytest.approx((masks == 255).mean(), abs=1e-9)
    assert found.foreground.image_mean == pytest.approx(np.mean(shares), abs=1e-9)
    assert found.foreground.without_person == 1 + sum(share == 0 for share in shares[1:])


def test_of_sizes_as_common_the_smallest_area_is_named():
    made = [(np.zeros((h, w, 3), np.int64), np.zeros((h, w), int)) for w, h in [(10, 90), (20, 20)]]
    assert numbers(measures_of(made), None).sizes.commonest == (20, 20)


def test_a_group_without_images_has_no_numbers():
    assert numbers(Measures.joined([]), None) == Numbers(images=0)
    assert numbers(measures_of(pictures()).take([]), 0) == Numbers(images=0, boxes=0)


def test_order_and_grouping_change_no_digit():
    made = measures_of(pictures())
    whole = numbers(made, None)
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert numbers(made.take(rng.permutation(len(made)).tolist()), None) == whole
    parts = [made.take([n]) for n in range(len(made))]
    assert numbers(Measures.joined(parts), None) == whole


def test_sums_go_beyond_64_bits():
    column = np.full(1000, 2**62 - 1, np.int64)
    assert exact_sum(column) == 1000 * (2**62 - 1)
    assert exact_sum(np.asarray([], np.int64)) == 0


def test_a_white_set_too_large_for_64_bits_is_still_white():
    n, pixels = 2000, 80_000_000
    columns = {"width": 10_000, "height": 8_000, "person": pixels, "ignore": 0}
    columns |= {f"sum_{c}": 255 * pixels for c in "rgb"}
    columns |= {f"sq_{c}": 255**2 * pixels for c in "rgb"}
    assert n * pixels * n * columns["sq_r"] > 2**64
    found = numbers(Measures({k: np.full(n, v, np.int64) for k, v in columns.items()}), None)
    assert found.colour.pooled_mean == found.colour.image_mean == (1, 1, 1)
    assert found.colour.pooled_std == found.colour.image_std == (0, 0, 0)
    assert found.foreground.pooled == 1


def test_a_mean_is_rounded_once():
    values = [1e16, 1.0, -1e16, 1.0] * 3
    assert mean_of(values) == mean_of(sorted(values)) == 0.5


def test_columns_come_from_a_scan(added):
    from sceneset import Registry

    registry = Registry(added)
    [name] = registry.names
    measures = Measures.of(registry.scan(name, COLUMNS))
    assert len(measures) == 4
    assert measures.columns["width"].tolist() == [32] * 4
    assert measures.columns["sq_r"].dtype == np.int64
    write_scan(added / "empty", [], 1)
    from sceneset.catalog.scan_table import read_scan

    assert len(Measures.of(read_scan(added / "empty", "x"))) == 0


@pytest.mark.parametrize("side", [3000, 3316, 3317, 30_000])
def test_spreads_are_exact_in_pictures_of_any_size(side: int) -> None:
    pixels = side * side
    half = pixels // 2
    sums, squares = half * 255, half * 255 * 255  # half black, half white
    columns = [np.asarray([value], np.int64) for value in (pixels, sums, squares)]
    assert spreads(*columns).tolist() == [pixels * squares - sums * sums]


BROKEN = {
    "no pixel": {"width": 0},
    "a side below nothing": {"width": -4, "height": -3},
    "more people than pixels": {"person": 36},
    "brighter than white": {"sum_g": 35 * 255 + 1},
    "darker than black": {"sum_g": -1, "sq_g": -1},
    "squares too small": {"sum_r": 350, "sq_r": 3499},
    "squares too large": {"sum_r": 350, "sq_r": 350 * 255 + 1},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_sums_that_no_picture_has(change: dict[str, int]) -> None:
    measures = measures_of(pictures())
    assert measures.could_be()
    for name, value in change.items():
        measures.columns[name][0] = value
    assert not measures.could_be()


def test_such_a_scan_is_refused(added: Path) -> None:
    registry = Registry(added)
    path = registry.paths.scan(NAME)
    table = pq.read_table(path)
    place = table.column_names.index("sq_g")
    pq.write_table(table.set_column(place, table.schema.field("sq_g"), table["sum_g"]), path)
    with pytest.raises(FindingsError) as found:
        all_statistics(registry)
    [told] = found.value.findings
    assert (told.code, told.file) == ("scan-broken", f"registry/scans/{NAME}.parquet")
