"""The pure core of a comparison: pairs two runs' judgements by test case and tests every metric on the pairs.

Both runs answer the same prompts, so the prompts' difficulty cancels out: intervals and tests are on pairs, which
sees differences that two separate intervals cannot.
"""

from collections.abc import Mapping, Sequence

from cbeval.compare.flows import outcome_flows
from cbeval.metrics.intervals import newcombe_paired
from cbeval.metrics.paired import mcnemar
from cbeval.metrics.rates import METRICS, Rate, rate
from cbeval.metrics.summary import SectionKey, sections_of
from cbeval.records import Judgement, Label, Outcome, Record, TestCase


class MetricComparison(Record):
    """One metric on the pairs that are judged in both runs."""

    base: Rate
    other: Rate
    difference: float | None
    """other - base, as a proportion; None without pairs."""

    low: float
    high: float
    """Two-sided interval of the difference (Newcombe 1998, paired, method 10)."""

    both: int
    only_base: int
    """Pairs that have the property in the base run alone."""

    only_other: int
    neither: int

    p: float
    """Exact two-sided McNemar p value of the discordant pairs."""


class SectionComparison(Record):
    """One suite, attack, subset and label in two runs."""

    suite: str
    attack: str
    subset: str = ""
    label: Label
    shared: int
    """Cases that both runs have."""

    pairs: int
    """Shared cases with a verdict in both runs; the metrics are over these."""

    metrics: Mapping[str, MetricComparison]
    """Metric name (`cbeval.metrics.rates.METRICS[label]`) -> comparison."""

    flows: Mapping[Outcome, Mapping[Outcome, int]]
    """Base outcome -> other outcome -> shared cases with a judgement in both runs, the unjudged among them."""

    @property
    def key(self) -> SectionKey:
        """What identifies the section in every run."""
        return self.suite, self.attack, self.subset, self.label


class Mismatch(Record):
    """A setting in which two runs differ, so that a difference of their rates may not be the model's doing."""

    field: str
    """What differs: `judge digest`, `sampling.max_new_tokens`, `suite harmbench digest`, ..."""

    base: str
    other: str
    blocking: bool = True
    """A gate refuses the baseline; else the difference is only named."""

    def __str__(self) -> str:
        return f"{self.field}: {self.base} against {self.other}"


class Comparison(Record):
    """Two runs compared under one judge."""

    base: str
    """Name of the base run, for people."""

    other: str
    judge: str
    confidence: float
    """Two-sided confidence of all intervals."""

    sections: tuple[SectionComparison, ...]
    only_base: int = 0
    """Cases that only the base run has."""

    only_other: int = 0
    mismatches: tuple[Mismatch, ...] = ()
    """Settings that differ. Shown loudly; a gate refuses a baseline with a blocking one."""


def compare_records(
    base_cases: Sequence[TestCase],
    other_cases: Sequence[TestCase],
    base_judgements: Mapping[str, Judgement],
    other_judgements: Mapping[str, Judgement],
    *,
    base: str = "base",
    other: str = "other",
    judge: str = "",
    confidence: float = 0.95,
    mismatches: Sequence[Mismatch] = (),
) -> Comparison:
    """Compare two runs' judgements (by case id) on the cases whose ids both have, in the order of the base run."""
    in_other = {case.id for case in other_cases}
    shared = [case for case in base_cases if case.id in in_other]
    return Comparison(
        base=base,
        other=other,
        judge=judge,
        confidence=confidence,
        sections=tuple(
            _section(key, members, base_judgements, other_judgements, confidence)
            for key, members in sections_of(shared).items()
        ),
        only_base=len(base_cases) - len(shared),
        only_other=len(other_cases) - len(shared),
        mismatches=tuple(mismatches),
    )


def _section(
    key: SectionKey,
    cases: Sequence[TestCase],
    base_judgements: Mapping[str, Judgement],
    other_judgements: Mapping[str, Judgement],
    confidence: float,
) -> SectionComparison:
    suite, attack, subset, label = key
    outcomes = [
        (base_judgements[case.id].outcome, other_judgements[case.id].outcome)
        for case in cases
        if case.id in base_judgements and case.id in other_judgements
    ]
    pairs = [pair for pair in outcomes if Outcome.UNJUDGED not in pair]
    return SectionComparison(
        suite=suite,
        attack=attack,
        subset=subset,
        label=label,
        shared=len(cases),
        pairs=len(pairs),
        metrics={
            name: compare_metric(
                [(base in metric.outcomes, other in metric.outcomes) for base, other in pairs],
                unpaired=len(cases) - len(pairs),
                confidence=confidence,
            )
            for name, metric in METRICS[label].items()
        },
        flows=outcome_flows(outcomes),
    )


def compare_metric(
    pairs: Sequence[tuple[bool, bool]], *, unpaired: int = 0, confidence: float = 0.95
) -> MetricComparison:
    """Compare one property on pairs (has it in base, has it in other); `unpaired` shared cases lack a verdict."""
    both = sum(in_base and in_other for in_base, in_other in pairs)
    only_base = sum(in_base and not in_other for in_base, in_other in pairs)
    only_other = sum(in_other and not in_base for in_base, in_other in pairs)
    n = len(pairs)
    neither = n - both - only_base - only_other
    low, high = newcombe_paired(both, only_base, only_other, neither, confidence)
    return MetricComparison(
        base=rate(both + only_base, n, unjudged=unpaired, confidence=confidence),
        other=rate(both + only_other, n, unjudged=unpaired, confidence=confidence),
        difference=(only_other - only_base) / n if n else None,
        low=low,
        high=high,
        both=both,
        only_base=only_base,
        only_other=only_other,
        neither=neither,
        p=mcnemar(only_base, only_other),
    )
