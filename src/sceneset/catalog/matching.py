"""Whether a query selects a row of a scene table, or a sample, by scene, persons and phase."""

from sceneset.catalog.query import Query
from sceneset.catalog.split_selection import persons_of
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL


def matches_row(query: Query, row: SplitRow) -> bool:
    """Return whether a query selects a row of a scene table."""
    return (
        (row.scene in query.scenes if query.scenes else not query.selections)
        and query.persons in {None, row.persons}
        and (not query.phases or row.phase in query.phases)
    )


def matches_sample(query: Query, tag: Tag) -> bool:
    """Return whether a query selects a sample.

    With scenes, ``persons`` must match in one of these scenes; without, in any scene.
    """
    if query.phases and tag.phase not in query.phases:
        return False
    if not query.scenes or TOTAL in query.scenes:
        return query.persons is None or query.persons in persons_of(tag)
    return any(
        scene in query.scenes and query.persons in {None, persons}
        for scene, persons in tag.memberships
    )
