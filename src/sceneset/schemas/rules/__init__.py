"""Every rule, in one table: what can be wrong, how much it weighs, why it matters."""

from sceneset.schemas.rules.delivery import DELIVERY, NAMES
from sceneset.schemas.rules.pixels import IMAGES, MASKS
from sceneset.schemas.rules.registry import FILES, RELEASES
from sceneset.schemas.rules.relations import KINDS, LEAKAGE
from sceneset.schemas.rules.rule import Freedom, Rule, Severity

__all__ = ["GROUPS", "RULES", "Freedom", "Rule", "Severity"]

GROUPS: dict[str, tuple[Rule, ...]] = {
    "images": IMAGES,
    "masks": MASKS,
    "names": NAMES,
    "kinds": KINDS,
    "leakage": LEAKAGE,
    "deliveries": DELIVERY,
    "the registry's files": FILES,
    "releases and the remote": RELEASES,
}
"""By what they are about."""

RULES: dict[str, Rule] = {rule.code: rule for group in GROUPS.values() for rule in group}
"""By code."""
