"""Change the policy of a test's registry: severities and waivers."""

import json
from pathlib import Path

from support.build import NAME


def set_rules(root: Path, rules: str) -> None:
    """Write the severities of rules into params.yaml of a new registry."""
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("rules: {}", f"rules: {{{rules}}}"))


def waive(root: Path, code: str, sample: str) -> None:
    """Accept one finding, with the reason "looked at"."""
    waiver = {"code": code, "subset": NAME, "sample": sample}
    waiver |= {"reason": "looked at", "date": "2026-01-02"}
    (root / "registry/waivers.yaml").write_text(json.dumps({"waivers": [waiver]}))  # valid YAML
