"""What every judge offers: a name, a digest of all that its verdicts depend on, and one verdict an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cbeval.records import Completion, Judgement, TestCase


class Judge(Protocol):
    """Turns answers into verdicts. It never raises on an answer's text, and the same input gives the same verdict."""

    @property
    def name(self) -> str:
        """The name on the command line, written into each judgement."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 over weights, strings or prompts and the version of the code that reads them: the cache key."""
        ...

    def judge(self, cases: Sequence[TestCase], completions: Sequence[Completion]) -> list[Judgement]:
        """One verdict for each answer; `completions[i]` answers `cases[i]`.

        Raises:
            ValueError: the two do not belong together row by row.
        """
        ...


@dataclass(frozen=True)
class JudgeInfo:
    """A line of `list_judges`."""

    name: str
    title: str
    diagnostic: bool
    """True for a judge whose numbers are printed beside the result and never decide anything."""


def check_aligned(cases: Sequence[TestCase], completions: Sequence[Completion]) -> None:
    """Raise ValueError unless each completion answers the test case in its row."""
    if len(cases) != len(completions):
        raise ValueError(f"{len(cases)} test cases but {len(completions)} completions")
    for case, completion in zip(cases, completions, strict=True):
        if case.id != completion.case_id:
            raise ValueError(f"completion of '{completion.case_id}' stands where '{case.id}' is expected")
