"""Geometry of line charts over training steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10


@dataclass(frozen=True)
class Tick:
    """A line across a plot, in percent from the top."""

    at: float
    text: str


@dataclass(frozen=True)
class Series:
    """One line of a plot in a 100 x 100 box."""

    name: str
    points: str
    last: str


@dataclass(frozen=True)
class Curve:
    """A line chart over training steps."""

    title: str
    series: tuple[Series, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[str, ...]
    mark: float | None
    """Position of a marked step in percent; None for none."""

    mark_text: str
    spoken: str


def curve(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    low: float | None = None,
    high: float | None = None,
    mark: float | None = None,
    mark_text: str = "",
) -> Curve | None:
    """A line chart of name -> (step, value) points; None if no series has two points.

    `low` and `high` widen the axis; `mark` is a step.
    """
    drawn = {name: points for name, points in series.items() if len(points) > 1}
    if not drawn:
        return None
    steps = [step for points in drawn.values() for step, _ in points]
    values = [value for points in drawn.values() for _, value in points]
    first, last = min(steps), max(steps)
    bottom, top, ticks = axis(min(values, default=0), max(values, default=1), low, high)

    def x(step: float) -> float:
        return round(100 * (step - first) / ((last - first) or 1), 2)

    def y(value: float) -> float:
        return round(100 * (top - value) / (top - bottom), 2)

    lines = tuple(
        Series(name, " ".join(f"{x(s)},{y(v)}" for s, v in points), f"{points[-1][1]:.3g}")
        for name, points in drawn.items()
    )
    spoken = f"{title}, step {first:g} to {last:g}: " + ", ".join(
        f"{name} from {points[0][1]:.3g} to {points[-1][1]:.3g}" for name, points in drawn.items()
    )
    inside = mark is not None and first <= mark <= last
    return Curve(
        title,
        lines,
        tuple(Tick(y(tick), f"{tick:g}") for tick in ticks),
        tuple(f"{'step ' if i == 0 else ''}{first + (last - first) * i / 4:.0f}" for i in range(5)),
        x(mark) if mark is not None and inside else None,
        mark_text,
        spoken,
    )


def axis(
    least: float, most: float, low: float | None = None, high: float | None = None
) -> tuple[float, float, tuple[float, ...]]:
    """Ends of an axis that holds all values, and its ticks at round numbers."""
    bottom = least if low is None else min(low, least)
    top = most if high is None else max(high, most)
    if top - bottom < 1e-6 * max(1.0, abs(top), abs(bottom)):  # flat: any axis will do
        top = bottom + 1
    raw = (top - bottom) / 4
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw - 1e-12)
    # The slack keeps an end that lies on a round number from gaining a tick through rounding.
    first, last = floor(bottom / step + 1e-9), ceil(top / step - 1e-9)
    ticks = tuple(round(n * step, 10) for n in range(first, last + 1))
    return ticks[0], ticks[-1], ticks
