"""Change the policy of a test's registry: severities and waivers."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sceneset.storage.yaml_files import dump_yaml
from sceneset.storage.yaml_parser import parse
from support.build import NAME

PROVENANCE = {
    "licence": "CC-BY-4.0",
    "origin": {"kind": "drawn", "name": "tests"},
    "consent": {"basis": "no-persons"},
    "contact": "data@example.com",
}
"""The provenance of a test's subset."""


def with_default_rules(text: str) -> str:
    """Return the text of a new params.yaml with the default severities of all rules."""
    changed, count = re.compile(r"^rules:\n(  .*\n)+", re.MULTILINE).subn("rules: {}\n", text)
    assert count == 1
    return changed


def set_default_rules(root: Path) -> None:
    """Give a new registry the default severities, as registries have that are older than a rule."""
    params = root / "params.yaml"
    params.write_text(with_default_rules(params.read_text()))


def set_rules(root: Path, rules: str) -> None:
    """Write the severities of rules into params.yaml of a new registry."""
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("rules: {}", f"rules: {{{rules}}}"))


def waive(root: Path, code: str, sample: str) -> None:
    """Accept one finding, with the reason "looked at"."""
    waiver = {"code": code, "subset": NAME, "sample": sample}
    waiver |= {"reason": "looked at", "date": "2026-01-02"}
    (root / "registry/waivers.yaml").write_text(json.dumps({"waivers": [waiver]}))  # valid YAML


def set_provenance(root: Path, provenance: Mapping[str, Any] | None) -> None:
    """Replace the provenance of the entry of NAME, or remove it."""
    path = root / f"registry/subsets/{NAME}.yaml"
    entry = parse(path.read_text("utf-8"), "entry").data
    entry.pop("provenance", None)
    if provenance is not None:
        entry["provenance"] = dict(provenance)
    path.write_text(dump_yaml(entry, schema="../../schemas/json/subset.json"), "utf-8")
