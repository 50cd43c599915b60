"""Names in a single folder are unique, also where case does not count."""

from hypothesis import given
from hypothesis import strategies as st

from sceneset.exports.types import ExportSample, unique_names


def sample(subset: str, phase: str, stem: str) -> ExportSample:
    return ExportSample(
        subset=subset, phase=phase, stem=stem, image=f"{stem}.jpg", image_md5="", image_bytes=0,
        mask_md5="", mask_bytes=0, width=1, height=1, person=0, ignore=0, orientation=1,
        scenes=(), persons=None, boxes=None, source="",
    )  # fmt: skip


STEMS = st.sampled_from(["a", "A", "b", "S__a", "S__train__a", "T__S__a", "S__train__a__1"])
KEYS = st.tuples(st.sampled_from(["S", "T"]), st.sampled_from(["train", "val"]), STEMS)


@given(st.sets(KEYS), st.booleans())
def test_unique_names_are_unique_and_do_not_depend_on_the_order(keys, per_phase):
    samples = [sample(*key) for key in sorted(keys)]
    names = unique_names(samples, per_phase=per_phase)
    assert names.keys() == keys
    places = {(key[1] if per_phase else "", name.casefold()) for key, name in names.items()}
    assert len(places) == len(keys)


def test_unique_names_keep_stems_that_are_unique():
    samples = [sample("S", "train", "a"), sample("S", "val", "a"), sample("T", "val", "b")]
    assert unique_names(samples, per_phase=True) == {
        ("S", "train", "a"): "a",
        ("S", "val", "a"): "a",
        ("T", "val", "b"): "b",
    }
    assert unique_names(samples, per_phase=False)["S", "val", "a"] == "S__val__a"
