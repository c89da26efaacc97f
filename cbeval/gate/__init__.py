"""Release gates: a policy, a run and its baseline in, a verdict with its reasons out."""

from cbeval.gate.decide import decide, gate
from cbeval.gate.facts import RunFacts, facts_of
from cbeval.gate.junit import as_junit
from cbeval.gate.policy import Check, Policy
from cbeval.gate.policy_file import read_policy
from cbeval.gate.verdict import Finding, Verdict, as_json, as_text

__all__ = [
    "Check",
    "Finding",
    "Policy",
    "RunFacts",
    "Verdict",
    "as_json",
    "as_junit",
    "as_text",
    "decide",
    "facts_of",
    "gate",
    "read_policy",
]
