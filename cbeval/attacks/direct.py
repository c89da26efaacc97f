"""The behaviour as it is: HarmBench's DirectRequest."""

from cbeval.records import Behavior, Message, Suite, TestCase

CONTEXT_SEPARATOR = "\n\n---\n\n"
"""Between context and behaviour, in HarmBench's protocol."""


def request(behavior: Behavior) -> str:
    """What the user says: the prompt, after its context if it has one."""
    return f"{behavior.context}{CONTEXT_SEPARATOR}{behavior.prompt}" if behavior.context else behavior.prompt


def test_case(suite: Suite, behavior: Behavior, attack: str, prefill: str = "") -> TestCase:
    """The one test case of a behaviour under an attack that asks it directly."""
    return TestCase(
        id=f"{suite.name}/{attack}/{behavior.id}/0",
        suite=suite.name,
        attack=attack,
        behavior_id=behavior.id,
        label=behavior.label,
        category=behavior.category,
        subset=behavior.subset,
        prompt=behavior.prompt,
        messages=(Message(role="user", content=request(behavior)),),
        prefill=prefill,
    )


def direct(suite: Suite) -> tuple[TestCase, ...]:
    """One case for every behaviour, harmful or benign."""
    return tuple(test_case(suite, behavior, "direct") for behavior in suite.behaviors)
