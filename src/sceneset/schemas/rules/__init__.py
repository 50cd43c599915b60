"""All rules in one table: what can be wrong, how severe it is, and how to fix it.

To add a rule, write its text here, in the group it belongs to: images and masks in ``pixels.py``,
deliveries and names in ``delivery.py``, kinds and leakage in ``relations.py``, the registry's files
in ``registry.py``, changes of subsets in ``changes.py``, releases and the remote in
``releases.py``. ``sceneset/quality/__init__.py`` lists where its code and its test go.
``make generated`` then writes docs/problems.md.
"""

from sceneset.schemas.rules.changes import CHANGES
from sceneset.schemas.rules.delivery import DELIVERY, NAMES
from sceneset.schemas.rules.pixels import IMAGES, MASKS
from sceneset.schemas.rules.provenance import PROVENANCE
from sceneset.schemas.rules.registry import FILES
from sceneset.schemas.rules.relations import KINDS, LEAKAGE
from sceneset.schemas.rules.releases import RELEASES
from sceneset.schemas.rules.rule import Freedom, Rule, Severity

__all__ = ["GROUPS", "RULES", "Freedom", "Rule", "Severity", "find_rule"]

GROUPS: dict[str, tuple[Rule, ...]] = {
    "images": IMAGES,
    "masks": MASKS,
    "names": NAMES,
    "kinds": KINDS,
    "leakage": LEAKAGE,
    "deliveries": DELIVERY,
    "the registry's files": FILES,
    "changes of subsets": CHANGES,
    "provenance": PROVENANCE,
    "releases and the remote": RELEASES,
}
"""All rules, grouped by what they check."""

RULES: dict[str, Rule] = {rule.code: rule for group in GROUPS.values() for rule in group}
"""All rules by code."""


def find_rule(code: str) -> Rule:
    """Return the rule with this code.

    Raises:
        ValueError: there is no such rule; the message suggests a similar code.
    """
    if code not in RULES:
        import difflib  # only needed for the message

        near = difflib.get_close_matches(code, RULES, n=1)
        raise ValueError(
            f"there is no rule {code!r}" + (f"; did you mean {near[0]}?" if near else "")
        )
    return RULES[code]
