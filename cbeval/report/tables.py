"""The results tables: every rate with its interval, paired difference and exact test."""

from collections.abc import Sequence
from dataclasses import dataclass

from cbeval.compare import SectionComparison
from cbeval.metrics import METRICS, Rate, Section
from cbeval.metrics.summary import SectionKey
from cbeval.records import Label
from cbeval.report.charts import PERCENT, RunMark, interval, percent

MAIN: dict[Label, str] = {"harmful": "asr", "benign": "lost"}
"""Label -> the metric of the first screen; lower is better in both."""

DASH = "\N{EM DASH}"


@dataclass(frozen=True)
class TableCell:
    """A number of the results table; `tone` is "better", "worse" or empty."""

    value: str
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True)
class TableRow:
    """One metric of a section."""

    title: str
    """Empty if the title of a row above spans this one."""

    main: bool
    cells: tuple[TableCell, ...]
    span: int = 1


Table = tuple[tuple[str, ...], tuple[TableRow, ...]]
"""Columns and rows."""


def table(
    key: SectionKey,
    marks: Sequence[RunMark],
    measured: Sequence[Section | None],
    compared: Sequence[SectionComparison | None],
) -> Table:
    """The table of a section: runs side by side if there are two at most, else one below the other.

    `measured` is aligned with `marks`; `compared` with all marks but the first (the base), or empty without a base.
    """
    return (_wide_table if len(marks) <= 2 else _long_table)(key, marks, measured, compared)


def rate_of(section: Section | None, metric: str) -> Rate | None:
    """A section's rate by name; None if the run has no such section."""
    return section.metrics.get(metric) if section is not None else None


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _rows_of(label: Label, measured: Sequence[Section | None]) -> list[tuple[str, str]]:
    """Name and title of the metrics that have a row; the unjudged ones only where there are any."""
    named = [(metric.name, sentence(metric.title)) for metric in METRICS[label].values()]
    if any(section is not None and section.metrics["unjudged"].k for section in measured):
        named.append(("unjudged", "Without a verdict"))
    return named


def _wide_table(
    key: SectionKey,
    marks: Sequence[RunMark],
    measured: Sequence[Section | None],
    compared: Sequence[SectionComparison | None],
) -> Table:
    """One or two runs side by side."""
    rows = []
    for name, title in _rows_of(key[3], measured):
        cells = [_rate_cell(rate_of(section, name)) for section in measured]
        cells += _difference_cells(compared[0], key[3], name) if compared else []
        rows.append(TableRow(title, name == MAIN[key[3]], tuple(cells)))
    return (*(mark.name for mark in marks), *(("Difference", "p") if compared else ())), tuple(rows)


def _long_table(
    key: SectionKey,
    marks: Sequence[RunMark],
    measured: Sequence[Section | None],
    compared: Sequence[SectionComparison | None],
) -> Table:
    """Many runs, one below the other within each metric."""
    rows = []
    for name, title in _rows_of(key[3], measured):
        for i, (mark, section) in enumerate(zip(marks, measured, strict=True)):
            cells = [TableCell(mark.name), _rate_cell(rate_of(section, name))]
            if compared:
                cells += _difference_cells(compared[i - 1] if i else None, key[3], name)
            rows.append(TableRow("" if i else title, name == MAIN[key[3]], tuple(cells), len(marks)))
    return ("Run", "Rate", *(("Difference", "p") if compared else ())), tuple(rows)


def _rate_cell(rate: Rate | None) -> TableCell:
    if rate is None or rate.value is None:
        return TableCell(DASH)
    return TableCell(f"{percent(rate.value)}{PERCENT}", f"{interval(rate)}")


def _difference_cells(section: SectionComparison | None, label: Label, name: str) -> list[TableCell]:
    compared = section.metrics.get(name) if section is not None else None
    if compared is None or compared.difference is None:
        return [TableCell(DASH), TableCell(DASH)]
    metric = METRICS[label][name]
    tone = ""
    if metric.better and (compared.low > 0 or compared.high < 0):
        tone = "better" if (compared.high < 0) == (metric.better == "lower") else "worse"
    sign = "+" if compared.difference > 0 else ""
    ends = f"{percent(compared.low)} to {percent(compared.high)}"
    p = "< 0.001" if compared.p < 0.001 else f"{compared.p:.3f}"
    discordant = f"{compared.only_base}:{compared.only_other}"
    return [TableCell(f"{sign}{percent(compared.difference)}", ends, tone), TableCell(p, discordant)]
