"""Comparison of judgement records: pairing, flows, paired tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.compare import Comparison, compare_records, flow_lines
from cbeval.records import Judgement, Message, Outcome, TestCase

outcome = st.sampled_from(list(Outcome))


def case(n, label="harmful", subset=""):
    return TestCase(
        id=f"s/direct/{label}{subset}{n}/0",
        suite="s",
        attack="direct",
        behavior_id=f"{n}",
        label=label,
        subset=subset,
        prompt="p",
        messages=(Message(role="user", content="p"),),
    )


def judged(cases, outcomes):
    return {
        c.id: Judgement(
            case_id=c.id, judge="outcome", outcome=o, reason="judge_error" if o == Outcome.UNJUDGED else None
        )
        for c, o in zip(cases, outcomes, strict=True)
    }


def compared(pairs, label="harmful"):
    cases = [case(n, label) for n in range(len(pairs))]
    return compare_records(cases, cases, judged(cases, [b for b, _ in pairs]), judged(cases, [o for _, o in pairs]))


def test_breaker_against_base():
    pairs = [(Outcome.COMPLIED, Outcome.BROKEN)] * 6 + [(Outcome.REFUSED, Outcome.REFUSED)] * 4
    (section,) = compared(pairs).sections
    asr = section.metrics["asr"]
    assert (asr.base.k, asr.other.k, asr.base.n, asr.difference) == (6, 0, 10, -0.6)
    assert (asr.only_base, asr.only_other, asr.p) == (6, 0, 0.03125)
    assert -1 <= asr.low < -0.6 < asr.high < 0
    assert flow_lines(section.flows) == ["complied -> broken 6"]
    assert flow_lines(section.flows, unchanged=True) == ["complied -> broken 6", "refused -> refused 4"]


def test_pairs_go_by_case_not_by_position():
    cases = [case(n) for n in range(3)]
    outcomes = [Outcome.COMPLIED, Outcome.REFUSED, Outcome.BROKEN]
    found = compare_records(cases, cases[::-1], judged(cases, outcomes), judged(cases[::-1], outcomes[::-1]))
    assert found.sections[0].metrics["asr"].p == 1.0
    assert flow_lines(found.sections[0].flows) == []


def test_cases_of_one_run_alone_are_counted_and_left_out():
    first, second = [case(n) for n in range(3)], [case(n) for n in range(1, 7)]
    found = compare_records(first, second, judged(first, [Outcome.COMPLIED] * 3), judged(second, [Outcome.BROKEN] * 6))
    assert (found.only_base, found.only_other, found.sections[0].shared, found.sections[0].pairs) == (1, 4, 2, 2)


def test_unjudged_answers_are_in_the_flow_but_in_no_test():
    pairs = [(Outcome.COMPLIED, Outcome.UNJUDGED), (Outcome.COMPLIED, Outcome.COMPLIED)]
    (section,) = compared(pairs).sections
    assert (section.shared, section.pairs) == (2, 1)
    assert section.metrics["asr"].other.n == 1 and section.metrics["asr"].other.unjudged == 1
    assert flow_lines(section.flows) == ["complied -> unjudged 1"]


@given(st.lists(st.tuples(outcome, outcome), min_size=1, max_size=40), st.sampled_from(["harmful", "benign"]))
def test_laws(pairs, label):
    (section,) = compared(pairs, label).sections
    (mirrored,) = compared([(o, b) for b, o in pairs], label).sections
    assert sum(sum(row.values()) for row in section.flows.values()) == len(pairs)
    assert all(section.flows[b][o] == mirrored.flows[o][b] for b in Outcome for o in Outcome)
    for name, metric in section.metrics.items():
        assert metric.both + metric.only_base + metric.only_other + metric.neither == section.pairs
        assert mirrored.metrics[name].p == metric.p
        if metric.difference is not None:
            assert metric.difference == pytest.approx(metric.other.value - metric.base.value)
            assert mirrored.metrics[name].difference == -metric.difference


def test_survives_json():
    found = compared([(Outcome.COMPLIED, Outcome.BROKEN)])
    assert Comparison.model_validate_json(found.model_dump_json()) == found
