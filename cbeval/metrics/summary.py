"""What a run found: one section for each suite, attack, subset and label, never pooled.

HarmBench's standard, contextual and copyright behaviours are judged by different means, and direct and prefilled
requests are different questions; a mean over them is a number about nothing, so there is none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cbeval.errors import CbevalError
from cbeval.metrics.rates import Rate, rates
from cbeval.records import Completion, Judgement, Label, Outcome, Record, TestCase

SectionKey = tuple[str, str, str, Label]
"""Suite, attack, subset, label."""


class Section(Record):
    """The answers to one suite's prompts of one label under one attack."""

    suite: str
    attack: str
    subset: str = ""
    """HarmBench's functional part; empty for suites that have none."""

    label: Label
    n: int
    """Test cases, judged or not."""

    counts: Mapping[Outcome, int]
    """Outcome -> answers; all five outcomes are present. Sums to n - missing."""

    missing: int = 0
    """Cases without a judgement: the run or its judging has not come to them."""

    metrics: Mapping[str, Rate]
    """Metric name (`cbeval.metrics.rates.METRICS[label]`, and `unjudged`) -> rate."""

    categories: Mapping[str, Mapping[Outcome, int]] = {}
    """Category -> outcome -> answers, in the order of first appearance; only categories that have a name."""

    truncated: int | None = None
    """Answers cut off at the token limit; None if the completions were not given."""

    mean_tokens: float | None = None
    """Mean length of the answers in tokens; None if the completions were not given."""

    @property
    def key(self) -> SectionKey:
        """What identifies the section in every run."""
        return self.suite, self.attack, self.subset, self.label

    @property
    def part(self) -> str:
        """Suite and subset as one name: `harmbench:standard` of a run of `harmbench` or of `harmbench:standard`."""
        named = not self.subset or self.suite.endswith(f":{self.subset}")
        return self.suite if named else f"{self.suite}:{self.subset}"


class RunSummary(Record):
    """All sections of a run under one judge."""

    judge: str
    """Name of the judge; empty if nothing is judged."""

    confidence: float
    """Two-sided confidence of the intervals."""

    sections: tuple[Section, ...]


def sections_of(cases: Iterable[TestCase]) -> dict[SectionKey, list[TestCase]]:
    """The cases by section, in the order of first appearance."""
    found: dict[SectionKey, list[TestCase]] = {}
    for case in cases:
        found.setdefault((case.suite, case.attack, case.subset, case.label), []).append(case)
    return found


def summarize(
    cases: Sequence[TestCase],
    judgements: Mapping[str, Judgement] | Iterable[Judgement],
    completions: Mapping[str, Completion] | None = None,
    *,
    confidence: float = 0.95,
) -> RunSummary:
    """Count outcomes and compute all rates of a run.

    `judgements` (by case id, or any iterable) come from one judge and belong to `cases`; cases without one count as
    missing. `completions` (by case id) add lengths and truncation. Raises CbevalError for judgements of two judges,
    for two judgements of one case and for judgements of cases that the run does not have.
    """
    verdicts = _by_case(judgements.values() if isinstance(judgements, Mapping) else judgements)
    judges = sorted({judgement.judge for judgement in verdicts.values()})
    if len(judges) > 1:
        raise CbevalError(f"judgements of several judges cannot be summed up together: {', '.join(judges)}")
    strangers = verdicts.keys() - {case.id for case in cases}
    if strangers:
        raise CbevalError(f"{len(strangers)} judgements belong to no case of the run, the first is '{min(strangers)}'")
    return RunSummary(
        judge=judges[0] if judges else "",
        confidence=confidence,
        sections=tuple(
            _section(key, members, verdicts, completions, confidence) for key, members in sections_of(cases).items()
        ),
    )


def count_outcomes(outcomes: Iterable[Outcome]) -> dict[Outcome, int]:
    """How often each of the five outcomes occurs; all five are keys."""
    found = Counter(outcomes)
    return {outcome: found[outcome] for outcome in Outcome}


def _by_case(judgements: Iterable[Judgement]) -> dict[str, Judgement]:
    found: dict[str, Judgement] = {}
    for judgement in judgements:
        if judgement.case_id in found:
            raise CbevalError(f"case '{judgement.case_id}' has two judgements by '{judgement.judge}'")
        found[judgement.case_id] = judgement
    return found


def _section(
    key: SectionKey,
    cases: Sequence[TestCase],
    verdicts: Mapping[str, Judgement],
    completions: Mapping[str, Completion] | None,
    confidence: float,
) -> Section:
    suite, attack, subset, label = key
    judged = [(case, verdicts[case.id].outcome) for case in cases if case.id in verdicts]
    counts = count_outcomes(outcome for _, outcome in judged)
    missing = len(cases) - len(judged)
    by_category: dict[str, list[Outcome]] = {}
    for case, outcome in judged:
        if case.category:
            by_category.setdefault(case.category, []).append(outcome)
    answers = [completions[case.id] for case in cases if case.id in completions] if completions is not None else []
    return Section(
        suite=suite,
        attack=attack,
        subset=subset,
        label=label,
        n=len(cases),
        counts=counts,
        missing=missing,
        metrics=rates(counts, label, missing=missing, confidence=confidence),
        categories={category: count_outcomes(outcomes) for category, outcomes in by_category.items()},
        truncated=sum(answer.finish_reason == "length" for answer in answers) if completions is not None else None,
        mean_tokens=sum(answer.completion_tokens for answer in answers) / len(answers) if answers else None,
    )
