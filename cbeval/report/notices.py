"""What a reader must know before the numbers: partial runs, deviations, contamination, answers without a verdict."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cbeval.compare import Comparison
from cbeval.metrics import METRICS, Section
from cbeval.report.charts import PERCENT, percent
from cbeval.report.contents import RunContents
from cbeval.report.tables import MAIN


@dataclass(frozen=True)
class Notice:
    """One kind of caveat with a line for each run it holds for."""

    level: Literal["stop", "warn", "note"]
    """`stop`: the numbers prove nothing; `warn`: read them with care; `note`: good to know."""

    title: str
    lines: tuple[str, ...]


def notices(
    runs: Sequence[RunContents], base: RunContents | None, comparisons: Sequence[Comparison]
) -> tuple[Notice, ...]:
    """All caveats of the runs, `base` among them, and of their comparison, the gravest first."""

    def each(lines: Callable[[RunContents], Iterable[str]]) -> list[str]:
        return [f"{run.name}: {line}" for run in runs for line in lines(run)]

    found = (
        _notice("stop", "Not complete", each(_incomplete)),
        _notice("stop", "Partial run: it proves nothing and passes no gate", each(_partial)),
        _notice("stop", "Trained on test prompts: the rates there are not a test", each(_contaminated)),
        _notice("stop", "Training did not end well", each(_training)),
        _notice("warn", "Off protocol: not comparable with published numbers", each(_off_protocol)),
        _notice("stop", "Not comparable: a gate would refuse this baseline", _mismatches(comparisons, blocking=True)),
        _notice(
            "warn", "Not made alike: it may not all be the model's doing", _mismatches(comparisons, blocking=False)
        ),
        _notice("warn", "Not the same prompts: differences are over the shared ones", _unshared(comparisons)),
        _notice("warn", "Answers without a verdict", each(_unjudged)),
        _notice(
            "note",
            "Nothing is known of the training prompts, so contamination cannot be told",
            each(lambda run: [] if run is base else _untold(run)),
        ),
        _notice("note", "Answers cut off at the token limit", each(_cut)),
    )
    order = ("stop", "warn", "note")
    return tuple(sorted((notice for notice in found if notice.lines), key=lambda notice: order.index(notice.level)))


def _notice(level: Literal["stop", "warn", "note"], title: str, lines: Sequence[str]) -> Notice:
    return Notice(level, title, tuple(lines))


def _incomplete(run: RunContents) -> list[str]:
    if run.manifest is not None:
        return []
    answered = (
        f"{len(run.completions)} of {len(run.cases)} prompts are answered" if run.cases else "nothing is answered"
    )
    return [f"{answered}; the same command again finishes the run"]


def _partial(run: RunContents) -> list[str]:
    recorded = run.manifest.partial_reasons if run.manifest is not None else ()
    taken = [
        f"{suite.taken} of {suite.n} prompts of {suite.name}" for suite in run.config.suites if suite.taken < suite.n
    ]
    if not (run.config.partial or (run.manifest is not None and run.manifest.partial)):
        return []
    return ["; ".join(recorded or taken) or "some prompts were left out"]


def _contaminated(run: RunContents) -> list[str]:
    return [
        f"{suite.contaminated} of {suite.taken} of {suite.name}" for suite in run.config.suites if suite.contaminated
    ]


def _training(run: RunContents) -> list[str]:
    status = run.training.get("status")
    if not status or status == "ok":
        return []
    return [
        "status no_effect, the training changed nothing that counts" if status == "no_effect" else f"status {status}"
    ]


def _off_protocol(run: RunContents) -> list[str]:
    return ["; ".join(run.config.off_protocol)] if run.config.off_protocol else []


def _untold(run: RunContents) -> list[str]:
    return ["the model has no training record"] if not run.config.trained else []


def _cut(run: RunContents) -> list[str]:
    cut = sum(section.truncated or 0 for section in run.summary.sections)
    return [f"{cut} of {len(run.completions)} at {run.config.max_new_tokens} tokens"] if cut else []


def section_title(section: Section) -> str:
    """Suite, part and attack in a few words: "harmbench standard, direct"."""
    part = "" if not section.subset or section.suite.endswith(f":{section.subset}") else f" {section.subset}"
    return f"{section.suite}{part}, {section.attack}"


def _unjudged(run: RunContents) -> list[str]:
    lines = []
    for section in run.summary.sections:
        unjudged = section.metrics["unjudged"]
        if not unjudged.k or section.missing == section.n:  # of the latter the notice on completeness speaks
            continue
        name = MAIN[section.label]
        rate, title = section.metrics[name], METRICS[section.label][name].title
        waiting = f", {section.missing} of them not judged yet" if section.missing else ""
        lines.append(
            f"{unjudged.k} of {section.n} in {section_title(section)}{waiting} ({title} "
            f"{percent(rate.at_least)} to {percent(rate.at_most)}{PERCENT}, counting all of them one way or the other)"
        )
    return lines


def _mismatches(comparisons: Sequence[Comparison], *, blocking: bool) -> list[str]:
    lines = []
    for comparison in comparisons:
        found = [str(mismatch) for mismatch in comparison.mismatches if mismatch.blocking == blocking]
        if found:
            lines.append(f"{comparison.base} and {comparison.other}: {'; '.join(found)}")
    return lines


def _unshared(comparisons: Sequence[Comparison]) -> list[str]:
    return [
        f"{comparison.only_base} only in {comparison.base}, {comparison.only_other} only in {comparison.other}"
        for comparison in comparisons
        if comparison.only_base or comparison.only_other
    ]
