"""Statistics from scan rows are compared with a plain computation over pixels."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sceneset import Registry
from sceneset.catalog.scan_table import read_scan, write_scan
from sceneset.errors import FindingsError
from sceneset.reporting.group_statistics import exact_mean, exact_sum, group_statistics
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS, Measures, scaled_variances
from sceneset.reporting.statistics import compute_statistics
from sceneset.schemas.stats import Colour, GroupStats
from support.build import NAME

SIZES = [(7, 5), (40, 30), (5, 7), (1, 1), (40, 30), (64, 3)]


def images_and_masks(seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images and masks of several sizes and brightnesses, one without a person."""
    rng = np.random.default_rng(seed)
    samples = []
    for n, (width, height) in enumerate(SIZES):
        low = 40 * n
        image = rng.integers(low, min(low + 60, 256), (height, width, 3), dtype=np.int64)
        mask = rng.choice([0, 1, 255], (height, width)) if n else np.zeros((height, width), int)
        samples.append((image, mask))
    return samples


def measures_of(samples: list[tuple[np.ndarray, np.ndarray]]) -> Measures:
    columns: dict[str, list[int]] = {name: [] for name in STATISTICS_COLUMNS[2:]}
    for image, mask in samples:
        columns["width"].append(image.shape[1])
        columns["height"].append(image.shape[0])
        columns["person"].append((mask == 1).sum())
        columns["ignore"].append((mask == 255).sum())
        for n, channel in enumerate("rgb"):
            columns[f"sum_{channel}"].append(image[..., n].sum())
            columns[f"sq_{channel}"].append((image[..., n] ** 2).sum())
    return Measures({name: np.asarray(values, np.int64) for name, values in columns.items()})


def colours_of(samples: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    flat = [image.reshape(-1, 3) / 255 for image, _ in samples]
    means = np.array([one.mean(0) for one in flat])
    return {
        "pooled_mean": np.concatenate(flat).mean(0),
        "pooled_std": np.concatenate(flat).std(0),
        "image_mean": means.mean(0),
        "image_std": np.array([one.std(0) for one in flat]).mean(0),
        "std_of_image_means": means.std(0),
    }


@pytest.mark.parametrize("count", [1, 2, len(SIZES)])
def test_group_statistics_gives_the_colours_of_the_pixels(count):
    samples = images_and_masks()[:count]
    found = group_statistics(measures_of(samples), None)
    wanted = colours_of(samples)
    assert set(wanted) == set(Colour.model_fields)
    for name, values in wanted.items():
        assert getattr(found.colour, name) == pytest.approx(values, abs=1e-9), name


def test_group_statistics_gives_the_sizes_and_person_shares_of_the_pixels():
    samples = images_and_masks()
    found = group_statistics(measures_of(samples), 3)
    shares = [(mask == 1).mean() for _, mask in samples]
    masks = np.concatenate([mask.ravel() for _, mask in samples])
    assert (found.images, found.boxes) == (6, 3)
    assert found.sizes.model_dump() == {
        "distinct": 5, "smallest": (1, 1), "largest": (40, 30), "commonest": (40, 30),
    }  # fmt: skip
    assert found.foreground.pooled == pytest.approx((masks == 1).mean(), abs=1e-9)
    assert found.foreground.ignored == pytest.approx((masks == 255).mean(), abs=1e-9)
    assert found.foreground.image_mean == pytest.approx(np.mean(shares), abs=1e-9)
    assert found.foreground.without_person == 1 + sum(share == 0 for share in shares[1:])


def test_commonest_size_is_the_smallest_when_several_are_equally_common():
    samples = [
        (np.zeros((h, w, 3), np.int64), np.zeros((h, w), int)) for w, h in [(10, 90), (20, 20)]
    ]
    assert group_statistics(measures_of(samples), None).sizes.commonest == (20, 20)


def test_group_statistics_has_no_numbers_when_the_group_is_empty():
    assert group_statistics(Measures.concatenate([]), None) == GroupStats(images=0)
    assert group_statistics(measures_of(images_and_masks()).take([]), 0) == GroupStats(
        images=0, boxes=0
    )


def test_group_statistics_is_equal_when_samples_are_reordered_or_grouped():
    samples = measures_of(images_and_masks())
    whole = group_statistics(samples, None)
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert group_statistics(samples.take(rng.permutation(len(samples)).tolist()), None) == whole
    parts = [samples.take([n]) for n in range(len(samples))]
    assert group_statistics(Measures.concatenate(parts), None) == whole


def test_exact_sum_is_correct_when_it_exceeds_64_bits():
    column = np.full(1000, 2**62 - 1, np.int64)
    assert exact_sum(column) == 1000 * (2**62 - 1)
    assert exact_sum(np.asarray([], np.int64)) == 0


def test_group_statistics_is_exact_when_sums_exceed_64_bits():
    n, pixels = 2000, 80_000_000
    columns = {"width": 10_000, "height": 8_000, "person": pixels, "ignore": 0}
    columns |= {f"sum_{c}": 255 * pixels for c in "rgb"}
    columns |= {f"sq_{c}": 255**2 * pixels for c in "rgb"}
    assert n * pixels * n * columns["sq_r"] > 2**64
    found = group_statistics(
        Measures({k: np.full(n, v, np.int64) for k, v in columns.items()}), None
    )
    assert found.colour.pooled_mean == found.colour.image_mean == (1, 1, 1)
    assert found.colour.pooled_std == found.colour.image_std == (0, 0, 0)
    assert found.foreground.pooled == 1


def test_exact_mean_does_not_depend_on_the_order():
    values = [1e16, 1.0, -1e16, 1.0] * 3
    assert exact_mean(values) == exact_mean(sorted(values)) == 0.5


def test_measures_from_scan_has_one_entry_per_sample(added):
    registry = Registry(added)
    [name] = registry.names
    measures = Measures.from_scan(registry.scan(name, STATISTICS_COLUMNS))
    assert len(measures) == 4
    assert measures.columns["width"].tolist() == [32] * 4
    assert measures.columns["sq_r"].dtype == np.int64
    write_scan(added / "empty", [], 1)
    assert len(Measures.from_scan(read_scan(added / "empty", "x"))) == 0


@pytest.mark.parametrize("side", [3000, 3316, 3317, 30_000])
def test_scaled_variances_is_exact_for_images_of_any_size(side: int) -> None:
    pixels = side * side
    half = pixels // 2
    sums, squares = half * 255, half * 255 * 255  # half black, half white
    columns = [np.asarray([value], np.int64) for value in (pixels, sums, squares)]
    assert scaled_variances(*columns).tolist() == [pixels * squares - sums * sums]


IMPOSSIBLE = {
    "no pixels": {"width": 0},
    "negative sides": {"width": -4, "height": -3},
    "more person pixels than pixels": {"person": 36},
    "brighter than white": {"sum_g": 35 * 255 + 1},
    "darker than black": {"sum_g": -1, "sq_g": -1},
    "squares too small": {"sum_r": 350, "sq_r": 3499},
    "squares too large": {"sum_r": 350, "sq_r": 350 * 255 + 1},
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_measures_is_possible_is_false_when_no_image_can_have_the_sums(
    change: dict[str, int],
) -> None:
    measures = measures_of(images_and_masks())
    assert measures.is_possible()
    for name, value in change.items():
        measures.columns[name][0] = value
    assert not measures.is_possible()


def test_compute_statistics_fails_when_a_scan_has_impossible_sums(added: Path) -> None:
    registry = Registry(added)
    path = registry.paths.scan(NAME)
    table = pq.read_table(path)
    place = table.column_names.index("sq_g")
    pq.write_table(table.set_column(place, table.schema.field("sq_g"), table["sum_g"]), path)
    with pytest.raises(FindingsError) as found:
        compute_statistics(registry)
    [finding] = found.value.findings
    assert (finding.code, finding.file) == ("scan-broken", f"registry/scans/{NAME}.parquet")
