"""What every run must be before its numbers are looked at: complete, by protocol, judged, uncontaminated, comparable.

These are not written in the policy, so that nobody can forget them; a policy can only say how much it tolerates.
"""

from collections.abc import Iterator, Sequence

from cbeval.compare.paired import Comparison
from cbeval.gate.facts import RunFacts
from cbeval.gate.policy import Policy
from cbeval.gate.verdict import Finding
from cbeval.metrics.summary import Section
from cbeval.records import Outcome


def run_conditions(policy: Policy, run: RunFacts, checked_suites: Sequence[str]) -> Iterator[Finding]:
    """The conditions on the run; `checked_suites` are the suites that some check of the policy looks at."""
    yield _complete("run is complete", run)
    yield _protocol(policy, run)
    yield _judged("answers are judged", policy, run)
    yield _uncontaminated(policy, run, checked_suites)


def baseline_conditions(policy: Policy, run: RunFacts, baseline: RunFacts, comparison: Comparison) -> Iterator[Finding]:
    """The conditions on the baseline; asked if a check compares with it."""
    yield _complete("baseline is complete", baseline)
    yield _judged("baseline's answers are judged", policy, baseline)
    blocking = [str(mismatch) for mismatch in comparison.mismatches if mismatch.blocking]
    yield Finding(
        kind="condition",
        name="baseline is comparable",
        passed=not blocking,
        sentence=(
            f"{run.name} and {baseline.name} differ in {'; '.join(blocking)}: run both the same way."
            if blocking
            else f"{run.name} and {baseline.name} agree in suites, prompts, sampling, engine and judge."
        ),
    )


def _complete(name: str, run: RunFacts) -> Finding:
    total = sum(section.n for section in run.summary.sections)
    missing = sum(section.missing for section in run.summary.sections)
    problems = []
    if not run.complete:
        problems.append("it has no manifest (finish it with the same `cbeval run` command)")
    if run.partial_reasons:
        problems.append(f"it holds only {'; '.join(run.partial_reasons)}")
    if missing:
        problems.append(f"{missing} of {total} answers are not made or not judged by '{run.summary.judge}'")
    if run.damaged:
        problems.append(f"{', '.join(run.damaged)} changed after it was finished")
    if not total:
        problems.append("it has no test cases")
    return Finding(
        kind="condition",
        name=name,
        passed=not problems,
        sentence=(
            f"{run.name} is partial or damaged: {'; '.join(problems)}."
            if problems
            else f"{run.name} has all {total} answers of its suites."
        ),
        numbers={"cases": total, "missing": missing},
    )


def _protocol(policy: Policy, run: RunFacts) -> Finding:
    deviations = "; ".join(run.off_protocol)
    if not deviations:
        sentence = f"{run.name} keeps to the benchmarks' protocols."
    elif policy.allow_off_protocol:
        sentence = f"{run.name} deviates ({deviations}), which the policy allows."
    else:
        sentence = f"{run.name} deviates: {deviations}; numbers so made do not compare with the benchmark's."
    return Finding(
        kind="condition",
        name="run keeps to the protocol",
        passed=not deviations or policy.allow_off_protocol,
        sentence=sentence,
    )


def _judged(name: str, policy: Policy, run: RunFacts) -> Finding:
    shares = [(_unjudged(section) / section.n, section) for section in run.summary.sections if section.n]
    share, worst = max(shares, key=lambda found: found[0], default=(0.0, None))
    limit = f"{100 * policy.max_unjudged:g} %"
    if worst is None or share == 0:
        sentence = f"every answer has a verdict by '{run.summary.judge}'."
    else:
        sentence = (
            f"{_unjudged(worst)} of {worst.n} answers on {worst.part}, {worst.attack} have no verdict "
            f"({100 * share:.1f} %, at most {limit} allowed)."
        )
    return Finding(
        kind="condition",
        name=name,
        passed=share <= policy.max_unjudged,
        sentence=sentence,
        numbers={"share": share, "limit": policy.max_unjudged},
    )


def _unjudged(section: Section) -> int:
    return section.counts.get(Outcome.UNJUDGED, 0) + section.missing


def _uncontaminated(policy: Policy, run: RunFacts, checked_suites: Sequence[str]) -> Finding:
    unknown = [suite for suite in checked_suites if suite not in run.contaminated]
    found = {suite: run.contaminated.get(suite, 0) for suite in checked_suites}
    over = {suite: count for suite, count in found.items() if count > policy.max_contaminated}
    total = sum(found.values())
    if unknown:
        sentence = f"the run does not say how many prompts of {', '.join(unknown)} the model was trained on."
    elif over:
        named = ", ".join(f"{count} prompts of {suite}" for suite, count in over.items())
        sentence = f"the model was trained on {named} (at most {policy.max_contaminated} allowed)."
    elif not run.trained:
        sentence = "no training card comes with the model, so none of its training prompts is known."
    else:
        sentence = f"the model was trained on {total} prompts of the checked suites, by its training card."
    return Finding(
        kind="condition",
        name="suites are not trained on",
        passed=not over and not unknown,
        sentence=sentence,
        numbers={"contaminated": total, "limit": policy.max_contaminated},
    )
