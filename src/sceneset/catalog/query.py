"""What a look-up selects, and how the words that users type become such a selection.

This module loads no library: most look-ups are answered from the index (`sceneset.catalog.index`)
without reading any file of the registry.
"""

from collections.abc import Iterable, Sequence

from sceneset.errors import UnknownNameError
from sceneset.schemas.terms import Persons, Phase

TYPE_CHECKING = False  # importing typing would take as long as a look-up
if TYPE_CHECKING:
    from typing import NoReturn

    from sceneset.catalog.reader import Catalog
    from sceneset.schemas.scene import Vocabulary


class Query:
    """A selection of samples or rows; an empty field matches everything.

    Not a dataclass, because importing dataclasses would take longer than a look-up.

    Attributes:
        scenes: Canonical keys, or "total".
        persons: Persons per image.
        phases: Parts of training.
        subsets: Full names of listed subsets.
        selections: Names of selections of params.yaml; their samples are added to the scenes'.
    """

    __slots__ = ("scenes", "persons", "phases", "subsets", "selections")  # noqa: RUF023 - __init__

    def __init__(
        self,
        scenes: tuple[str, ...] = (),
        persons: Persons | None = None,
        phases: tuple[Phase, ...] = (),
        subsets: tuple[str, ...] = (),
        selections: tuple[str, ...] = (),
    ) -> None:
        self.scenes, self.persons, self.phases, self.subsets = scenes, persons, phases, subsets
        self.selections = selections

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.scenes, self.persons, self.phases, self.subsets, self.selections))

    def __repr__(self) -> str:
        names = self.__slots__ if self.selections else self.__slots__[:-1]
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"Query({fields})"


def resolve_query(
    catalog: "Catalog",
    scenes: Iterable[str] = (),
    *,
    persons: str | None = None,
    phases: Iterable[str] = (),
    subsets: Iterable[str] = (),
) -> Query:
    """Return the query for names as users type them.

    Args:
        catalog: The registry whose vocabulary and subsets are searched.
        scenes: Scenes by key, English or Chinese name, alias or file stem; or names of selections.
        persons: "single" or "multi".
        phases: "train", "val", "test".
        subsets: Names of subsets, or unique parts of names.

    Raises:
        UnknownNameError: No scene or subset has this name; the message lists the nearest ones.
        ValueError: ``persons`` or ``phases`` holds another word.
    """
    keys, selections = _resolve_scenes(catalog, scenes)
    return Query(
        scenes=keys,
        persons=Persons(persons) if persons else None,
        phases=tuple(Phase(phase) for phase in phases),
        subsets=tuple(_find_subset(catalog, name) for name in subsets),
        selections=selections,
    )


def _resolve_scenes(
    catalog: "Catalog", names: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys of the scenes among names, and the selections."""
    keys: list[str] = []
    selections: list[str] = []
    for name in names:
        key = catalog.vocabulary.find(name)
        if key:
            keys.append(key)
        elif name in catalog.params.selections:
            selections.append(name)
        else:
            _raise_unknown(catalog.vocabulary, name, list(catalog.params.selections))
    return tuple(keys), tuple(dict.fromkeys(selections))


def _raise_unknown(vocabulary: "Vocabulary", name: str, selections: list[str]) -> "NoReturn":
    import difflib

    nearest = difflib.get_close_matches(name, selections, n=3) + vocabulary.nearest(name)
    hint = f"Nearest: {', '.join(nearest)}. " if nearest else ""
    what, where = "scene", "`sceneset scenes` lists all scenes"
    if selections:
        what, where = "scene or selection", f"{where}, `sceneset selections` all selections"
    raise UnknownNameError(f"no {what} is called {name!r}. {hint}{where}")


def _find_subset(catalog: "Catalog", name: str) -> str:
    """Return the full name of a subset, also for a name that it had before it was renamed."""
    try:
        return _resolve_subset(catalog.names, catalog.params.renamed.get(name, name))
    except UnknownNameError:
        wanted = name.casefold()
        former = catalog.params.renamed.items()
        matches = {now for old, now in former if wanted in old.casefold()} & set(catalog.names)
        if len(matches) == 1:
            return matches.pop()
        _refuse_retired(catalog, wanted)
        raise


def _refuse_retired(catalog: "Catalog", wanted: str) -> None:
    from sceneset.catalog.dropped import read_dropped

    for row in read_dropped(catalog.root):
        if not row.sample and wanted in row.subset.casefold():
            raise UnknownNameError(
                f"{row.subset} was retired: {row.reason}. Versions from before have it: use --rev"
            )


def _resolve_subset(names: Sequence[str], name: str) -> str:
    if name in names:
        return name
    if not name.strip():
        raise UnknownNameError("the name of a subset is empty. Give the name or a part of it")
    matches = [full_name for full_name in names if name.casefold() in full_name.casefold()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnknownNameError(
            f"{name!r} matches {len(matches)} subsets: {', '.join(matches)}. "
            "Give a longer part of the name"
        )
    if not names:
        raise UnknownNameError(
            f"no subset is called {name!r}: the registry is empty. "
            "`sceneset add` adds the first subset"
        )
    import difflib

    nearest = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
    raise UnknownNameError(f"no subset is called {name!r}. Nearest: {', '.join(nearest)}")
