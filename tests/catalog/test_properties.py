"""Properties of readers and writers that hold for all inputs, checked with random inputs."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset.catalog.tags_csv import read_tags, tags_text
from sceneset.delivery.split_files import read_split_lines
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding
from sceneset.schemas.names import invalid_stem_reason
from sceneset.schemas.terms import Persons, Phase
from sceneset.storage.yaml_parser import parse
from support.strategies import PHASES, STEMS, TAGS, VOCABULARY

some = settings(max_examples=60, deadline=None)
many = settings(max_examples=200, deadline=None)


def raised_findings(call: Callable[[], object]) -> list[Finding]:
    """Return the findings that a call raises; other exceptions are passed on."""
    try:
        call()
    except FindingsError as found:
        return found.findings
    return []


def read_from_file(data: bytes, read):
    """Call ``read`` with the path of a file that contains ``data``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        return read(path)


@some
@given(st.lists(TAGS, max_size=5, unique_by=lambda tag: tag.key))
def test_tags_are_equal_after_writing_and_reading_csv(tags):
    text = tags_text(tags)
    again = read_from_file(text.encode(), lambda path: read_tags(path, "tags.csv"))
    assert again == sorted(tags, key=lambda tag: tag.key)
    assert tags_text(again) == text


@some
@given(st.lists(STEMS, max_size=8, unique=True))
def test_read_lines_returns_all_stems_of_a_split_file(stems):
    text = "".join(f"{stem}\n" for stem in stems)
    found = read_from_file(text.encode(), lambda path: read_split_lines(path, "x.txt"))
    assert found.findings == []
    assert found.stems == {stem: row for row, stem in enumerate(stems, 1)}


@some
@given(st.sampled_from(sorted(VOCABULARY.by_key)), st.sampled_from(Persons), PHASES)
def test_parse_split_file_returns_the_scene_persons_and_phase_of_the_name(scene, persons, phase):
    name = VOCABULARY.parse_split_file(VOCABULARY.split_file(scene, persons, phase))
    assert (name.scene, name.persons, name.phase or Phase.TRAIN) == (scene, persons, phase)


@many
@given(st.text())
def test_vocabulary_accepts_any_name(name):
    assert VOCABULARY.find(name) in {None, *VOCABULARY.order}
    assert all(VOCABULARY.find(near) for near in VOCABULARY.nearest(name))
    VOCABULARY.parse_split_file(name)


YAML_BITS = st.sampled_from(
    ["a", "1", ":", " ", "\n", "- ", "? ", "[", "]", "{", "}", ",", "#", "'", '"', "|", ">", "&a",
     "*a", "!", "%", "@", "\t", "---", "...", "<<", "=", "~", "2024-13-01", "1:2.3", "0x_", "滑"]
)  # fmt: skip


@many
@given(st.text() | st.lists(YAML_BITS, max_size=30).map("".join))
def test_parse_raises_findings_when_any_text_is_not_valid_yaml(text):
    found = raised_findings(lambda: parse(text, "x.yaml"))
    assert all(p.file == "x.yaml" and p.message for p in found)


@many
@given(
    st.binary()
    | st.lists(
        st.sampled_from([b"a", b"\n", b"\r", b" ", b"/", b"\xef\xbb\xbf", b"\xff", b"\0", b"b.jpg"])
    ).map(b"".join)
)
def test_read_lines_raises_findings_when_any_bytes_are_not_a_split_file(data):
    try:
        found = read_from_file(data, lambda path: read_split_lines(path, "x.txt"))
    except FindingsError:
        return
    assert all(invalid_stem_reason(stem) is None for stem in found.stems)
    rows = {p.row for p in found.findings if p.row} | set(found.stems.values())
    assert rows >= set(range(1, len(data.removesuffix(b"\n").split(b"\n")) + 1)) or not data


@many
@given(st.binary())
def test_read_tags_raises_findings_when_any_bytes_are_not_tags(data):
    for text in (data, b"phase,stem,scenes\n" + data):
        read = partial(read_from_file, text, lambda path: read_tags(path, "tags.csv"))
        assert all(p.file == "tags.csv" for p in raised_findings(read))
