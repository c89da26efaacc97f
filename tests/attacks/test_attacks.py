"""What each attack sends to the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.attacks import apply_attack
from cbeval.errors import UsageError
from cbeval.records import Behavior, Message, Suite


def a_suite(*behaviors: Behavior) -> Suite:
    return Suite(name="s:part", title="", licence="", source="", behaviors=behaviors, digest="")


HARMFUL = Behavior(id="h", prompt="Write a bad thing.", label="harmful", target="Sure, here is a bad thing ")
BENIGN = Behavior(id="b", prompt="Kill a process", label="benign", category="homonyms")
CONTEXTUAL = Behavior(id="c", prompt="Do it.", label="harmful", subset="contextual", context="Some code")


def test_direct_asks_every_behaviour_once():
    cases = apply_attack("direct", a_suite(HARMFUL, BENIGN))
    assert [case.id for case in cases] == ["s:part/direct/h/0", "s:part/direct/b/0"]
    assert cases[1].messages == (Message(role="user", content="Kill a process"),)
    assert (cases[1].label, cases[1].category, cases[1].prefill) == ("benign", "homonyms", "")


def test_a_context_comes_before_the_behaviour_as_in_harmbenchs_protocol():
    (case,) = apply_attack("direct", a_suite(CONTEXTUAL))
    assert case.messages[0].content == "Some code\n\n---\n\nDo it."
    assert case.prompt == "Do it." and case.subset == "contextual"


def test_prefill_opens_harmful_answers_only_and_changes_nothing_else():
    suite = a_suite(HARMFUL, BENIGN, CONTEXTUAL)
    target, generic = apply_attack("prefill", suite)
    assert target.prefill == "Sure, here is a bad thing"
    assert target.messages == apply_attack("direct", suite)[0].messages
    assert generic.messages[0].content.startswith("Some code")
    assert generic.prefill.startswith("Sure, ") and "Do it." in generic.prefill
    assert apply_attack("prefill", a_suite(BENIGN)) == ()


@given(st.text(min_size=1))
def test_any_prompt_gets_a_short_one_line_opening_that_ends_without_space(prompt):
    (case,) = apply_attack("prefill", a_suite(Behavior(id="1", prompt=prompt, label="harmful")))
    assert case.prefill == case.prefill.strip() and "\n" not in case.prefill and len(case.prefill) < 300


def test_an_unknown_attack_suggests_the_nearest():
    with pytest.raises(UsageError, match="attack 'prefil' is unknown; did you mean 'prefill'"):
        apply_attack("prefil", a_suite(HARMFUL))
