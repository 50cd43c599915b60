"""Properties that hold for all values, tried on many."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset.catalog.tags_csv import read_tags, tags_text
from sceneset.delivery.split_files import read_lines
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding
from sceneset.schemas.names import stem_fault
from sceneset.schemas.terms import Persons, Phase
from sceneset.storage.yaml_files import parse
from support.strategies import PHASES, STEMS, TAGS, WORDS

some = settings(max_examples=60, deadline=None)
many = settings(max_examples=200, deadline=None)


def refusals(call: Callable[[], object]) -> list[Finding]:
    """Return the findings a call raises; anything else it raises is passed on."""
    try:
        call()
    except FindingsError as found:
        return found.findings
    return []


def written(data: bytes, read):
    """Call ``read`` with the path of a file that holds ``data``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        return read(path)


@some
@given(st.lists(TAGS, max_size=5, unique_by=lambda tag: tag.key))
def test_tags_come_back_from_csv(tags):
    text = tags_text(tags)
    again = written(text.encode(), lambda path: read_tags(path, "tags.csv"))
    assert again == sorted(tags, key=lambda tag: tag.key)
    assert tags_text(again) == text


@some
@given(st.lists(STEMS, max_size=8, unique=True))
def test_stems_come_back_from_a_split_file(stems):
    text = "".join(f"{stem}\n" for stem in stems)
    found = written(text.encode(), lambda path: read_lines(path, "x.txt"))
    assert found.findings == []
    assert found.stems == {stem: row for row, stem in enumerate(stems, 1)}


@some
@given(st.sampled_from(sorted(WORDS.by_key)), st.sampled_from(Persons), PHASES)
def test_split_files_say_what_they_were_called_for(scene, persons, phase):
    says = WORDS.parse_split_file(WORDS.split_file(scene, persons, phase))
    assert (says.scene, says.persons, says.phase or Phase.TRAIN) == (scene, persons, phase)


@many
@given(st.text())
def test_no_name_breaks_the_vocabulary(name):
    assert WORDS.find(name) in {None, *WORDS.order}
    assert all(WORDS.find(near) for near in WORDS.nearest(name))
    WORDS.parse_split_file(name)


YAML_BITS = st.sampled_from(
    ["a", "1", ":", " ", "\n", "- ", "? ", "[", "]", "{", "}", ",", "#", "'", '"', "|", ">", "&a",
     "*a", "!", "%", "@", "\t", "---", "...", "<<", "=", "~", "2024-13-01", "1:2.3", "0x_", "滑"]
)  # fmt: skip


@many
@given(st.text() | st.lists(YAML_BITS, max_size=30).map("".join))
def test_yaml_is_read_or_refused(text):
    found = refusals(lambda: parse(text, "x.yaml"))
    assert all(p.file == "x.yaml" and p.message for p in found)


@many
@given(
    st.binary()
    | st.lists(
        st.sampled_from([b"a", b"\n", b"\r", b" ", b"/", b"\xef\xbb\xbf", b"\xff", b"\0", b"b.jpg"])
    ).map(b"".join)
)
def test_any_bytes_are_a_split_file_or_refused(data):
    try:
        found = written(data, lambda path: read_lines(path, "x.txt"))
    except FindingsError:
        return
    assert all(stem_fault(stem) is None for stem in found.stems)
    rows = {p.row for p in found.findings if p.row} | set(found.stems.values())
    assert rows >= set(range(1, len(data.removesuffix(b"\n").split(b"\n")) + 1)) or not data


@many
@given(st.binary())
def test_any_bytes_are_tags_or_refused(data):
    for text in (data, b"phase,stem,scenes\n" + data):
        read = partial(written, text, lambda path: read_tags(path, "tags.csv"))
        assert all(p.file == "tags.csv" for p in refusals(read))
