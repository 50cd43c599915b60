"""List the rules, or tell all about some of them.

Each rule has a code, a severity and a meaning. In a registry, severities are those that its
params.yaml sets. A rule that may be set can weigh otherwise under rules in params.yaml; a finding
of a rule that may be waived can be accepted in registry/waivers.yaml, with a reason.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.schemas.params import Params
    from sceneset.schemas.rules import Rule

EXAMPLES = """
  sceneset rules
  sceneset rules mask-coarse leak-near
  sceneset rules --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("code", nargs="*", help="tell all about these")
    parser.add_argument("--json", action="store_true", help="print a list of objects")


def run(args: argparse.Namespace) -> int:
    """Show the rules."""
    import difflib

    from sceneset.cli.output import print_json, print_table
    from sceneset.schemas.rules import RULES

    for code in args.code:
        if code not in RULES:
            near = difflib.get_close_matches(code, RULES, n=3)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise UsageError(f"there is no rule {code!r}{hint}")
    rules = [RULES[code] for code in args.code] or list(RULES.values())
    params = _params()
    if args.json:
        fields = ({**rule._asdict(), "here": _here(rule, params)} for rule in rules)
        print_json(list(fields))
    elif args.code:
        _explain(rules, params)
    else:
        rows = [(rule.code, _here(rule, params), rule.freedom, rule.meaning) for rule in rules]
        print_table(("code", "severity", "may be", "meaning"), [_row(*row) for row in rows])
    return FINE


def _row(code: str, severity: str, freedom: str, meaning: str) -> tuple[str, ...]:
    may = {"fixed": "", "waive": "waived", "set": "set, waived"}[freedom]
    return (code, severity, may, meaning)


def _explain(rules: "list[Rule]", params: "Params | None") -> None:
    from sceneset.cli.output import console
    from sceneset.schemas.rules import Freedom

    may = {
        Freedom.FIXED: "It can be neither set nor waived: what comes later could not work.",
        Freedom.WAIVE: "Single findings can be accepted in registry/waivers.yaml.",
        Freedom.SET: "It can be set under rules in params.yaml, and waived in "
        "registry/waivers.yaml.",
    }
    for rule in rules:
        console().print(f"{rule.code} ({_here(rule, params)}): {rule.meaning}", style="bold")
        console().print(f"\n{rule.help}\n{may[rule.freedom]}\n")


def _params() -> "Params | None":
    """Return the settings of the registry that is stood in, if any."""
    from sceneset.catalog.reader import Catalog
    from sceneset.errors import NoRegistryError

    try:
        return Catalog.find().params
    except NoRegistryError:
        return None


def _here(rule: "Rule", params: "Params | None") -> str:
    return str((params.severity(rule.code) if params else rule.severity) or "off")
