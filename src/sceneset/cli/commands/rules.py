"""List the rules that `check` and `add` apply, or explain some of them.

A rule has a code, a severity and a meaning. Inside a registry, the severities are those that its
params.yaml sets. The column "can be" says what a registry may do: "set" means that params.yaml can
give another severity under `rules`; "waived" means that registry/waivers.yaml can accept single
findings, with a reason.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINE
from sceneset.cli.language import in_brackets, translate, with_colon
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
    """Add the arguments."""
    parser.add_argument("code", nargs="*", metavar="CODE", help="explain the rules of these codes")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the rules."""
    import difflib

    from sceneset.cli.output import print_json, print_table
    from sceneset.schemas.rules import RULES

    for code in args.code:
        if code not in RULES:
            near = difflib.get_close_matches(code, RULES, n=3)
            hint = f". Nearest: {', '.join(near)}" if near else ""
            raise UsageError(f"there is no rule {code!r}{hint}")
    rules = [RULES[code] for code in args.code] or list(RULES.values())
    params = _params()
    if args.json:
        fields = ({**rule._asdict(), "here": _severity(rule, params)} for rule in rules)
        print_json(list(fields))
    elif args.code:
        _explain(rules, params)
    else:
        rows = [(rule.code, _severity(rule, params), rule.freedom, rule.meaning) for rule in rules]
        print_table(("code", "severity", "can be", "meaning"), [_row(*row) for row in rows])
    return FINE


def _row(code: str, severity: str, freedom: str, meaning: str) -> tuple[str, ...]:
    can_be = {"fixed": "", "waive": "waived", "set": "set, waived"}[freedom]
    return (code, translate(severity), translate(can_be), translate(meaning))


def _explain(rules: "list[Rule]", params: "Params | None") -> None:
    from sceneset.cli.output import print_text
    from sceneset.schemas.rules import Freedom

    options = {
        Freedom.FIXED: "It can be neither set nor waived, because later steps rely on it.",
        Freedom.WAIVE: "Single findings can be accepted in registry/waivers.yaml.",
        Freedom.SET: "Its severity can be set under `rules` in params.yaml, and single findings "
        "can be accepted in registry/waivers.yaml.",
    }
    for rule in rules:
        severity = translate(_severity(rule, params))
        title = with_colon(f"{rule.code}{in_brackets(severity)}")
        print_text(f"{title}{translate(rule.meaning)}", style="bold")
        print_text(f"\n{translate(rule.help)}\n{translate(options[rule.freedom])}\n")


def _params() -> "Params | None":
    """Return the settings of the registry around the current folder, if there is one."""
    from sceneset.catalog.reader import Catalog
    from sceneset.errors import NoRegistryError

    try:
        return Catalog.find().params
    except NoRegistryError:
        return None


def _severity(rule: "Rule", params: "Params | None") -> str:
    return str((params.severity(rule.code) if params else rule.severity) or "off")
