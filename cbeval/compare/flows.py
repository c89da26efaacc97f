"""Where answers went: how many of the base's complied answers are refused, broken, ... in the other run."""

from collections import Counter
from collections.abc import Iterable, Mapping

from cbeval.records import Outcome

Flows = Mapping[Outcome, Mapping[Outcome, int]]
"""Outcome in the base run -> outcome in the other run -> prompts; all 5 x 5 entries are present."""


def outcome_flows(pairs: Iterable[tuple[Outcome, Outcome]]) -> dict[Outcome, dict[Outcome, int]]:
    """The flow matrix of (base outcome, other outcome) pairs."""
    counted = Counter(pairs)
    return {base: {other: counted[base, other] for other in Outcome} for base in Outcome}


def flow_lines(flows: Flows, *, unchanged: bool = False) -> list[str]:
    """Lines such as 'complied -> broken 140', largest first; answers that kept their outcome only if `unchanged`."""
    found = [
        (count, base, other)
        for base, row in flows.items()
        for other, count in row.items()
        if count and (unchanged or base != other)
    ]
    order = list(Outcome)
    found.sort(key=lambda flow: (-flow[0], order.index(flow[1]), order.index(flow[2])))
    return [f"{base} -> {other} {count}" for count, base, other in found]
