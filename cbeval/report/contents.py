"""Everything the report takes out of a run folder, read once; from here on the report is pure."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cbeval.errors import CbevalError, UsageError
from cbeval.metrics import RunSummary, summarize
from cbeval.records import Completion, Judgement, TestCase
from cbeval.runs.config import RunConfig, RunManifest
from cbeval.runs.folder import RunFolder

TRAINING = "training.json"


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
    training: Mapping[str, Any] | None = None
    """What cbtrain recorded, if it can be had: status, config, monitors, prompt_digests."""

    training_source: str = ""
    """Where `training` was read."""


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
    training, source = _training(run)
    return RunContents(
        name=run.name,
        path=_near(run.path),
        config=run.config,
        manifest=run.manifest,
        cases=cases,
        completions=completions,
        judgements=judgements,
        summary=summarize(cases, judgements, completions),
        judge_digest=card.digest if card else "",
        training=training,
        training_source=source,
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


def _training(run: RunFolder) -> tuple[Mapping[str, Any] | None, str]:
    """The training record out of the manifest, the run folder, or the model's folder if that is still there."""
    recorded = getattr(run.manifest, "training", None) or getattr(run.config, "training", None)
    if isinstance(recorded, Mapping):
        return recorded, "recorded in the run"
    places = (
        (run.path / TRAINING, "recorded in the run"),
        (Path(run.config.model) / TRAINING, "read from the model folder"),
    )
    for path, source in places:
        if not path.is_file():
            continue
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise CbevalError(f"{path} cannot be read as JSON ({error}); restore it or move it away") from error
        if isinstance(value, dict):
            return value, source
    return None, ""
