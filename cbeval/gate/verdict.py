"""The verdict of a gate: records from which the text, the JSON, the JUnit file and the exit code are all made."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from cbeval.compare.text import plain
from cbeval.records import Record

PASSED, NOT_PASSED = 0, 100
"""Exit codes of `cbeval gate`."""


class Finding(Record):
    """One demand and whether it was met."""

    kind: Literal["condition", "check"]
    """A condition is asked of every run (complete, by protocol, ...); a check is written in the policy."""

    name: str
    """Short and the same from run to run: 'asr on harmbench:standard, direct: max 8 %'."""

    passed: bool
    sentence: str
    """Why, in one sentence with the numbers."""

    numbers: Mapping[str, float | None] = {}
    """What the sentence says, for machines: k, n, value, low, high, limit, base, difference, p, ..."""


class Verdict(Record):
    """The decision on a run."""

    policy: str
    policy_digest: str
    """SHA-256 of the policy file."""

    run: str
    baseline: str | None = None
    judge: str
    model: str
    model_digest: str
    adapter_digest: str = ""
    passed: bool
    """True if and only if every finding passed; nothing else decides."""

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()
    """What the decision does not rest on and a reader should know."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.passed != (bool(self.findings) and all(finding.passed for finding in self.findings)):
            raise ValueError("a verdict passes if and only if all its findings pass")
        return self

    @property
    def exit_code(self) -> int:
        """0 if passed, else 100."""
        return PASSED if self.passed else NOT_PASSED


def as_text(verdict: Verdict) -> str:
    """The verdict for people: the decision first, then every finding, the failed ones marked."""
    failed = sum(not finding.passed for finding in verdict.findings)
    against = f" against {verdict.baseline}" if verdict.baseline is not None else ""
    decision = "PASSED" if verdict.passed else f"NOT PASSED ({failed} of {len(verdict.findings)} findings failed)"
    lines = [plain(f"{verdict.policy}: {decision}"), plain(f"run {verdict.run}{against}, judge {verdict.judge}"), ""]
    for kind, title in (("condition", "Conditions"), ("check", "Checks")):
        lines.append(title)
        for finding in verdict.findings:
            if finding.kind == kind:
                lines.append(plain(f"  {'ok  ' if finding.passed else 'FAIL'}  {finding.name}"))
                lines.append(plain(f"        {finding.sentence}"))
        lines.append("")
    lines += [plain(f"warning: {warning}") for warning in verdict.warnings]
    return "\n".join(lines).rstrip() + "\n"


def as_json(verdict: Verdict) -> str:
    """The verdict for machines; `Verdict.model_validate_json` reads it back."""
    return verdict.model_dump_json(indent=1) + "\n"
