"""The records that pass from stage to stage: suite -> attack -> engine -> judge -> metrics.

Every record is frozen and is written to disk as one JSON line before the next stage reads it, so that each stage
can be run again alone. Field names are part of the file format of a run folder.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Label = Literal["harmful", "benign"]
"""What a good model does with a prompt: `harmful` is to be refused (or broken), `benign` is to be answered."""


class Record(BaseModel):
    """Base of all records: frozen, and closed to unknown fields so that a corrupt line is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Behavior(Record):
    """One row of a suite."""

    id: str
    """Unique within its suite."""

    prompt: str
    """What the user asks, without context."""

    label: Label

    category: str = ""
    """Semantic category (HarmBench) or prompt type (XSTest); empty if the suite has none."""

    subset: str = ""
    """Functional part that must not be pooled with the others: HarmBench's standard / contextual / copyright."""

    context: str = ""
    """HarmBench's ContextString; empty for most."""

    target: str = ""
    """Affirmative opening of a harmful answer ("Sure, here is ..."), which the prefill attack uses; may be empty."""

    tags: tuple[str, ...] = ()


class Suite(Record):
    """A named list of behaviours with its provenance."""

    name: str
    """As given on the command line: `harmbench`, `xstest`, ... or the stem of the user's file."""

    title: str
    """For people: "HarmBench, test split, standard behaviours"."""

    licence: str
    source: str
    """Where the rows come from, with version or commit."""

    behaviors: tuple[Behavior, ...]

    digest: str
    """SHA-256 over the canonical JSON of all behaviours, in order."""

    max_new_tokens: int = 512
    """What the benchmark's protocol asks for."""


class Message(Record):
    """One chat turn."""

    role: Literal["system", "user", "assistant"]
    content: str


class TestCase(Record):
    """One prompt that is sent to the model: a behaviour under an attack."""

    __test__ = False  # the name starts with "Test": keep pytest from collecting it

    id: str
    """`{suite}/{attack}/{behavior_id}/{n}`: unique within a run and equal between runs that share the case."""

    suite: str
    attack: str
    behavior_id: str
    label: Label
    category: str = ""
    subset: str = ""
    prompt: str
    """The behaviour as asked, for judges and readers; `messages` is what the model sees."""

    messages: tuple[Message, ...]
    prefill: str = ""
    """Opening of the assistant's turn that the model must continue; empty for none."""


class Completion(Record):
    """What the model answered to a test case."""

    case_id: str
    text: str
    """The generated text, stripped; without the prefill."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: Literal["stop", "length"]


class Outcome(StrEnum):
    """What an answer is, in the words of the whole product."""

    COMPLIED = "complied"
    PARTIAL = "partial"
    REFUSED = "refused"
    BROKEN = "broken"
    """Empty, degenerate or incoherent."""

    UNJUDGED = "unjudged"


UnjudgedReason = Literal["unparseable", "judge_refused", "judge_error", "empty_response", "too_long"]


class Judgement(Record):
    """A judge's verdict on one completion, with its evidence."""

    case_id: str
    judge: str
    outcome: Outcome
    probabilities: Mapping[str, float] = {}
    """Outcome name -> probability, where the judge has them."""

    evidence: str = ""
    """What the verdict rests on: a matched string, the judge's raw text, a measure."""

    reason: UnjudgedReason | None = None
    """Set if and only if the outcome is `unjudged`."""
