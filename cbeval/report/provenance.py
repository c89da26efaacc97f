"""Digests, versions, hardware and commands of every run."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from cbeval.report.contents import RunContents
from cbeval.report.training import flat


@dataclass(frozen=True)
class Source:
    """What one run was made of and with."""

    name: str
    path: str
    facts: tuple[tuple[str, str], ...]


def provenance(runs: Sequence[RunContents]) -> tuple[Source, ...]:
    """The recorded configuration and manifest of each run, leaf by leaf."""
    return tuple(Source(run.name, run.path, tuple(_facts(run))) for run in runs)


def _facts(run: RunContents) -> list[tuple[str, str]]:
    facts = [(name.replace("_", " "), text) for name, text in flat(run.config.model_dump(mode="json"))]
    facts.append(("judge", run.summary.judge or "none"))
    if run.judge_digest:
        facts.append(("judge digest", run.judge_digest))
    if run.manifest is None:
        facts.append(("manifest", "none: the run is not complete"))
        return facts
    manifest = run.manifest.model_dump(mode="json", exclude={"config", "command", "training"})
    facts += [(name.replace("_", " "), text) for name, text in flat(manifest) if not name.startswith("files.")]
    facts += [(f"SHA-256 of {name}", digest) for name, digest in run.manifest.files.items()]
    return facts


def commands(runs: Sequence[RunContents], base: RunContents | None, judge: str) -> tuple[str, ...]:
    """The commands that make the runs and this page again."""
    lines = []
    for run in runs:
        if run.manifest is not None and run.manifest.command:
            lines.append(shlex.join(run.manifest.command))
        else:
            lines.append(f"# {run.path}: the command was not recorded (the run is not complete)")
    others = [run for run in runs if run is not base]
    report = ["cbeval", "report", *(run.path for run in others)]
    if base is not None:
        report += ["--baseline", base.path]
    if judge != "outcome":
        report += ["--judge", judge]
    lines.append(shlex.join(report))
    return tuple(dict.fromkeys(lines))
