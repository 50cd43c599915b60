"""Records in CSV files: written in order, read back strictly, each error with its line."""

import pytest

from sceneset.errors import FindingsError
from sceneset.schemas.crop import CropRow
from sceneset.schemas.dropped import DroppedRow
from sceneset.schemas.finding import Finding
from sceneset.schemas.lineage import LineageRow
from sceneset.storage.csv_models import models_text, read_merged_models, read_models

SUBSET = "CustomSeg_Person_20240118_a"
DROPPED = DroppedRow(subset=SUBSET, sample="train/p", image_md5="a" * 32, reason='"blurred", 模糊')
CROP = CropRow(
    phase="train",
    stem="滑雪,1",
    image_md5="a" * 32,
    original="web",
    original_md5="b" * 32,
    frame=(0, 1, 20, 30),
    box=(0.5, 1, 19.25, 30),
    grow=0.1,
    boxes="boxes.json",
)


def findings_of(text: str, model=CropRow) -> list[Finding]:
    with pytest.raises(FindingsError) as caught:
        list(read_models(text, model, "x.csv", hint="restore it", subset=SUBSET))
    return caught.value.findings


def test_models_are_read_back_as_they_were_written() -> None:
    text = models_text(CropRow, [CROP, CROP])
    assert text.splitlines()[0] == ",".join(CropRow.model_fields)
    assert "\r" not in text
    assert list(read_models(f"\ufeff{text}\n", CropRow, "x.csv", hint="")) == [CROP, CROP]


@pytest.mark.parametrize("text", ["", "stem,phase\n", models_text(CropRow, []).upper()])
def test_other_columns_are_refused_on_the_first_line(text: str) -> None:
    [found] = findings_of(text)
    assert (found.code, found.row, found.hint) == ("csv-broken", 1, "restore it")
    assert found.message.startswith("the first line is not phase,stem,image_md5,")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train,p", "2 values for 12 columns"),
        ("<<<<<<< HEAD", "1 values for 12 columns"),
        ('"a', "end of data"),
    ],
)
def test_a_row_that_is_no_record_is_refused_with_its_line(line: str, message: str) -> None:
    [found] = findings_of(models_text(CropRow, [CROP]) + line)
    assert (found.code, found.row, found.subset) == ("csv-broken", 3, SUBSET)
    assert message in found.message


def test_errors_of_all_batches_are_counted() -> None:
    mask = "0" * 32
    good = f"train,p,{'a' * 32},{mask},train,p,{'b' * 32},{mask},fix\n"
    text = models_text(LineageRow, []) + good
    found = findings_of(text + "train,p,x,x,train,p,x,x,fix\n" * 15_000, LineageRow)
    assert (found[0].row, found[99].row) == (3, 27)
    assert found[-1].message == "and 59,900 more findings of this kind in this file"


def test_the_rest_of_a_file_is_not_read_after_very_many_errors() -> None:
    text = models_text(LineageRow, []) + "train,p,x,x,train,p,x,x,fix\n" * 50_000
    assert findings_of(text, LineageRow)[-1].message.startswith("and at least 119,900 more")


def test_merged_models_are_different_rows_and_may_repeat_the_first_line() -> None:
    other = DROPPED.model_copy(update={"sample": "", "image_md5": ""})
    text = models_text(DroppedRow, [DROPPED, other])
    assert read_merged_models(f"{text}{text}\n", DroppedRow, "x.csv") == {DROPPED, other}


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        (f"{SUBSET},,,", "schema", "reason"),
        (f"{SUBSET},,,why,more", "schema", "more"),
        (SUBSET, "schema", "reason"),
        ("<<<<<<< HEAD\n=======\n>>>>>>> other", "csv-broken", ""),
    ],
)
def test_a_wrong_row_of_merged_models_is_refused_with_its_line(
    line: str, code: str, field: str
) -> None:
    with pytest.raises(FindingsError) as caught:
        read_merged_models(f"{models_text(DroppedRow, [DROPPED])}{line}\n", DroppedRow, "x.csv")
    [found] = caught.value.findings
    assert (found.code, found.file, found.row, found.field) == (code, "x.csv", 3, field)
