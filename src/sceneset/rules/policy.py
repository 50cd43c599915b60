"""Apply a registry's policy to findings: severities from params.yaml, and its waivers."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sceneset.schemas.finding import Finding, finding, in_order
from sceneset.schemas.params import Params
from sceneset.schemas.rules import Severity
from sceneset.schemas.waiver import Waiver, Waivers
from sceneset.storage.yaml_files import load

WAIVERS_FILE = "registry/waivers.yaml"
EMPTY_WAIVERS = """\
# yaml-language-server: $schema=../schemas/json/waivers.json
# Findings that people have looked at and accept: `sceneset rules` says which rules allow it.
# - code: duplicate-near
#   subset: CustomSeg_Person_20240115_ski
#   sample: train/run_042
#   reason: the same slope on another day
#   date: 2024-01-20
waivers: []
"""


def read_waivers(root: Path) -> tuple[Waiver, ...]:
    """Return the waivers of the registry at ``root``, or () if it has no waivers file.

    Raises:
        FindingsError: The file can't be read, or waives a rule that can't be waived.
    """
    path = root / WAIVERS_FILE
    return load(path, Waivers, WAIVERS_FILE).waivers if path.exists() else ()


def apply_policy(
    findings: Iterable[Finding],
    params: Params,
    waivers: Iterable[Waiver] = (),
    *,
    evaluated: Collection[str] = (),
) -> list[Finding]:
    """Set the registry's severities, drop rules that are off and mark waived findings.

    Args:
        findings: Findings with the default severities of their rules.
        params: Names the rules that have another severity in this registry.
        waivers: Findings that people accept.
        evaluated: Codes of the rules that were evaluated. A waiver of such a rule that matches no
            finding is reported as ``waiver-stale``.

    Returns:
        The remaining findings, errors first.
    """
    waiver_by_key = {waiver.key: waiver for waiver in waivers}
    used: set[tuple[str, str, str]] = set()
    result = []
    for p in findings:
        severity = params.severity(p.code)
        if severity is None:
            continue
        key = next((key for key in _waiver_keys(p) if key in waiver_by_key), None)
        if key:
            used.add(key)
        change = {"severity": severity, "waived": waiver_by_key[key].reason if key else ""}
        is_unchanged = severity is p.severity and not key
        result.append(p if is_unchanged else p.model_copy(update=change))
    # Rules that are off or notes may not have been evaluated, so their waivers can't be stale.
    always_evaluated = {Severity.ERROR, Severity.WARNING}
    stale = [
        waiver
        for key, waiver in waiver_by_key.items()
        if key not in used
        and waiver.code in evaluated
        and params.severity(waiver.code) in always_evaluated
    ]
    return in_order([*result, *map(_stale_finding, stale)])


def _waiver_keys(p: Finding) -> list[tuple[str, str, str]]:
    """Return the keys of waivers that accept a finding: by its file, or by its sample."""
    keys = [(p.code, p.subset, p.file)]
    return [*keys, (p.code, p.subset, f"{p.phase}/{p.stem}")] if p.stem else keys


def _stale_finding(waiver: Waiver) -> Finding:
    return finding(
        "waiver-stale",
        f"waives {waiver.code} for {waiver.sample or waiver.file}, but there is no such finding",
        subset=waiver.subset,
        file=WAIVERS_FILE,
        hint="delete the waiver",
    )
