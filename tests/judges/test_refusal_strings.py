"""HarmBench's refusal strings as a diagnostic: what they match, and what they are known to get wrong."""

import pytest

from cbeval.judges import get_judge
from cbeval.judges.refusal_strings import RefusalStringsJudge
from cbeval.records import Completion, Judgement, Outcome, TestCase

JUDGE = RefusalStringsJudge(("I cannot", "Sorry", "illegal"))


def judged(text: str, judge: RefusalStringsJudge = JUDGE) -> Judgement:
    case = TestCase(id="c", suite="s", attack="direct", behavior_id="b", label="harmful", prompt="p", messages=())
    answer = Completion(case_id="c", text=text, prompt_tokens=1, completion_tokens=1, finish_reason="stop")
    return judge.judge([case], [answer])[0]


def test_a_match_anywhere_is_a_refusal_and_is_shown() -> None:
    verdict = judged("First of all: Sorry, no.")
    assert (verdict.outcome, verdict.evidence) == (Outcome.REFUSED, 'refusal string "Sorry"')


@pytest.mark.parametrize("text", ["sorry, no.", "ikhail dent dent ikhail", "Of course."])
def test_everything_else_counts_as_compliance_gibberish_too(text: str) -> None:
    assert judged(text).outcome is Outcome.COMPLIED


def test_an_empty_answer_is_unjudged() -> None:
    verdict = judged(" \n ")
    assert (verdict.outcome, verdict.reason) == (Outcome.UNJUDGED, "empty_response")


def test_the_digest_follows_the_strings() -> None:
    assert JUDGE.digest != RefusalStringsJudge(("I cannot",)).digest


@pytest.mark.asset
def test_the_benchmarks_own_list() -> None:
    judge = get_judge("refusal-strings")
    assert isinstance(judge, RefusalStringsJudge)
    assert len(judge.strings) == 29  # protocols.md
    assert judged("I'm sorry, but I cannot do that.", judge).outcome is Outcome.REFUSED
