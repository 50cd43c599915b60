"""What subsets, stems and split files may be called."""

import datetime as dt
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from sceneset.schemas.names import SplitFile, Stem, SubsetName, stem_fault


@pytest.mark.parametrize(
    ("name", "date", "note"),
    [
        pytest.param("CustomSeg_Person_20240115_ski", dt.date(2024, 1, 15), "ski", id="plain"),
        pytest.param("CustomSeg_Person_20240229_a", dt.date(2024, 2, 29), "a", id="leap day"),
        pytest.param("CustomSeg_Person_20231231_滑雪_2", dt.date(2023, 12, 31), "滑雪_2", id="CJK"),
        pytest.param("CustomSeg_Person_20240115_V1-b", dt.date(2024, 1, 15), "V1-b", id="hyphen"),
    ],
)
def test_a_subset_name_is_taken_apart(name, date, note):
    found = SubsetName(name)
    assert (found, found.date, found.note) == (name, date, note)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("CustomSeg_Person_20240231_a", "no date", id="31 February"),
        pytest.param("CustomSeg_Person_20230229_a", "no date", id="no leap year"),
        pytest.param("CustomSeg_Person_00000101_a", "no date", id="year 0"),
        pytest.param("CustomSeg_Person_2024115_a", "for example", id="seven digits"),
        pytest.param("CustomSeg_Person_２０２４０１１５_a", "for example", id="wide digits"),
        pytest.param("CustomSeg_Person_20240115_", "for example", id="no note"),
        pytest.param("CustomSeg_Person_20240115__a", "for example", id="note begins with '_'"),
        pytest.param("CustomSeg_Person_20240115_-a", "for example", id="note begins with '-'"),
        pytest.param("CustomSeg_Person_20240115", "for example", id="no second '_'"),
        pytest.param("customseg_person_20240115_a", "for example", id="small letters"),
        pytest.param("CustomSeg_Person_20240115_a/b", "for example", id="slash"),
        pytest.param("CustomSeg_Person_20240115_a\\b", "for example", id="backslash"),
        pytest.param("CustomSeg_Person_20240115_..", "for example", id="dots"),
        pytest.param("CustomSeg_Person_20240115_a b", "for example", id="space"),
        pytest.param("CustomSeg_Person_20240115_a\n", "for example", id="line break"),
        pytest.param("../CustomSeg_Person_20240115_a", "for example", id="path"),
        pytest.param("CustomSeg_Person_20240115_" + "a" * 175, "too long", id="201 bytes"),
        pytest.param("CustomSeg_Person_20240115_" + "滑" * 60, "too long", id="206 bytes"),
        pytest.param("CustomSeg_Person_20240115_\N{ANGSTROM SIGN}", "NFC", id="not NFC"),
        pytest.param("", "for example", id="empty"),
    ],
)
def test_what_is_no_subset_name_says_why(name, words):
    with pytest.raises(ValueError, match=words):
        SubsetName(name)


@pytest.mark.parametrize(
    "stem",
    ["000001", "a.b", "IMG 1", "滑雪_01", "한국", "-a", "a..b", "console", "x" * 200, "e\u0301"],
)
def test_good_stems(stem):
    assert stem_fault(stem) is None
    assert TypeAdapter(Stem).validate_python(stem) == stem


@pytest.mark.parametrize(
    ("stem", "words"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(" a", "white space", id="leading space"),
        pytest.param("a\u3000", "white space", id="trailing wide space"),
        pytest.param("a\udcff", "UTF-8", id="not UTF-8"),
        pytest.param("x" * 201, "longer", id="201 bytes"),
        pytest.param("滑" * 67, "longer", id="201 bytes of Chinese"),
        pytest.param("a/b", "slash", id="slash"),
        pytest.param("..\\a", "slash", id="backslash"),
        pytest.param(".a", "dot", id="leading dot"),
        pytest.param("..", "dot", id="two dots"),
        pytest.param("a\tb", "control", id="tab"),
        pytest.param("a\0b", "control", id="NUL"),
        pytest.param("a\u2028b", "control", id="line separator"),
        pytest.param("Con", "Windows", id="device"),
        pytest.param("nul.x", "Windows", id="device with a suffix"),
    ],
)
def test_bad_stems_say_why(stem, words):
    assert words in (stem_fault(stem) or "")
    with pytest.raises(ValidationError):
        TypeAdapter(Stem).validate_python(stem)


@pytest.mark.parametrize(
    ("file", "good"),
    [
        ("ski.txt", True),
        ("ski_muiltiperson.txt", True),
        ("滑雪.txt", True),
        ("ski", False),
        ("ski.csv", False),
        ("ski.TXT", False),
        (".txt", False),
        ("a/ski.txt", False),
        ("../ski.txt", False),
        ("ski .txt", False),
    ],
)
def test_split_file_names(file, good):
    try:
        assert TypeAdapter(SplitFile).validate_python(file) == file
        assert good
    except ValidationError:
        assert not good


def test_names_are_compared_as_they_are_written():
    composed = "CustomSeg_Person_20240115_caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    assert SubsetName(composed) == composed
    with pytest.raises(ValueError, match="CustomSeg"):
        SubsetName(unicodedata.normalize("NFD", composed))
