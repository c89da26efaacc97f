"""From runs and comparisons to what the page shows: every text, number and position; the template only places them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cbeval.compare import Comparison, SectionComparison
from cbeval.metrics import METRICS, Section, rates
from cbeval.metrics.summary import SectionKey
from cbeval.records import Label
from cbeval.report.answers import Explorer, explorer
from cbeval.report.charts import PERCENT, Bar, Lane, RunMark, bar, interval, lane, percent
from cbeval.report.contents import RunContents
from cbeval.report.flows import Flow, flow
from cbeval.report.notices import Notice, notices, section_title
from cbeval.report.provenance import Source, commands, provenance
from cbeval.report.tables import DASH, MAIN, TableRow, rate_of, sentence, table
from cbeval.report.training import Training, training_of
from cbeval.report.verdict import VerdictView

SHAPES = 4
"""Markers for breakers; with more runs they repeat, and names tell the runs apart."""

HEADLINES = 4


@dataclass(frozen=True)
class Headline:
    """One big number: base before, breaker after, in percent without the sign."""

    what: str
    where: str
    before: str
    after: str
    interval: str


@dataclass(frozen=True)
class Group:
    """One row of the interval chart: a section's main metric for every run."""

    title: str
    metric: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class SectionView:
    """A section's table, bars and flows."""

    title: str
    label: Label
    n: int
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    bars: tuple[Bar, ...]
    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class CategoryRow:
    """A category's bars, one a run."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Categories:
    """All categories of a section."""

    title: str
    metric: str
    rows: tuple[CategoryRow, ...]


@dataclass(frozen=True)
class Page:
    """Everything on the page."""

    title: str
    made: str
    """When the page was made, for people."""

    judge: str
    confidence: str
    runs: tuple[RunMark, ...]
    compared: bool
    verdict: VerdictView | None
    notices: tuple[Notice, ...]
    headlines: tuple[Headline, ...]
    forest: tuple[Group, ...]
    sections: tuple[SectionView, ...]
    categories: tuple[Categories, ...]
    training: tuple[Training, ...]
    explorer: Explorer | None
    commands: tuple[str, ...]
    provenance: tuple[Source, ...]


def build_page(
    runs: Sequence[RunContents],
    base: RunContents | None,
    comparisons: Sequence[Comparison],
    *,
    title: str = "",
    made: str = "",
    judge: str = "outcome",
    verdict: VerdictView | None = None,
) -> Page:
    """Build the page of `runs` against `base`; `comparisons` are aligned with `runs` and empty without a base."""
    everyone = [base, *runs] if base is not None else list(runs)
    marks = tuple(_mark(run, i, base is not None) for i, run in enumerate(everyone))
    sections = [{section.key: section for section in run.summary.sections} for run in everyone]
    keys = _keys(sections)
    pairs = [{section.key: section for section in comparison.sections} for comparison in comparisons]
    packed = explorer(everyone, 0 if base is not None else None)
    places = packed.places if packed else {}
    others = marks[1:] if base is not None else marks
    return Page(
        title=title or _title(runs, base),
        made=made,
        judge=judge,
        confidence=f"{100 * everyone[0].summary.confidence:g}{PERCENT}",
        runs=marks,
        compared=base is not None,
        verdict=verdict,
        notices=notices(everyone, base, comparisons),
        headlines=_headlines(keys, sections, base is not None),
        forest=tuple(_group(key, marks, sections) for key in keys),
        sections=tuple(_section(key, marks, others, sections, pairs, places.get(key, (0, 0, 0, "H"))) for key in keys),
        categories=tuple(c for key in keys if (c := _categories(key, marks, sections)).rows),
        training=tuple(t for run in everyone if (t := training_of(run)) is not None),
        explorer=packed,
        commands=commands(everyone, base, judge),
        provenance=provenance(everyone),
    )


def _mark(run: RunContents, index: int, paired: bool) -> RunMark:
    shape = 0 if paired and index == 0 else 1 + (index - paired) % SHAPES
    engine = f"{run.config.engine} {run.config.engine_version}".strip()
    role = ("base, " if index == 0 else "") if paired else ""
    return RunMark(run.name, index, shape, f"{role}{run.config.model}, {engine}")


def _title(runs: Sequence[RunContents], base: RunContents | None) -> str:
    names = ", ".join(run.name for run in runs[:3]) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
    return f"{names} against {base.name}" if base is not None else names


def _keys(sections: Sequence[dict[SectionKey, Section]]) -> list[SectionKey]:
    """All sections, the harmful ones first, else in order of appearance."""
    keys = dict.fromkeys(key for run in sections for key in run)
    return sorted(keys, key=lambda key: key[3] != "harmful")


def _first(key: SectionKey, sections: Sequence[dict[SectionKey, Section]]) -> Section:
    return next(run[key] for run in sections if key in run)


def _headlines(
    keys: Sequence[SectionKey],
    sections: Sequence[dict[SectionKey, Section]],
    paired: bool,
) -> tuple[Headline, ...]:
    """Big numbers for one breaker (or one run); with more runs the chart says it better."""
    if len(sections) != 1 + paired:
        return ()
    found = []
    harmful = [key for key in keys if key[3] == "harmful"]
    benign = [key for key in keys if key[3] == "benign"]
    room = max(HEADLINES - len(benign), HEADLINES // 2)
    for key in [*harmful[:room], *benign][:HEADLINES]:
        metric = METRICS[key[3]][MAIN[key[3]]]
        rate = rate_of(sections[-1].get(key), metric.name)
        before = rate_of(sections[0].get(key), metric.name) if paired else None
        if rate is None or rate.value is None:
            continue
        found.append(
            Headline(
                what=sentence(metric.title),
                where=section_title(_first(key, sections)),
                before=percent(before.value) if before is not None and before.value is not None else "",
                after=percent(rate.value),
                interval=f"{interval(rate)}{PERCENT}, {rate.k} of {rate.n}",
            )
        )
    return tuple(found)


def _group(key: SectionKey, marks: Sequence[RunMark], sections: Sequence[dict[SectionKey, Section]]) -> Group:
    metric = METRICS[key[3]][MAIN[key[3]]]
    lanes = tuple(lane(mark, rate_of(run.get(key), metric.name)) for mark, run in zip(marks, sections, strict=True))
    return Group(section_title(_first(key, sections)), metric.title, lanes)


def _section(
    key: SectionKey,
    marks: Sequence[RunMark],
    others: Sequence[RunMark],
    sections: Sequence[dict[SectionKey, Section]],
    pairs: Sequence[dict[SectionKey, SectionComparison]],
    place: tuple[int, int, int, str],
) -> SectionView:
    first = _first(key, sections)
    title = section_title(first)
    measured = [run.get(key) for run in sections]
    compared = [run_pairs.get(key) for run_pairs in pairs]
    columns, rows = table(key, marks, measured, compared)
    flows = []
    for run_pairs, other in zip(pairs, others, strict=True) if pairs else ():
        if key in run_pairs:
            flows.append(flow(title, marks[0], other, run_pairs[key].flows, place=place))
    return SectionView(
        title=title,
        label=key[3],
        n=first.n,
        columns=columns,
        rows=rows,
        bars=tuple(
            bar(mark.name, run[key].counts if key in run else {}) for mark, run in zip(marks, sections, strict=True)
        ),
        flows=tuple(f for f in flows if f is not None),
    )


def _categories(key: SectionKey, marks: Sequence[RunMark], sections: Sequence[dict[SectionKey, Section]]) -> Categories:
    metric = METRICS[key[3]][MAIN[key[3]]]
    names = dict.fromkeys(name for run in sections if key in run for name in run[key].categories)
    rows = []
    for name in sorted(names):
        bars = []
        for mark, run in zip(marks, sections, strict=True):
            counts = run[key].categories.get(name, {}) if key in run else {}
            rate = rates(counts, key[3])[metric.name]
            bars.append(bar(mark.name, counts, f"{rate.k} / {rate.n}" if rate.n else DASH))
        rows.append(CategoryRow(name.replace("_", " "), tuple(bars)))
    return Categories(section_title(_first(key, sections)), metric.title, tuple(rows))
