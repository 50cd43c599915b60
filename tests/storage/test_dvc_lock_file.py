"""The text of dvc.lock is read without trust in it."""

import pytest

from sceneset.errors import FindingsError
from sceneset.storage.dvc_lock_file import LOCK, check_lock


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_lock_that_is_nested_deeply_is_reported_and_does_not_end_the_process(
    opening: str,
) -> None:
    with pytest.raises(FindingsError) as refused:
        check_lock(opening * 200_000)
    [finding] = refused.value.findings
    assert (finding.code, finding.file) == ("yaml-broken", LOCK)


@pytest.mark.parametrize("text", ["", "schema: '2.0'\n", "schema: '2.0'\nstages: {}\n"])
def test_a_lock_without_stages_is_accepted(text: str) -> None:
    check_lock(text)
