"""A gate's verdict as the page opens with it, read from the JSON that `cbeval gate --json` writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cbeval.errors import UsageError
from cbeval.gate.verdict import Finding, Verdict
from cbeval.report.contents import RunContents


@dataclass(frozen=True)
class VerdictView:
    """May the model be released, and why?"""

    passed: bool
    headline: str
    about: str
    findings: tuple[Finding, ...]
    """The failed ones first."""

    warnings: tuple[str, ...]


def read_verdict(path: Path, runs: Sequence[RunContents]) -> VerdictView:
    """Read a verdict; raises UsageError if the file is not one, or is on a model that none of `runs` is of."""
    try:
        verdict = Verdict.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); `cbeval gate ... --json` makes a verdict"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(
            f"{path} is no gate verdict ({where}: {first['msg']}); `cbeval gate ... --json` makes one"
        ) from error
    models = {(run.config.model_digest, run.config.adapter_digest) for run in runs}
    if (verdict.model_digest, verdict.adapter_digest) not in models:
        raise UsageError(
            f"{path} is the verdict on run '{verdict.run}', whose model is none of this report's; gate again"
        )
    return view_verdict(verdict)


def view_verdict(verdict: Verdict) -> VerdictView:
    """What the page shows of a verdict."""
    good = sum(finding.passed for finding in verdict.findings)
    against = f" against {verdict.baseline}" if verdict.baseline else ""
    return VerdictView(
        passed=verdict.passed,
        headline=f"{verdict.run} may be released" if verdict.passed else f"{verdict.run} must not be released",
        about=f"Policy {verdict.policy}{against}: {good} of {len(verdict.findings)} findings passed.",
        findings=tuple(sorted(verdict.findings, key=lambda finding: finding.passed)),
        warnings=verdict.warnings,
    )
