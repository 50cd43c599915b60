"""The text of dvc.lock is read without trust in it."""

import pytest

from sceneset.errors import FindingsError
from sceneset.storage.dvc_lock_file import LOCK, check_complete_lock, check_lock


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


_WHOLE = """\
schema: '2.0'
stages:
  a:
    cmd: touch b
    deps:
    - path: c
      hash: md5
      md5: d41d8cd98f00b204e9800998ecf8427e
      size: 0
    params:
      params.yaml:
        x: 1
    outs:
    - path: b
      size: 0
"""


@pytest.mark.parametrize(
    "end",
    ["", "schema:", " '2.0'\nstages:", "  a:", " touch b\n    deps:", "size:", "params:", "l:"],
)
def test_a_lock_of_which_a_killed_dvc_wrote_a_part_is_broken(end: str) -> None:
    check_complete_lock(_WHOLE)
    with pytest.raises(FindingsError):
        check_complete_lock(_WHOLE[: _WHOLE.index(end) + len(end)])
