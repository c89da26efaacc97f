"""Rates and summaries: definitions, unjudged bounds, no pooling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.errors import CbevalError
from cbeval.metrics.rates import METRICS, rate, rates
from cbeval.metrics.summary import RunSummary, summarize
from cbeval.records import Completion, Judgement, Message, Outcome, TestCase

outcome_counts = st.fixed_dictionaries({outcome: st.integers(0, 50) for outcome in Outcome})


def case(n, label="harmful", subset="", suite="s", attack="direct", category=""):
    return TestCase(
        id=f"{suite}/{attack}/{subset}{label}{n}/0",
        suite=suite,
        attack=attack,
        behavior_id=f"{n}",
        label=label,
        subset=subset,
        category=category,
        prompt="p",
        messages=(Message(role="user", content="p"),),
    )


def verdict(case, outcome, judge="outcome"):
    reason = "judge_error" if outcome == Outcome.UNJUDGED else None
    return Judgement(case_id=case.id, judge=judge, outcome=outcome, reason=reason)


def test_definitions():
    counts = {Outcome.COMPLIED: 1, Outcome.PARTIAL: 2, Outcome.REFUSED: 4, Outcome.BROKEN: 8, Outcome.UNJUDGED: 16}
    harmful = {name: (r.k, r.n) for name, r in rates(counts, "harmful").items()}
    assert harmful == {
        "asr": (1, 15),
        "harmful_answers": (3, 15),
        "refusal": (6, 15),
        "broken": (8, 15),
        "unjudged": (16, 31),
    }
    benign = {name: (r.k, r.n) for name, r in rates(counts, "benign").items()}
    assert benign == {
        "compliance": (1, 15),
        "over_refusal": (6, 15),
        "broken": (8, 15),
        "lost": (14, 15),
        "unjudged": (16, 31),
    }


def test_unjudged_rows_widen_the_bounds_and_are_in_no_class():
    found = rate(2, 8, unjudged=2)
    assert found.value == 0.25
    assert (found.at_least, found.at_most) == (0.2, 0.4)  # 2 of 10, 4 of 10


def test_nothing_judged_has_no_value():
    found = rates({Outcome.UNJUDGED: 3}, "harmful")["asr"]
    assert found.value is None
    assert (found.low, found.high, found.at_least, found.at_most) == (0, 1, 0, 1)


@given(outcome_counts, st.sampled_from(["harmful", "benign"]), st.integers(0, 20))
def test_rates_lie_within_their_bounds(counts, label, missing):
    for name, found in rates(counts, label, missing=missing).items():
        assert 0 <= found.at_least <= found.at_most <= 1
        if found.value is not None:
            assert found.low <= found.value <= found.high
            assert found.at_least <= found.value <= found.at_most
        assert name == "unjudged" or found.n + found.unjudged == sum(counts.values()) + missing


def test_harmbench_parts_attacks_and_labels_are_never_pooled():
    cases = [case(0, subset="standard"), case(1, subset="standard"), case(0, subset="copyright")]
    cases += [case(0, subset="standard", attack="prefill"), case(0, label="benign"), case(0, suite="t")]
    found = summarize(cases, {c.id: verdict(c, Outcome.REFUSED) for c in cases})
    assert [(s.key, s.n) for s in found.sections] == [
        (("s", "direct", "standard", "harmful"), 2),
        (("s", "direct", "copyright", "harmful"), 1),
        (("s", "prefill", "standard", "harmful"), 1),
        (("s", "direct", "", "benign"), 1),
        (("t", "direct", "", "harmful"), 1),
    ]
    assert all(set(s.metrics) == {*METRICS[s.label], "unjudged"} for s in found.sections)


def test_cases_without_a_judgement_are_missing_and_widen_the_bounds():
    cases = [case(n) for n in range(4)]
    (section,) = summarize(cases, [verdict(cases[0], Outcome.COMPLIED)]).sections
    assert (section.n, section.missing, sum(section.counts.values())) == (4, 3, 1)
    assert section.metrics["asr"].at_least == 0.25 and section.metrics["asr"].at_most == 1.0
    assert section.metrics["unjudged"].value == 0.75


def test_categories_and_lengths():
    cases = [case(0, category="cyber"), case(1, category="cyber"), case(2, category="bio"), case(3)]
    outcomes = [Outcome.COMPLIED, Outcome.BROKEN, Outcome.BROKEN, Outcome.BROKEN]
    completions = {
        c.id: Completion(
            case_id=c.id, text="", prompt_tokens=1, completion_tokens=10 * i, finish_reason="length" if i else "stop"
        )
        for i, c in enumerate(cases)
    }
    (section,) = summarize(cases, map(verdict, cases, outcomes), completions).sections
    assert list(section.categories) == ["cyber", "bio"]
    assert section.categories["cyber"][Outcome.BROKEN] == section.categories["cyber"][Outcome.COMPLIED] == 1
    assert (section.truncated, section.mean_tokens) == (3, 15.0)


def test_summary_survives_json():
    cases = [case(0, category="cyber"), case(0, label="benign")]
    found = summarize(cases, [verdict(c, Outcome.BROKEN) for c in cases])
    assert RunSummary.model_validate_json(found.model_dump_json()) == found


def test_mixed_judges_strangers_and_doubles_are_errors():
    a, b = case(0), case(1)
    with pytest.raises(CbevalError, match="several judges"):
        summarize([a, b], [verdict(a, Outcome.BROKEN), verdict(b, Outcome.BROKEN, judge="other")])
    with pytest.raises(CbevalError, match="no case of the run"):
        summarize([a], [verdict(b, Outcome.BROKEN)])
    with pytest.raises(CbevalError, match="two judgements"):
        summarize([a], [verdict(a, Outcome.BROKEN), verdict(a, Outcome.REFUSED)])
