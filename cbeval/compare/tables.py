"""A comparison as a table: the same rows for the terminal and for Markdown."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cbeval.compare.flows import flow_lines
from cbeval.compare.paired import Comparison, SectionComparison
from cbeval.compare.text import p_text, percent, plain
from cbeval.metrics.rates import METRICS, Rate

HEADER = ("metric", "base", "other", "difference", "p", "changed")
WIDTH = 112
"""Of a whole row; a narrower console would cut numbers off."""

WIDTHS = (21, 20, 20, 21, 5, 9)
"""Of the columns in a terminal: what their longest usual cell takes."""


class Row(NamedTuple):
    """One metric of one section, ready to print."""

    metric: str
    base: str
    other: str
    difference: str
    p: str
    changed: str
    """Pairs that have the property in the base alone, and in the other run alone."""


def section_title(section: SectionComparison) -> str:
    """'harmbench:standard, direct, harmful (159 pairs)'."""
    parts = [section.suite, section.subset, section.attack, section.label]
    if section.subset and section.suite.endswith(f":{section.subset}"):
        parts.remove(section.subset)
    return plain(f"{', '.join(filter(None, parts))} ({section.pairs} pairs)")


def section_rows(section: SectionComparison) -> Iterator[Row]:
    """The rows of a section, rates in percent with their intervals."""
    for name, metric in section.metrics.items():
        difference = "-" if metric.difference is None else f"{100 * metric.difference:+.1f}"
        yield Row(
            metric=METRICS[section.label][name].title,
            base=_rate(metric.base),
            other=_rate(metric.other),
            difference=f"{difference} [{100 * metric.low:+.1f}, {100 * metric.high:+.1f}]",
            p=p_text(metric.p),
            changed=f"-{metric.only_base} +{metric.only_other}",
        )


def warning_lines(comparison: Comparison) -> list[str]:
    """What a reader must know before believing a difference."""
    lines = [
        f"{'NOT COMPARABLE' if mismatch.blocking else 'note'}: the runs differ in {plain(str(mismatch))}"
        for mismatch in sorted(comparison.mismatches, key=lambda mismatch: not mismatch.blocking)
    ]
    if comparison.only_base or comparison.only_other:
        lines.append(
            f"note: left out {comparison.only_base} cases that only the base has "
            f"and {comparison.only_other} that only the other run has"
        )
    lines += [
        f"note: {section.shared - section.pairs} of {section.shared} shared cases lack a verdict in one of the runs: "
        f"{section_title(section)}"
        for section in comparison.sections
        if section.pairs < section.shared
    ]
    return lines


def render(comparison: Comparison) -> RenderableType:
    """The comparison for a terminal; names from outside are shown as plain text, never as markup."""
    parts: list[RenderableType] = [
        Text(plain(f"{comparison.other} against {comparison.base} (judge {comparison.judge})"), style="bold")
    ]
    for line in warning_lines(comparison):
        parts.append(Text(line, style="bold red" if line.startswith("NOT") else "yellow"))
    for section in comparison.sections:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        # Fixed widths keep the columns of all sections in line.
        for column, width in zip(HEADER, WIDTHS, strict=True):
            table.add_column(column, min_width=width, no_wrap=True, justify="left" if column == "metric" else "right")
        for row in section_rows(section):
            table.add_row(*(Text(cell) for cell in row))
        parts += [Text(), Text(section_title(section), style="bold"), table]
        parts += [Text(f"  {line}") for line in flow_lines(section.flows)]
    parts += [Text(), Text(_legend(comparison), style="dim")]
    return Group(*parts)


def markdown(comparison: Comparison) -> str:
    """The comparison as GitHub-flavoured Markdown."""
    lines = [f"### {_escaped(comparison.other)} against {_escaped(comparison.base)} (judge {comparison.judge})", ""]
    lines += [f"> {_escaped(line)}\n" for line in warning_lines(comparison)]
    for section in comparison.sections:
        lines += [f"**{_escaped(section_title(section))}**", ""]
        lines += [f"| {' | '.join(HEADER)} |", "|---|--:|--:|--:|--:|--:|"]
        lines += [f"| {' | '.join(row)} |" for row in section_rows(section)]
        flows = "; ".join(flow_lines(section.flows))
        lines += ["", f"Flows: {flows or 'none changed'}", ""]
    lines.append(_legend(comparison))
    return "\n".join(lines) + "\n"


def _rate(rate: Rate) -> str:
    return f"{percent(rate.value)} [{percent(rate.low)}, {percent(rate.high)}]"


def _legend(comparison: Comparison) -> str:
    confidence = f"{100 * comparison.confidence:g} %"
    return (
        f"Rates in percent of the pairs, with {confidence} Wilson intervals; difference other - base in points with "
        f"Newcombe's paired {confidence} interval; p: exact McNemar test, two-sided; changed: pairs that lost it and "
        "that gained it."
    )


def _escaped(text: str) -> str:
    return "".join(f"\\{mark}" if mark in "\\`*_[]<>|#" else mark for mark in plain(text))
