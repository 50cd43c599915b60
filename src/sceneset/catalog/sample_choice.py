"""Choose the samples that a command changes: by scene, stem, file name or finding."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.matching import matches_sample
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import chosen_samples
from sceneset.errors import FindingsError, UsageError
from sceneset.paths import DATA_ROOT
from sceneset.rules.broken_samples import JUDGED_CODES, broken_samples
from sceneset.rules.policy import read_waivers
from sceneset.rules.sample_columns import SAMPLE_COLUMNS
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_text

Key = tuple[Phase, str]
Chosen = dict[str, set[Key]]
"""Phase and stem of the chosen samples, by subset."""


class StemLine(NamedTuple):
    """A line of a file of stems: a stem, phase/stem or subset/phase/stem."""

    line: int
    text: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """Subset, phase and stem; "" for what the line does not name."""
        *folders, stem = self.text.split("/")
        subset, phase = ([""] * 2 + folders)[-2:]
        return subset, phase, stem


class Criteria(NamedTuple):
    """What a sample must meet besides the query; an empty field allows every sample."""

    stems_file: Path | None = None
    """A file with one sample per line: a stem, phase/stem or subset/phase/stem."""
    patterns: tuple[str, ...] = ()
    """Shell patterns; the stem must match one of them."""
    rules: tuple[str, ...] = ()
    """Rules on single samples; the sample must have a finding of one of them."""


def choose_samples(catalog: Catalog, query: Query, criteria: Criteria) -> Chosen:
    """Return the samples that a query and further criteria select.

    Raises:
        FindingsError: A line of the file of stems names no sample or several, or a file of the
            registry can't be read.
        UsageError: No sample is selected, or a rule is not about single samples.
    """
    if unknown := sorted(set(criteria.rules) - JUDGED_CODES):
        known = ", ".join(sorted(JUDGED_CODES))
        raise UsageError(f"{unknown[0]} is not about single samples; these rules are: {known}")
    lines = read_stems(criteria.stems_file) if criteria.stems_file else None
    listed = _Stems(lines) if lines is not None else None
    selected = chosen_samples(catalog, query) if query.selections else {}
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    matches_all = not (query.scenes or query.selections)

    def choose(name: str) -> tuple[str, set[Key]]:
        in_selections = selected.get(name, set())
        found = {
            tag.key
            for tag in catalog.tags(name, cache=False)
            if tag.key in in_selections
            or ((matches_all or query.scenes) and matches_sample(query, tag))
        }
        if criteria.patterns:
            patterns = [composed(pattern) for pattern in criteria.patterns]
            found = {k for k in found if any(fnmatchcase(composed(k[1]), p) for p in patterns)}
        if listed is not None:
            found = {key for key in found if listed.take(name, key)}
        if criteria.rules and found:
            found &= _with_findings(catalog, name, criteria.rules)
        return name, found

    chosen = {name: keys for name, keys in catalog.each(choose, names) if keys}
    if listed is not None and criteria.stems_file:
        listed.raise_findings(criteria.stems_file.name)
    if not chosen:
        raise UsageError("no sample is selected, so there is nothing to change")
    return chosen


def read_stems(path: Path) -> list[StemLine]:
    """Return the lines of a file of stems without empty ones.

    Raises:
        FindingsError: The file can't be read, or a line is no stem.
    """
    lines = [
        StemLine(number, text.strip())
        for number, text in enumerate(
            read_text(path, path.name).removeprefix("\ufeff").split("\n"), 1
        )
        if text.strip()
    ]
    findings = capped(
        (line for line in lines if line.text.count("/") > 2),
        lambda line: finding(
            "sample-unknown",
            f"{line.text!r} is neither a stem nor phase/stem nor subset/phase/stem",
            file=path.name,
            row=line.line,
            hint="write one sample per line, for example train/a001",
        ),
    )
    if findings:
        raise FindingsError(findings)
    return lines


class _Stems:
    """The lines of a file of stems, and the samples found for them."""

    def __init__(self, lines: Sequence[StemLine]) -> None:
        self._lines = lines
        self._by_stem: dict[str, list[StemLine]] = {}
        for line in lines:
            self._by_stem.setdefault(composed(line.parts[2]), []).append(line)
        self._found: dict[StemLine, list[str]] = {}

    def take(self, subset: str, key: Key) -> bool:
        """Return whether a line names a sample, and note that the line has one."""
        is_named = False
        for line in self._by_stem.get(composed(key[1]), ()):
            named_subset, named_phase, _ = line.parts
            if named_subset in {"", subset} and named_phase in {"", key[0]}:
                self._found.setdefault(line, []).append(f"{subset}/{key[0]}/{key[1]}")
                is_named = True
        return is_named

    def raise_findings(self, shown: str) -> None:
        """Raise the findings on lines that name no sample, or several."""
        bad = [line for line in self._lines if len(self._found.get(line, ())) != 1]

        def report(line: StemLine) -> Finding:
            samples = self._found.get(line, [])
            if samples:
                return finding(
                    "sample-unknown",
                    f"{line.text!r} names {len(samples)} samples: {', '.join(samples[:3])}",
                    file=shown,
                    row=line.line,
                    hint="write subset/phase/stem",
                )
            return finding(
                "sample-unknown",
                f"{line.text!r} names no selected sample",
                file=shown,
                row=line.line,
                hint="correct or delete the line; `sceneset lookup --samples` lists all samples",
            )

        if findings := capped(bad, report):
            raise FindingsError(findings)


def _with_findings(catalog: Catalog, name: str, rules: Sequence[str]) -> set[Key]:
    return {
        (Phase(phase), stem)
        for phase, stem in broken_samples(
            rules,
            catalog.entry(name),
            catalog.tags(name, cache=False),
            catalog.scan(name, SAMPLE_COLUMNS),
            params=catalog.params,
            waivers=read_waivers(catalog.root),
            folder=f"{DATA_ROOT}/{name}/",
            file=catalog.paths.relative(catalog.paths.tags(name)),
        )
    }
