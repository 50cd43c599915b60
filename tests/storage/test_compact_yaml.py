"""The fast writer of compact YAML writes the bytes of PyYAML, or leaves the work to it."""

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sceneset.storage.compact_yaml import compact_yaml
from sceneset.storage.yaml_files import dump_yaml

TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "total",
        "city_single_train.txt",
        "yes",
        "No",
        "NULL",
        "y",
        "滑雪",
        "1e3",
        "a b",
        "-",
        "a:",
        "",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.floats(0, 1e-9) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
STATISTICS = st.dictionaries(
    NAMES,
    st.recursive(
        NUMBERS | NAMES,
        lambda inner: st.lists(NUMBERS, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=8,
    )
    | st.lists(st.dictionaries(NAMES, st.dictionaries(NAMES, NUMBERS)), max_size=3),
    max_size=5,
)


def expected(fields: dict[str, object]) -> str:
    return yaml.dump(
        fields,
        Dumper=yaml.CSafeDumper,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
        default_flow_style=None,
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(TEXTS, VALUES, max_size=3))
def test_compact_yaml_gives_the_bytes_of_pyyaml_for_any_values(fields: dict[str, object]) -> None:
    assert compact_yaml(fields) in {None, expected(fields)}
    assert dump_yaml(fields, compact=True) == expected(fields)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATISTICS)
def test_compact_yaml_gives_the_bytes_of_pyyaml_for_statistics(fields: dict[str, object]) -> None:
    assert compact_yaml(fields) in {None, expected(fields)}


def test_compact_yaml_writes_statistics_itself() -> None:
    numbers = {
        "images": 2,
        "sizes": {"distinct": 1, "smallest": [8, 9]},
        "share": {"pooled": 1e-12},
    }
    rows = [{"scene": "ski", "file": "ski_multi_train.txt", "numbers": numbers}]
    fields = {"subset": "Custom-1", "samples": {"train": 2}, "rows": rows, "more": {}, "none": []}
    text = compact_yaml(fields)
    assert text == expected(fields)
    assert "pooled: 1.0e-12" in text


@pytest.mark.parametrize(
    "value",
    [
        "yes", "off", "2024-01-01", "a: b", "a #b", "", "é", "x" * 200, None, True,
        float("nan"), float("inf"), [[1, [2]]], list(range(500)), (1, 2),
    ],
)  # fmt: skip
def test_compact_yaml_leaves_other_forms_to_pyyaml(value: object) -> None:
    assert compact_yaml({"a": {"b": {"c": value}}, "d": 1}) is None


def test_compact_yaml_leaves_repeated_objects_to_pyyaml() -> None:
    numbers = {"images": 2}
    fields = {"a": {"b": numbers}, "c": {"d": numbers}}
    assert compact_yaml(fields) is None
    assert "&id001" in dump_yaml(fields, compact=True)
