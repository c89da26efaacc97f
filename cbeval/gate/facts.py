"""What a gate looks at: everything about a run that a decision may rest on, read once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbeval.metrics.summary import RunSummary, summarize
from cbeval.records import Record

if TYPE_CHECKING:
    from cbeval.runs.folder import RunFolder


class RunFacts(Record):
    """A run as a gate sees it."""

    name: str
    model: str
    model_digest: str
    adapter_digest: str = ""
    complete: bool
    """The manifest is written."""

    partial_reasons: tuple[str, ...] = ()
    """Why the run is not a run of all behaviours; empty if it is."""

    damaged: tuple[str, ...] = ()
    """Files that are no longer what the manifest says."""

    off_protocol: tuple[str, ...] = ()
    contaminated: Mapping[str, int] = {}
    """Suite -> prompts that the model was trained on."""

    trained: bool = False
    """The model carries a training card, so that `contaminated` says something."""

    summary: RunSummary
    """Computed from the judgements, never read from summary.json, which anybody may have edited."""


def facts_of(run: "RunFolder", judge: str) -> RunFacts:
    """Read the facts of a run under one judge.

    Raises:
        UsageError: the run is not judged by `judge`.
        CbevalError: a file of the run is damaged beyond reading.
    """
    from cbeval.compare.runs import judgements_of
    from cbeval.runs.folder import SUMMARY

    manifest, config = run.manifest, run.config
    partial = [
        f"{suite.taken} of {suite.n} behaviours of {suite.name}" for suite in config.suites if suite.taken < suite.n
    ]
    if manifest is not None and manifest.partial and not partial:
        partial = list(manifest.partial_reasons) or ["a part, as its manifest says"]
    return RunFacts(
        name=run.name,
        model=config.model,
        model_digest=config.model_digest,
        adapter_digest=config.adapter_digest,
        complete=manifest is not None,
        partial_reasons=tuple(partial),
        damaged=tuple(name for name in run.damaged() if name != SUMMARY),
        off_protocol=tuple(
            dict.fromkeys((*config.off_protocol, *(manifest.off_protocol if manifest is not None else ())))
        ),
        contaminated={suite.name: suite.contaminated for suite in config.suites},
        trained=config.trained,
        summary=summarize(run.cases(), judgements_of(run, judge)),
    )
