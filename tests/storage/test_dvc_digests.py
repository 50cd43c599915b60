"""The .dvc files of folders are read and changed, and refused if they are something else."""

import pytest

from sceneset.errors import FindingsError
from sceneset.storage.dvc_digests import Digest, dvc_file_with_digest, parse_dvc_file

_TEXT = "outs:\n- md5: {0}.dir\n  size: 3\n  nfiles: 1\n  hash: md5\n  path: img_dir\n"
SHOWN = "Insta360SemanticSeg/web/img_dir.dvc"


def test_dvc_file_with_another_digest_keeps_its_other_fields() -> None:
    new = Digest("b" * 32 + ".dir", 2, 7)
    text = dvc_file_with_digest(_TEXT.format("a" * 32) + "desc: 滑雪\n", new, SHOWN)
    assert parse_dvc_file(text, SHOWN) == new
    assert "path: img_dir\n" in text
    assert "desc: 滑雪\n" in text


@pytest.mark.parametrize(
    "text",
    [
        *("", "null\n", "outs:\n", "outs: []\n", "outs: 1\n", "- outs\n", "outs:\n- path: a\n"),
        *(_TEXT.format("a" * 32).replace(".dir", ""), _TEXT.format("a")[:9]),
    ],
)
def test_text_that_is_no_dvc_file_of_one_folder_is_a_finding(text: str) -> None:
    for call in (
        lambda: parse_dvc_file(text, SHOWN, "web"),
        lambda: dvc_file_with_digest(text, Digest("b.dir", 1, 1), SHOWN, subset="web"),
    ):
        with pytest.raises(FindingsError) as caught:
            call()
        [found] = caught.value.findings
        assert (found.code, found.file, found.subset) == ("file-unreadable", SHOWN, "web")
