"""Hypothesis strategies for tags."""

from hypothesis import strategies as st

from sceneset import Registry
from sceneset.schemas.names import invalid_stem_reason
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.schemas.terms import Persons, Phase
from support.build import ROOT

VOCABULARY = Registry(ROOT).vocabulary
PERSONS = st.none() | st.sampled_from(Persons)
PHASES = st.sampled_from(Phase)
ONE_LINE = st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))
LINES = st.text(ONE_LINE, max_size=20)
STEMS = st.text(ONE_LINE, min_size=1, max_size=20).filter(
    lambda text: invalid_stem_reason(text) is None
)
MEMBERSHIPS = st.lists(
    st.tuples(st.sampled_from(sorted(VOCABULARY.by_key)), PERSONS),
    unique_by=lambda membership: membership[0],
    max_size=3,
)
TAGS = st.builds(
    lambda memberships, **fields: Tag(
        scenes=tuple(SceneMembership(*membership) for membership in memberships), **fields
    ),
    MEMBERSHIPS,
    phase=PHASES,
    stem=STEMS,
    persons=PERSONS,
    boxes=st.none() | st.integers(0, 10**6),
    source=LINES,
)
