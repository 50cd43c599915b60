"""How a registry weighs findings: severities of params.yaml, and what people accept."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sceneset.schemas.finding import Finding, finding, in_order
from sceneset.schemas.params import Params
from sceneset.schemas.rules import Severity
from sceneset.schemas.waiver import Waiver, Waivers
from sceneset.storage.yaml_files import load

FILE = "registry/waivers.yaml"
EMPTY = """\
# yaml-language-server: $schema=../schemas/json/waivers.json
# Findings that people have looked at and accept: `sceneset rules` says which rules allow it.
# - code: duplicate-near
#   subset: CustomSeg_Person_20240115_ski
#   sample: train/run_042
#   reason: the same slope on another day
#   date: 2024-01-20
waivers: []
"""


def in_folder(root: Path) -> tuple[Waiver, ...]:
    """Return a registry's waivers; none where there is no such file.

    Raises:
        ProblemsFoundError: the file can't be read, or waives what can't be.
    """
    path = root / FILE
    return load(path, Waivers, FILE).waivers if path.exists() else ()


def weighed(
    findings: Iterable[Finding],
    params: Params,
    waivers: Iterable[Waiver] = (),
    *,
    judged: Collection[str] = (),
) -> list[Finding]:
    """Return findings as the registry weighs them, those it accepts marked, errors first.

    ``judged`` are the codes that were looked for: waivers of these that accept nothing are
    findings themselves.
    """
    waived = {waiver.key: waiver for waiver in waivers}
    used: set[tuple[str, str, str]] = set()
    found = []
    for p in findings:
        severity = params.severity(p.code)
        if severity is None:
            continue
        key = next((key for key in _keys(p) if key in waived), None)
        if key:
            used.add(key)
        change = {"severity": severity, "waived": waived[key].reason if key else ""}
        same = severity is p.severity and not key
        found.append(p if same else p.model_copy(update=change))
    told = {Severity.ERROR, Severity.WARNING}  # notes and what is off are not looked for
    stale = [
        waiver
        for key, waiver in waived.items()
        if key not in used and waiver.code in judged and params.severity(waiver.code) in told
    ]
    return in_order([*found, *map(_stale, stale)])


def _keys(p: Finding) -> list[tuple[str, str, str]]:
    keys = [(p.code, p.subset, p.file)]
    return [*keys, (p.code, p.subset, f"{p.phase}/{p.stem}")] if p.stem else keys


def _stale(waiver: Waiver) -> Finding:
    return finding(
        "waiver-stale",
        f"{waiver.code} of {waiver.sample or waiver.file} is waived, and is not found",
        subset=waiver.subset,
        file=FILE,
        hint="delete the waiver",
    )
