"""Attacks: from a suite's behaviours to test cases, one file an attack."""

from collections.abc import Callable, Mapping

from cbeval.attacks.direct import direct
from cbeval.attacks.prefill import prefill
from cbeval.errors import unknown
from cbeval.records import Suite, TestCase

ATTACKS: Mapping[str, Callable[[Suite], tuple[TestCase, ...]]] = {"direct": direct, "prefill": prefill}

__all__ = ["ATTACKS", "apply_attack"]


def apply_attack(name: str, suite: Suite) -> tuple[TestCase, ...]:
    """The suite's test cases under an attack, in the suite's order.

    `direct` makes one case for each behaviour, `prefill` one for each harmful one, so it may make none. Raises
    UsageError for an unknown attack.
    """
    if name not in ATTACKS:
        raise unknown("attack", name, ATTACKS, "cbeval run --help")
    return ATTACKS[name](suite)
