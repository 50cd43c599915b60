"""What a provenance says about single samples, and how its exceptions follow them."""

from typing import Any

import pytest

from sceneset.catalog.provenance import Restricted, differing_samples, renamed, unused_names
from sceneset.schemas.provenance import Provenance, Restriction
from sceneset.schemas.tag import Tag


def given(*exceptions: dict[str, Any], **fields: Any) -> Provenance:
    return Provenance.model_validate({"licence": "MIT", "exceptions": exceptions} | fields)


def tag(name: str, source: str = "") -> Tag:
    phase, _, stem = name.partition("/")
    return Tag.model_validate({"phase": phase, "stem": stem, "scenes": "ski", "source": source})


TAGS = [tag("train/a"), tag("train/b", "Video_1"), tag("val/a"), tag("val/c", "video 1")]


def test_exceptions_name_samples_by_phase_stem_and_source() -> None:
    provenance = given(
        {"samples": ["train/a"], "licence": "ISC"},
        {"samples": ["b"], "contact": "b@example.com"},
        {"sources": ["video-1"], "licence": "0BSD", "restrictions": ["internal"]},
        {"samples": ["val/c"], "licence": "Zlib", "restrictions": []},
    )
    found = differing_samples(provenance, TAGS)
    licences = {"/".join(key): own.licence for key, own in found.items()}
    assert licences == {"train/a": "ISC", "train/b": "0BSD", "val/c": "Zlib"}
    assert found["train", "b"].contact == "b@example.com", "fields of two exceptions"
    assert found["train", "b"].restrictions == (Restriction.INTERNAL,)
    assert found["val", "c"].restrictions == (), "the later exception counts"


def test_stem_without_a_phase_names_the_samples_of_all_phases() -> None:
    found = differing_samples(given({"samples": ["a"], "licence": "ISC"}), TAGS)
    assert set(found) == {("train", "a"), ("val", "a")}


def test_tags_are_not_read_when_there_is_no_exception() -> None:
    def never() -> Any:
        raise AssertionError("read")
        yield

    assert differing_samples(given(), never()) == {}
    assert differing_samples(None, never()) == {}


def test_unused_names_are_found() -> None:
    [exception] = given(
        {"samples": ["a", "val/b", "train/b"], "sources": ["VIDEO 1", "video-2"], "licence": "ISC"}
    ).exceptions
    assert unused_names(exception, TAGS) == ["val/b", "video-2"]


@pytest.mark.parametrize(
    ("names", "changes", "expected"),
    [
        (["train/a"], {("train", "a"): ("val", "x")}, ["val/x"]),
        (["train/a", "train/b"], {("train", "a"): None}, ["train/b"]),
        (["val/a"], {("train", "a"): None}, ["val/a"]),
        # The sample val/a keeps the stem, so the name still holds; train/a has another one now.
        (["a"], {("train", "a"): ("train", "x")}, ["a", "train/x"]),
        (["a"], {("train", "a"): ("test", "a")}, ["a"]),
        (["b"], {("train", "b"): ("train", "x")}, ["train/x"]),
        (["b"], {("train", "b"): None}, None),
        (["train/a", "train/b"], {("train", "a"): ("train", "b"), ("train", "b"): ("train", "a")},
         ["train/b", "train/a"]),
    ],
)  # fmt: skip
def test_exceptions_follow_samples_that_are_renamed_moved_and_removed(
    names: list[str], changes: dict[Any, Any], expected: list[str] | None
) -> None:
    provenance = given({"samples": names, "licence": "ISC"})
    stems = {"a", "c", *(new[1] for new in changes.values() if new)}
    after = renamed(provenance, changes, stems=stems)
    assert [list(e.samples) for e in after.exceptions] == ([expected] if expected else [])


def test_exception_of_sources_stays_when_its_samples_are_removed() -> None:
    provenance = given({"samples": ["train/a"], "sources": ["v"], "licence": "ISC"})
    [exception] = renamed(provenance, {("train", "a"): None}).exceptions
    assert (exception.samples, exception.sources) == ((), ("v",))


def test_restriction_of_a_sample_counts_before_that_of_the_subset() -> None:
    lifted = Restricted(Restriction.INTERNAL, {("train", "a"): None})
    assert lifted
    assert lifted.of(("train", "a")) is None
    assert lifted.of(("train", "b")) is Restriction.INTERNAL
    assert not Restricted(None, {("train", "a"): None})
