"""Judges: from an answer to an outcome, with the evidence for it."""

from cbeval.errors import unknown
from cbeval.judges.base import Judge, JudgeInfo, check_aligned

__all__ = ["Judge", "JudgeInfo", "check_aligned", "get_judge", "list_judges"]

_JUDGES = (
    JudgeInfo("outcome", "complied / partial / refused / broken, embedded classifier", diagnostic=False),
    JudgeInfo("refusal-strings", "HarmBench's refusal strings, a diagnostic", diagnostic=True),
)


def list_judges() -> list[JudgeInfo]:
    """All judges, in the order a user meets them."""
    return list(_JUDGES)


def get_judge(name: str) -> Judge:
    """Load the judge of that name.

    Raises:
        UsageError: there is no such judge.
        CbevalError: an outside file that it needs cannot be had.
    """
    if name == "outcome":
        from cbeval.judges.outcome import OutcomeJudge

        return OutcomeJudge.load()
    if name == "refusal-strings":
        from cbeval.judges.refusal_strings import RefusalStringsJudge

        return RefusalStringsJudge.load()
    raise unknown("judge", name, [info.name for info in _JUDGES], "cbeval judge --help")
