"""Two run folders compared: finds what makes them incomparable, then hands their records to the pure core."""

from collections.abc import Iterator, Mapping, Sequence

from cbeval.compare.paired import Comparison, Mismatch, compare_records
from cbeval.errors import CbevalError, UsageError
from cbeval.records import Judgement, TestCase
from cbeval.runs.config import RunConfig
from cbeval.runs.folder import RunFolder

BLOCKING = ("max_new_tokens", "temperature", "engine", "dtype", "device", "off_protocol")
"""Settings of the measurement: with another value the same model may answer or be counted otherwise."""

REMARKED = ("engine_version", "torch_version", "serving", "chunk_size", "template_digest", "cbeval_version")
"""Settings that can move single answers, or that belong to the model: named, but no reason to refuse.

An adapter is compared with a base that is served as full weights, there is no other way; but merged weights and
adapters can differ in the last digits, so the reader must know which of the two each run is.
"""


def compare_runs(base: RunFolder, other: RunFolder, judge: str = "outcome", confidence: float = 0.95) -> Comparison:
    """Pair the answers of two runs by test case and compare every metric under one judge.

    Raises:
        UsageError: the runs share no test case, or one of them is not judged by `judge`.
        CbevalError: a file of a run is damaged.
    """
    cases, other_cases = base.cases(), other.cases()
    if not {case.id for case in cases} & {case.id for case in other_cases}:
        ours, theirs = (", ".join(s.name for s in run.config.suites) or "no suite" for run in (base, other))
        raise UsageError(
            f"runs {base.path} ({ours}) and {other.path} ({theirs}) share no test case; "
            "run both with the same --suite and --attack"
        )
    return compare_records(
        cases,
        other_cases,
        judgements_of(base, judge),
        judgements_of(other, judge),
        base=base.name,
        other=other.name,
        judge=judge,
        confidence=confidence,
        mismatches=(*_settings(base.config, other.config), *_judges(base, other, judge), *_cases(cases, other_cases)),
    )


def judgements_of(run: RunFolder, judge: str) -> Mapping[str, Judgement]:
    """The judgements of a run by `judge`. Raises UsageError, naming the judges it has, if it was not judged by it."""
    if judge not in run.judges():
        judged = ", ".join(run.judges()) or "none"
        raise UsageError(
            f"run {run.path} is not judged by '{judge}' (judged by: {judged}); "
            f"`cbeval judge {run.path} --judge {judge}` does it"
        )
    judgements = run.judgements(judge)
    strangers = judgements.keys() - {case.id for case in run.cases()}
    if strangers:
        raise CbevalError(
            f"run {run.path}: '{judge}' judged '{min(strangers)}', which is no case of the run; judge again"
        )
    return judgements


def _settings(base: RunConfig, other: RunConfig) -> Iterator[Mismatch]:
    for field in (*BLOCKING, *REMARKED):
        ours, theirs = getattr(base, field), getattr(other, field)
        if ours != theirs:
            yield Mismatch(field=field, base=_said(ours), other=_said(theirs), blocking=field in BLOCKING)
    if base.seed != other.seed:
        # Greedy decoding draws nothing.
        sampled = base.temperature > 0 or other.temperature > 0
        yield Mismatch(field="seed", base=str(base.seed), other=str(other.seed), blocking=sampled)
    theirs_by_name = {suite.name: suite for suite in other.suites}
    for suite in base.suites:
        twin = theirs_by_name.get(suite.name)
        if twin is not None and twin.digest != suite.digest:
            yield Mismatch(field=f"suite {suite.name}", base=suite.digest[:12], other=twin.digest[:12])


def _judges(base: RunFolder, other: RunFolder, judge: str) -> Iterator[Mismatch]:
    ours, theirs = ((card.digest if (card := run.judge_card(judge)) else "unknown") for run in (base, other))
    if ours != theirs:
        yield Mismatch(field=f"judge {judge}", base=ours[:12], other=theirs[:12])


def _cases(base: Sequence[TestCase], other: Sequence[TestCase]) -> Iterator[Mismatch]:
    """A case id may stay while what is sent changes: another version of an attack, another system prompt."""
    theirs = {case.id: case for case in other}
    changed = [case.id for case in base if theirs.get(case.id, case) != case]
    if changed:
        yield Mismatch(field="test cases", base=changed[0], other=f"{len(changed)} cases of the same id differ")


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value)) or "none"
    return str(value)[:12] if isinstance(value, str) and len(value) == 64 else str(value)
