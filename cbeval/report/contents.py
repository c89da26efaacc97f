"""Everything the report takes out of a run folder, read once; from here on the report is pure."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cbeval.errors import UsageError
from cbeval.metrics import RunSummary, summarize
from cbeval.records import Completion, Judgement, TestCase
from cbeval.runs.config import RunConfig, RunManifest
from cbeval.runs.folder import RunFolder


@dataclass(frozen=True)
class RunContents:
    """A run under one judge."""

    name: str
    """For people; unique within a report."""

    path: str
    config: RunConfig
    manifest: RunManifest | None
    """None if the run is not complete."""

    cases: tuple[TestCase, ...]
    completions: Mapping[str, Completion]
    judgements: Mapping[str, Judgement]
    summary: RunSummary
    judge_digest: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    """What cbtrain recorded (status, config, monitors, ...); empty if nothing is known."""


def read_contents(run: RunFolder, judge: str) -> RunContents:
    """Read a run; raises UsageError if `judge` has not judged it, CbevalError if a file is damaged."""
    cases, completions = run.cases(), run.completions()
    if judge not in run.judges():
        known = ", ".join(run.judges()) or "nobody"
        raise UsageError(
            f"{run.path} is not judged by '{judge}' (judged by: {known}); `cbeval judge {run.path}` does it"
        )
    judgements = run.judgements(judge)
    card = run.judge_card(judge)
    manifest = run.manifest
    return RunContents(
        name=run.name,
        path=_near(run.path),
        config=run.config,
        manifest=manifest,
        cases=cases,
        completions=completions,
        judgements=judgements,
        summary=summarize(cases, judgements, completions),
        judge_digest=card.digest if card else "",
        training=manifest.training if manifest is not None else {},
    )


def with_unique_names(runs: Sequence[RunContents]) -> list[RunContents]:
    """The runs with as much of their path for a name as tells them apart."""
    found = []
    for run in runs:
        parts = Path(run.path).parts
        same = [Path(other.path).parts for other in runs if other.path != run.path]
        take = 1
        while take < len(parts) and any(other[-take:] == parts[-take:] for other in same):
            take += 1
        found.append(run if take == 1 else replace(run, name="/".join(parts[-take:])))
    return found


def _near(path: Path) -> str:
    """The path as seen from the working folder if it lies below it, else as given."""
    with contextlib.suppress(ValueError):
        return path.resolve().relative_to(Path.cwd()).as_posix()
    return path.as_posix()
