"""Counts agree with their nouns."""

import pytest

from sceneset.counts import counted


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, "sample"), "0 samples"),
        ((1, "sample"), "1 sample"),
        ((2, "sample"), "2 samples"),
        ((12345, "sample"), "12,345 samples"),
        ((1, "sample is", "samples are"), "1 sample is"),
        ((2, "sample is", "samples are"), "2 samples are"),
    ],
)
def test_counted_makes_the_noun_agree_with_the_number(arguments, text):
    assert counted(*arguments) == text
