"""The policy's checks on a run's sections: each gives one finding for every section it matches, or a failed one."""

from collections.abc import Iterator

from cbeval.compare.paired import Comparison, MetricComparison, SectionComparison
from cbeval.gate.policy import Check, nearest
from cbeval.gate.verdict import Finding
from cbeval.metrics.intervals import newcombe_paired, wilson
from cbeval.metrics.paired import mcnemar_fall
from cbeval.metrics.rates import METRICS, Rate
from cbeval.metrics.summary import RunSummary, Section


def matching(check: Check, summary: RunSummary) -> list[Section]:
    """The sections that a check is about."""
    return [
        section
        for section in summary.sections
        if check.suite in (section.suite, section.part)
        and check.attack in (None, section.attack)
        and check.subset in (None, section.subset)
        and check.label in (None, section.label)
        and check.metric in section.metrics
    ]


def evaluate(check: Check, summary: RunSummary, comparison: Comparison | None) -> Iterator[Finding]:
    """The findings of a check. `comparison` is with the baseline, and needed if the check is paired."""
    sections = matching(check, summary)
    if not sections:
        has = [f"{section.part} ({section.attack}, {section.label})" for section in summary.sections]
        hint = nearest(check.suite, dict.fromkeys(section.part for section in summary.sections)) if has else ""
        close = f" ({hint})" if hint.startswith("did") and check.suite not in hint else ""
        yield Finding(
            kind="check",
            name=_name(check, check.suite, check.attack),
            passed=False,
            sentence=f"no answers of the run match this check{close}; the run has {', '.join(has) or 'none'}.",
        )
    for section in sections:
        # Several sections of one suite can match: the name must tell them apart.
        labelled = f" ({section.label})" if len({found.label for found in sections}) > 1 else ""
        name = _name(check, section.part + labelled, section.attack)
        if not check.paired:
            yield _absolute(check, name, section.metrics[check.metric], _title(check, section))
            continue
        twin = next((found for found in comparison.sections if found.key == section.key), None) if comparison else None
        if twin is None:
            sentence = "the baseline has no answers to these prompts."
            yield Finding(kind="check", name=name, passed=False, sentence=sentence)
        elif twin.shared < section.n:
            sentence = f"the baseline has answers to only {twin.shared} of these {section.n} prompts."
            yield Finding(kind="check", name=name, passed=False, sentence=sentence)
        else:
            yield _paired(check, name, twin, _title(check, section))


def _absolute(check: Check, name: str, rate: Rate, title: str) -> Finding:
    """`max` and `min`: the rate, or the end of its Wilson interval that speaks against the model, and a limit."""
    low, high = wilson(rate.k, rate.n, check.confidence)
    numbers: dict[str, float | None] = {"k": rate.k, "n": rate.n, "value": rate.value, "low": low, "high": high}
    upper = check.max is not None
    limit = check.max if check.max is not None else check.min
    assert limit is not None
    numbers["limit"] = limit
    if (short := _too_few(check, rate.n, "judged answers")) or rate.value is None:
        return Finding(kind="check", name=name, passed=False, sentence=short or "nothing is judged.", numbers=numbers)
    held = rate.value if check.on == "point" else high if upper else low
    passed = held <= limit if upper else held >= limit
    what = "the measured value" if check.on == "point" else f"the interval's {'upper' if upper else 'lower'} end"
    sentence = (
        f"{title}: {rate.k} of {rate.n} = {_percent(rate.value)} (interval {_percent(low)} to {_percent(high)}); "
        f"{what} {_percent(held, limit)} is {_relation(held, limit)} the limit of {_percent(limit)}."
    )
    return Finding(kind="check", name=name, passed=passed, sentence=sentence, numbers=numbers)


def _paired(check: Check, name: str, section: SectionComparison, title: str) -> Finding:
    """The rules against a baseline, on the pairs that are judged in both runs."""
    metric = section.metrics[check.metric]
    numbers: dict[str, float | None] = {
        "pairs": section.pairs,
        "base": metric.base.value,
        "value": metric.other.value,
        "difference": metric.difference,
        "only_base": metric.only_base,
        "only_other": metric.only_other,
    }
    if (short := _too_few(check, section.pairs, "judged pairs")) or metric.difference is None:
        return Finding(kind="check", name=name, passed=False, sentence=short or "no pairs.", numbers=numbers)
    change = f"{title}: {_percent(metric.base.value)} -> {_percent(metric.other.value)} on {section.pairs} pairs"
    if check.must_fall:
        p = mcnemar_fall(metric.only_base, metric.only_other)
        passed = p < check.alpha
        numbers |= {"p": p, "alpha": check.alpha}
        sentence = (
            f"{change}, {metric.only_base} prompts lost it and {metric.only_other} gained it; exact one-sided McNemar "
            f"p = {p:.2g}, {'below' if passed else 'not below'} {check.alpha:g}."
        )
    else:
        passed, sentence = _margin(check, metric, change, numbers)
    return Finding(kind="check", name=name, passed=passed, sentence=sentence, numbers=numbers)


def _margin(check: Check, metric: MetricComparison, change: str, numbers: dict[str, float | None]) -> tuple[bool, str]:
    """Non-inferiority: the one-sided limit of the difference (or the difference itself) within the margin."""
    assert metric.difference is not None
    # The two-sided interval that leaves 1 - confidence on each side has the one-sided limits as its ends.
    low, high = newcombe_paired(
        metric.both, metric.only_base, metric.only_other, metric.neither, 2 * check.confidence - 1
    )
    rise = check.max_increase is not None
    margin = check.max_increase if check.max_increase is not None else check.max_decrease
    assert margin is not None
    # The same direction for both rules: how much worse, as far as the data allow.
    worst = high if rise else -low
    if check.on == "point":
        worst = metric.difference if rise else -metric.difference
    numbers |= {"limit": margin, "worst": worst}
    direction = "rise" if rise else "fall"
    what = (
        f"the measured {direction}"
        if check.on == "point"
        else f"with {100 * check.confidence:g} % confidence the {direction}"
    )
    verb = "is" if check.on == "point" else "is at most"
    sentence = (
        f"{change}, difference {_points(metric.difference)}; {what} {verb} {_points(worst, margin)}, "
        f"{_relation(worst, margin)} the margin of {_points(margin)}."
    )
    return worst <= margin, sentence


def _name(check: Check, suite: str, attack: str | None) -> str:
    if check.max is not None:
        demand = f"at most {_percent(check.max)}"
    elif check.min is not None:
        demand = f"at least {_percent(check.min)}"
    elif check.max_increase is not None:
        demand = f"at most {_points(check.max_increase)} above the baseline"
    elif check.max_decrease is not None:
        demand = f"at most {_points(check.max_decrease)} below the baseline"
    else:
        demand = "significantly below the baseline"
    return f"{check.metric} on {suite}{f', {attack}' if attack else ''}: {demand}"


def _title(check: Check, section: Section) -> str:
    metric = METRICS[section.label].get(check.metric)
    return metric.title if metric is not None else "answers without a verdict"


def _too_few(check: Check, n: int, noun: str) -> str:
    return f"only {n} {noun}, at least {check.min_n} are needed." if n < check.min_n else ""


def _relation(value: float, limit: float) -> str:
    return "above" if value > limit else "below" if value < limit else "at"


def _percent(value: float | None, beside: float | None = None) -> str:
    return "-" if value is None else f"{_digits(100 * value, beside)} %"


def _points(value: float, beside: float | None = None) -> str:
    return f"{_digits(100 * value, beside)} points"


def _digits(value: float, beside: float | None) -> str:
    """One decimal, or as many as it takes to differ from the number it is held against."""
    if beside is None:
        return f"{value:.1f}".removesuffix(".0") if value == round(value) else f"{value:.1f}"
    places = next((n for n in range(1, 7) if f"{value:.{n}f}" != f"{100 * beside:.{n}f}"), 1)
    return f"{value:.{places}f}"
