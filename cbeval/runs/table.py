"""What a run found, as a table for a terminal: one row for each suite, attack, subset and label, never pooled."""

from typing import TYPE_CHECKING

from cbeval.metrics.rates import Rate
from cbeval.metrics.summary import RunSummary
from cbeval.records import Outcome
from cbeval.runs.folder import RunFolder

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (("asr", "attack success"), ("over_refusal", "over-refusal"), ("broken", "broken"))


def cell(rate: Rate | None) -> str:
    """`12.5 % [3.5-36.0] 2/16`: the value with its Wilson interval in per cent; `-` where there is no such rate."""
    if rate is None:
        return "-"
    if rate.value is None:
        return "none judged"
    return f"{100 * rate.value:.1f} % [{100 * rate.low:.1f}-{100 * rate.high:.1f}] {rate.k}/{rate.n}"


def rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """One row of cells for each section: what it is, and its rates (`COLUMNS`), then the unjudged if there are any."""
    return [
        (
            section.suite,
            section.attack,
            section.subset or "-",
            section.label,
            *(cell(section.metrics.get(name)) for name, _ in COLUMNS),
            str(section.counts.get(Outcome.UNJUDGED, 0) + section.missing),
        )
        for section in summary.sections
    ]


def table(summary: RunSummary) -> "Table":
    """The rows under their headings; the column of unjudged answers only if there are any."""
    from rich.table import Table
    from rich.text import Text

    found = rows(summary)
    headings = ["suite", "attack", "subset", "prompts", *(title for _, title in COLUMNS), "unjudged"]
    width = len(headings) if any(row[-1] != "0" for row in found) else len(headings) - 1
    confidence = f"{100 * summary.confidence:g} %"
    made = Table(title=f"judge {summary.judge} (rate [Wilson {confidence}] count)", title_justify="left")
    for number, heading in enumerate(headings[:width]):
        made.add_column(heading, justify="left" if number < 4 else "right", no_wrap=number >= 4)
    for row in found:
        made.add_row(*(Text(text) for text in row[:width]))  # Text: a suite's name is not markup
    return made


def caveats(run: RunFolder) -> list[str]:
    """What a reader must know before quoting a number of this run, one line each; empty for a run by the book."""
    config = run.config
    lines = [
        f"partial: {suite.taken} of {suite.n} behaviours of '{suite.name}'; no gate passes on it"
        for suite in config.suites
        if suite.taken < suite.n
    ]
    lines += [f"off protocol: {reason}" for reason in config.off_protocol]
    lines += [
        f"contaminated: the model was trained on {suite.contaminated} of the {suite.taken} prompts of '{suite.name}'"
        for suite in config.suites
        if suite.contaminated
    ]
    return lines


def print_run(run: RunFolder) -> None:
    """Print the tables of all judges, the caveats and the folder; as wide as it needs where that is no terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    for summary in run.summaries().values():
        console.print(table(summary))
    for line in caveats(run):
        console.print(line, style="yellow", markup=False)
    console.print(str(run.path), markup=False, soft_wrap=True)
