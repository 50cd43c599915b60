"""The selections of params.yaml as pages show them: counts, a digest, and the shown members."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import resolve_selection, summarize
from sceneset.errors import FindingsError
from sceneset.schemas.selection import NamedSelection
from sceneset.schemas.terms import Phase
from sceneset.site.sample_keys import SampleKeys, runs


@dataclass
class SelectionModel:
    """A selection of params.yaml."""

    name: str
    rule: NamedSelection
    counts: Counter[tuple[str, Phase]] = field(default_factory=Counter)
    """Number of samples by subset and phase, shown or not."""
    members: dict[str, list[int]] = field(default_factory=dict)
    """Places of the shown samples in the data files, by subset; see `sceneset.site.grid`."""
    shown: int = 0
    """Number of shown samples."""
    digest: str = ""
    """Digest of the list of samples, with the hashes of their images and masks."""
    problem: str = ""
    """Why it can't be resolved, in English; "" if it can."""

    @property
    def samples(self) -> int:
        """Number of samples, shown or not."""
        return self.counts.total()

    @property
    def subsets(self) -> list[str]:
        """Names of the subsets of its samples."""
        return sorted({subset for subset, _ in self.counts})

    def phases(self) -> dict[Phase, int]:
        """Return the number of samples of each phase."""
        counts = Counter[Phase]()
        for (_, phase), count in self.counts.items():
            counts[phase] += count
        return {phase: counts[phase] for phase in Phase}


def read_selections(catalog: Catalog, shown: Mapping[str, SampleKeys]) -> list[SelectionModel]:
    """Return the selections of params.yaml in the order of their names.

    A selection that names something that does not exist has a problem instead of members.

    Args:
        catalog: The registry.
        shown: The samples that pages show, by subset.
    """
    found = []
    for name in sorted(catalog.params.selections):
        own = catalog.again()  # the tags of all subsets are in memory only for one selection
        model = SelectionModel(name, catalog.params.selections[name])
        try:
            with own.shared_reads():
                _fill(model, own, shown)
        except FindingsError as error:
            model = SelectionModel(name, model.rule, problem=error.findings[0].message)
        found.append(model)
    return found


def _fill(model: SelectionModel, catalog: Catalog, shown: Mapping[str, SampleKeys]) -> None:
    chosen = resolve_selection(catalog, model.name)
    for name, tags in sorted(chosen.items()):
        model.counts.update((name, tag.phase) for tag in tags)
        places = shown[name].places() if name in shown else {}
        keys = (f"{tag.phase}/{tag.stem}" for tag in tags)
        if members := sorted(places[key] for key in keys if key in places):
            model.members[name] = runs(members)
            model.shown += len(members)
    model.digest = summarize(catalog, model.name).digest
