"""The one computation of a gate: policy and facts in, verdict out."""

from typing import TYPE_CHECKING

from cbeval.compare.paired import Comparison
from cbeval.errors import UsageError
from cbeval.gate.checks import evaluate, matching
from cbeval.gate.conditions import baseline_conditions, run_conditions
from cbeval.gate.facts import RunFacts, facts_of
from cbeval.gate.policy import Policy
from cbeval.gate.verdict import Finding, Verdict

if TYPE_CHECKING:
    from cbeval.runs.folder import RunFolder


def gate(policy: Policy, run: "RunFolder", baseline: "RunFolder | None" = None) -> Verdict:
    """Decide on a run folder.

    Raises:
        UsageError: a check needs a baseline and none is given, a run is not judged by the policy's judge, or the runs
            share no test case.
        CbevalError: a file of a run is damaged beyond reading.
    """
    from cbeval.compare.runs import compare_runs

    if policy.needs_baseline and baseline is None:
        paired = next(check for check in policy.checks if check.paired)
        raise UsageError(
            f"policy '{policy.name}' compares with a baseline ({paired.rule} on {paired.metric}, {paired.suite}); "
            "give one with --baseline"
        )
    facts = facts_of(run, policy.judge)
    if baseline is None:
        return decide(policy, facts)
    comparison = compare_runs(baseline, run, policy.judge) if policy.needs_baseline else None
    return decide(policy, facts, facts_of(baseline, policy.judge), comparison)


def decide(
    policy: Policy, run: RunFacts, baseline: RunFacts | None = None, comparison: Comparison | None = None
) -> Verdict:
    """Decide from facts. `comparison` has the baseline as its base and the run as its other."""
    matched = [section for check in policy.checks for section in matching(check, run.summary)]
    findings: list[Finding] = [*run_conditions(policy, run, list(dict.fromkeys(section.suite for section in matched)))]
    warnings = []
    if policy.needs_baseline and baseline is not None and comparison is not None:
        findings += baseline_conditions(policy, run, baseline, comparison)
        warnings += [f"run and baseline differ in {found}" for found in comparison.mismatches if not found.blocking]
        if (run.model_digest, run.adapter_digest) == (baseline.model_digest, baseline.adapter_digest):
            warnings.append("run and baseline are of the same model: comparing them says nothing about a change")
    elif baseline is not None:
        warnings.append("no check of the policy compares with the baseline, so it was not used")
    if not policy.guards_benign:
        warnings.append("this policy cannot see a destroyed model: no check is about lost benign answers")
    if not run.trained:
        warnings.append("the model carries no training card: whether it was trained on the suites is unknown")
    for check in policy.checks:
        findings += evaluate(check, run.summary, comparison)
    return Verdict(
        policy=policy.name,
        policy_digest=policy.digest,
        run=run.name,
        baseline=baseline.name if baseline is not None else None,
        judge=policy.judge,
        model=run.model,
        model_digest=run.model_digest,
        adapter_digest=run.adapter_digest,
        passed=all(finding.passed for finding in findings),
        findings=tuple(findings),
        warnings=tuple(warnings),
    )
