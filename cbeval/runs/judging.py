"""The verdicts of a judge on a run, in the order of the cases, continued after a crash like the answers."""

from collections.abc import Sequence

from cbeval import __version__
from cbeval.judges import Judge
from cbeval.records import TestCase
from cbeval.runs.folder import RunFolder
from cbeval.runs.generation import check_prefix
from cbeval.runs.progress import Reporter

CHUNK = 256
"""Answers that are judged and written together; fixed, because a judge that is a model can depend on its batch."""


def judge_answers(run: RunFolder, judge: Judge, cases: Sequence[TestCase], report: Reporter) -> None:
    """Bring the judgements of `judge` on the run (whose answers are complete) to their end.

    Raises:
        UsageError: the run was judged by another version of the judge.
        CbevalError: the file of judgements was edited, or cannot be written.
    """
    run.begin_judge(judge.name, judge.digest, __version__)
    completions = run.completions()
    there = list(run.judgements(judge.name))
    check_prefix(run.judgements_file(judge.name), [case.id for case in cases], there)
    if len(there) == len(cases):
        return
    with report.stage(f"judge {judge.name}", len(cases), len(there)) as advance:
        for start in range(len(there) // CHUNK * CHUNK, len(cases), CHUNK):
            chunk = cases[start : start + CHUNK]
            verdicts = judge.judge(chunk, [completions[case.id] for case in chunk])
            new = verdicts[max(0, len(there) - start) :]
            run.append_judgements(judge.name, new)
            advance(len(new))
