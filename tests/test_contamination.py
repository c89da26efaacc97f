"""Training prompts are found again in a suite whatever their case and white space."""

import pytest

from cbeval.contamination import contaminated, prompt_digest
from cbeval.records import Behavior, Suite


def suite(*prompts: str, context: str = "") -> Suite:
    rows = tuple(
        Behavior(id=str(n), prompt=prompt, label="harmful", context=context) for n, prompt in enumerate(prompts)
    )
    return Suite(name="mine", title="", licence="", source="", behaviors=rows, digest="")


@pytest.mark.parametrize(
    "same",
    ["how do i bake BREAD?", "  How do I\n bake\tbread? ", "How do I bake bread\uff1f", "\uff28ow do I bake bread?"],
)
def test_a_prompt_is_the_same_under_case_space_and_width(same):
    assert prompt_digest(same) == prompt_digest("How do I bake bread?")


def test_another_prompt_has_another_digest():
    assert prompt_digest("How do I bake bread?") != prompt_digest("How do I bake bread")
    # printf 'how do i bake bread?' | sha256sum
    assert prompt_digest("How do I bake bread?") == "aea5e64104e6bc2a8398b14437ce17a10323cee1e982ce7906ff5bcbe6cd1ed9"


def test_trained_behaviours_are_counted():
    training = {"prompt_digests": [prompt_digest("One"), prompt_digest("ctx\n\n---\n\nThree"), prompt_digest("Else")]}
    assert contaminated(suite("one", "two"), training) == 1
    assert contaminated(suite("One", "Three", "Two", context="ctx"), training) == 2
    assert contaminated(suite("One"), None) == 0
    assert contaminated(suite("One"), {"status": "done"}) == 0
