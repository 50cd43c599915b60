"""Hypothesis strategies for tags."""

from hypothesis import strategies as st

from sceneset import Registry
from sceneset.schemas.names import stem_fault
from sceneset.schemas.tag import InScene, Tag
from sceneset.schemas.terms import Persons, Phase
from support.build import ROOT

WORDS = Registry(ROOT).vocabulary


PERSONS = st.none() | st.sampled_from(Persons)


PHASES = st.sampled_from(Phase)


STEMS = st.text(min_size=1, max_size=20).filter(lambda text: stem_fault(text) is None)


LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=20)


MEMBERS = st.lists(
    st.tuples(st.sampled_from(sorted(WORDS.by_key)), PERSONS), unique_by=lambda m: m[0], max_size=3
)


TAGS = st.builds(
    lambda members, **fields: Tag(scenes=tuple(InScene(*m) for m in members), **fields),
    MEMBERS,
    phase=PHASES,
    stem=STEMS,
    persons=PERSONS,
    boxes=st.none() | st.integers(0, 10**6),
    source=LINES,
)
