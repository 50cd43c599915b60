"""Single values of YAML texts change; every other byte stays."""

import pytest

from sceneset.errors import FindingsError
from sceneset.storage.yaml_scalars import change_scalars


def renamed(path: tuple[str | int, ...], value: str) -> str | None:
    return {"滑雪": "雪", "ski": "ski: one", "old": "new"}.get(value)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (
            "a: ski # 滑雪\nb: [old,  '滑雪', \"old\"]\n",
            "a: 'ski: one' # 滑雪\nb: [new,  雪, new]\n",
        ),
        ("# 注释 ski\n- old\n-   滑雪\n", "# 注释 ski\n- new\n-   雪\n"),
        ("old: 1\nb: true\n", "old: 1\nb: true\n"),
        ("", ""),
    ],
)
def test_values_change_and_the_rest_stays(text: str, changed: str) -> None:
    assert change_scalars(text, "x.yaml", renamed) == changed


def test_a_value_knows_its_place() -> None:
    def second(path: tuple[str | int, ...], _: str) -> str | None:
        return "y" if path == ("a", "b", 1) else None

    assert change_scalars("a: {b: [x, x]}\nc: x\n", "x.yaml", second) == "a: {b: [x, y]}\nc: x\n"


def test_a_block_of_text_is_refused_rather_than_broken() -> None:
    def first(path: tuple[str | int, ...], _: str) -> str | None:
        return "new" if path == ("a",) else None

    with pytest.raises(FindingsError, match="style that sceneset can't edit"):
        change_scalars("a: |\n  old\nb: 1\n", "x.yaml", first)
