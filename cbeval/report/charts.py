"""Geometry of dots, intervals and bars: rates and counts in, positions in percent out.

The markup is in templates/charts.html.j2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cbeval.metrics import Rate
from cbeval.records import Outcome

LETTERS: Mapping[Outcome, str] = {
    Outcome.COMPLIED: "C",
    Outcome.PARTIAL: "P",
    Outcome.REFUSED: "R",
    Outcome.BROKEN: "B",
    Outcome.UNJUDGED: "U",
}
"""Outcome -> the letter that stands for it beside its colour and pattern."""


PERCENT = "\N{NO-BREAK SPACE}%"


def percent(value: float, digits: int = 1) -> str:
    """A proportion as percent without the sign: 0.843 -> "84.3"; never "-0.0"."""
    text = f"{100 * value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def interval(rate: Rate) -> str:
    """The Wilson interval of a rate in percent."""
    return f"{percent(rate.low)}\N{EN DASH}{percent(rate.high)}"


@dataclass(frozen=True)
class RunMark:
    """How a run is shown: its name, its place in the page's list and its marker (0 is the base's ring)."""

    name: str
    index: int
    shape: int
    about: str = ""


@dataclass(frozen=True)
class Lane:
    """A rate with its interval on the 0..100 axis; `x` is None if nothing was judged."""

    run: RunMark
    x: float | None
    low: float
    high: float
    value: str
    interval: str
    spoken: str


def lane(run: RunMark, rate: Rate | None) -> Lane:
    """The dot and interval of one run."""
    if rate is None or rate.value is None:
        return Lane(run, None, 0, 0, "\N{EM DASH}", "not judged", f"{run.name}: no judged answers")
    return Lane(
        run,
        round(100 * rate.value, 2),
        round(100 * rate.low, 2),
        round(100 * rate.high, 2),
        f"{percent(rate.value)}{PERCENT}",
        interval(rate),
        f"{run.name}: {percent(rate.value)}{PERCENT}, interval {percent(rate.low)} to {percent(rate.high)}{PERCENT}",
    )


@dataclass(frozen=True)
class Segment:
    """One outcome's part of a bar."""

    outcome: str
    letter: str
    count: int
    x: float
    width: float
    mid: float
    title: str


@dataclass(frozen=True)
class Bar:
    """All outcomes of some answers as one stacked bar."""

    name: str
    segments: tuple[Segment, ...]
    spoken: str
    value: str = ""
    """A number shown at the bar's end."""


def bar(name: str, counts: Mapping[Outcome, int], value: str = "") -> Bar:
    """A stacked bar of outcome counts; no segments if there are none."""
    total = sum(counts.values())
    segments = []
    before = 0
    for outcome in Outcome:
        count = counts.get(outcome, 0)
        if not count:
            continue
        x, width = 100 * before / total, 100 * count / total
        title = f"{outcome}: {count} of {total} ({percent(count / total)}{PERCENT})"
        segments.append(
            Segment(str(outcome), LETTERS[outcome], count, round(x, 3), round(width, 3), round(x + width / 2, 3), title)
        )
        before += count
    spoken = f"{name}: " + (", ".join(f"{s.count} {s.outcome}" for s in segments) or "no judged answers")
    return Bar(name, tuple(segments), spoken, value)
