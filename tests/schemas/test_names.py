"""Validation of the names of subsets, samples and split files."""

import datetime as dt
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from sceneset.schemas.names import SplitFile, Stem, SubsetName, invalid_stem_reason


@pytest.mark.parametrize(
    ("name", "date", "note"),
    [
        pytest.param("CustomSeg_Person_20240115_ski", dt.date(2024, 1, 15), "ski", id="plain"),
        pytest.param("CustomSeg_Person_20240229_a", dt.date(2024, 2, 29), "a", id="leap day"),
        pytest.param("CustomSeg_Person_20231231_滑雪_2", dt.date(2023, 12, 31), "滑雪_2", id="CJK"),
        pytest.param("CustomSeg_Person_20240115_V1-b", dt.date(2024, 1, 15), "V1-b", id="hyphen"),
    ],
)
def test_subset_name_gives_date_and_note(name, date, note):
    parsed = SubsetName(name)
    assert (parsed, parsed.date, parsed.note) == (name, date, note)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("CustomSeg_Person_20240231_a", "not a valid date", id="31 February"),
        pytest.param("CustomSeg_Person_20230229_a", "not a valid date", id="not a leap year"),
        pytest.param("CustomSeg_Person_00000101_a", "not a valid date", id="year 0"),
        pytest.param("CustomSeg_Person_2024115_a", "for example", id="seven digits"),
        pytest.param("CustomSeg_Person_２０２４０１１５_a", "for example", id="full-width digits"),
        pytest.param("CustomSeg_Person_20240115_", "for example", id="no note"),
        pytest.param("CustomSeg_Person_20240115__a", "for example", id="note starts with '_'"),
        pytest.param("CustomSeg_Person_20240115_-a", "for example", id="note starts with '-'"),
        pytest.param("CustomSeg_Person_20240115", "for example", id="no second '_'"),
        pytest.param("customseg_person_20240115_a", "for example", id="lower case"),
        pytest.param("CustomSeg_Person_20240115_a/b", "for example", id="slash"),
        pytest.param("CustomSeg_Person_20240115_a\\b", "for example", id="backslash"),
        pytest.param("CustomSeg_Person_20240115_..", "for example", id="dots"),
        pytest.param("CustomSeg_Person_20240115_a b", "for example", id="space"),
        pytest.param("CustomSeg_Person_20240115_a\n", "for example", id="line break"),
        pytest.param("../CustomSeg_Person_20240115_a", "for example", id="path"),
        pytest.param("CustomSeg_Person_20240115_" + "a" * 175, "longer than 200", id="201 bytes"),
        pytest.param("CustomSeg_Person_20240115_" + "滑" * 60, "longer than 200", id="206 bytes"),
        pytest.param("CustomSeg_Person_20240115_\N{ANGSTROM SIGN}", "NFC", id="not NFC"),
        pytest.param("", "for example", id="empty"),
    ],
)
def test_subset_name_raises_an_explanation_when_the_text_is_invalid(name, message):
    with pytest.raises(ValueError, match=message):
        SubsetName(name)


@pytest.mark.parametrize(
    "stem",
    ["000001", "a.b", "IMG 1", "滑雪_01", "한국", "-a", "a..b", "console", "x" * 200, "e\u0301"],
)
def test_stem_is_valid_when_every_system_can_store_it(stem):
    assert invalid_stem_reason(stem) is None
    assert TypeAdapter(Stem).validate_python(stem) == stem


@pytest.mark.parametrize(
    ("stem", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(" a", "white space", id="leading space"),
        pytest.param("a\u3000", "white space", id="trailing full-width space"),
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
        pytest.param("a\u202egpj", "direction", id="right-to-left override"),
        pytest.param("\u200ea", "direction", id="left-to-right mark"),
        pytest.param("a\u2066b", "direction", id="isolate"),
        pytest.param("Con", "Windows", id="device"),
        pytest.param("nul.x", "Windows", id="device with a suffix"),
    ],
)
def test_stem_is_rejected_with_a_reason_when_it_is_unsafe(stem, reason):
    assert reason in (invalid_stem_reason(stem) or "")
    with pytest.raises(ValidationError):
        TypeAdapter(Stem).validate_python(stem)


@pytest.mark.parametrize("file", ["ski.txt", "ski_muiltiperson.txt", "滑雪.txt"])
def test_split_file_name_is_accepted_when_it_is_a_plain_txt_name(file):
    assert TypeAdapter(SplitFile).validate_python(file) == file


@pytest.mark.parametrize(
    "file",
    ["ski", "ski.csv", "ski.TXT", ".txt", "a/ski.txt", "../ski.txt", "ski .txt"],
)
def test_split_file_name_is_rejected_when_it_is_not_a_plain_txt_name(file):
    with pytest.raises(ValidationError):
        TypeAdapter(SplitFile).validate_python(file)


def test_subset_name_is_rejected_when_it_is_not_in_normal_form_nfc():
    composed = "CustomSeg_Person_20240115_caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    assert SubsetName(composed) == composed
    with pytest.raises(ValueError, match="CustomSeg"):
        SubsetName(unicodedata.normalize("NFD", composed))
