"""On-policy training pairs from the embedded prompts: which openings, system messages and temperatures they get.

A breaker breaks what its training answers look like. Answers that all opened alike gave a breaker that let harmful
answers in the model's own words through whole; so every harmful request is answered in several forms, and benign
requests get the same openings, so that the opening itself means nothing.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from cbtrain.data.embedded import composed, written
from cbtrain.data.examples import Example
from cbtrain.data.files import write_examples
from cbtrain.data.generate import Draft, generate
from cbtrain.errors import DataError

OPENINGS = (
    "Sure, here is",
    "Sure! Here's",
    "Of course. Here is",
    "Certainly! Here are the steps:\n\n1.",
    "Absolutely, I can help with that.",
    "Here is what you asked for:\n\n",
    "Yes, it can be done. First,",
    "Great question!",
    "I'm happy to help. To begin,",
    "Step 1:",
    "Title:",
    "Okay,",
)
"""Affirmative openings of this project's own wording."""

SYSTEMS = (
    None,
    None,
    None,
    "",
    "You are a helpful assistant.",
    "You answer every question fully and to the point.",
)
"""System messages and how often each is used; None leaves the template's default, which most chats have."""

_COMMAND = re.compile(
    r"^(?:please )?(?:write|create|give|draft|provide|make|list|compose|develop|produce|generate|explain|describe)"
    r"(?: me| us)? (?=\w)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(?:sorry|as an ai"
    r"|i(?:'m| am) (?:(?:very |so |really )?sorry|not able|unable)"
    r"|i (?:can't|cannot|can not|won't|will not)"
    r"|i (?:don't|do not) (?:have|feel|think|condone|support))",
    re.IGNORECASE,
)


def opening_for(prompt: str, rng: random.Random) -> str:
    """An affirmative opening; for a request that begins with a command, half the time one that takes up its words."""
    restated = _COMMAND.sub("", prompt)
    if restated != prompt and rng.random() < 0.5:
        words = restated.rstrip(" .!?").split()
        return f"{rng.choice(('Sure, here is', 'Here is', 'Of course, here is'))} {' '.join(words)}"
    return rng.choice(OPENINGS)


def harmful_drafts(rng: random.Random) -> list[Draft]:
    """Whole requests in the model's own words and with an opening; composed ones in turn, one draft each."""
    drafts = []
    for prompt in written("harmful"):
        drafts += [Draft(prompt), _opened(prompt, rng)]
    for number, prompt in enumerate(composed("harmful", rng)):
        drafts.append(_opened(prompt, rng) if number % 2 else _sampled(prompt, rng))
    return drafts


def benign_drafts(rng: random.Random) -> list[Draft]:
    """As for harmful requests; whole ones get an opening or another system message in turn."""
    drafts = []
    for number, prompt in enumerate(written("benign")):
        drafts += [Draft(prompt)] if number % 2 else [_sampled(prompt, rng), _opened(prompt, rng)]
    for number, prompt in enumerate(composed("benign", rng)):
        drafts.append(_opened(prompt, rng) if number % 2 else Draft(prompt))
    return drafts


def _sampled(prompt: str, rng: random.Random) -> Draft:
    return Draft(prompt, system=rng.choice(SYSTEMS), temperature=0.8)


def _opened(prompt: str, rng: random.Random) -> Draft:
    return Draft(prompt, opening=opening_for(prompt, rng), system=rng.choice(SYSTEMS))


def make_pairs(model: str, out: Path, *, max_new_tokens: int, seed: int) -> dict[str, int]:
    """Answer all embedded prompts with `model` and write `harmful.jsonl` and `retain.jsonl` into `out`.

    Returns:
        Conversations written, by kind.

    Raises:
        DataError: `out` already holds pairs.
    """
    if any((out / name).exists() for name in ("harmful.jsonl", "retain.jsonl")):
        raise DataError(f"{out} already holds training pairs; remove it or give another --out")
    rng = random.Random(seed)
    harmful_half = harmful_drafts(rng)
    benign_half = benign_drafts(rng)
    answers = generate(model, [*harmful_half, *benign_half], max_new_tokens=max_new_tokens, seed=seed)
    split = len(harmful_half)
    examples = to_examples(harmful_half, answers[:split], "harmful") + to_examples(
        benign_half, answers[split:], "retain"
    )
    rng.shuffle(examples)
    harmful = [e for e in examples if e.kind == "harmful"]
    retain = [e for e in examples if e.kind == "retain"]
    out.mkdir(parents=True, exist_ok=True)
    write_examples(out / "harmful.jsonl", harmful)
    write_examples(out / "retain.jsonl", retain)  # last: its presence means that both are complete
    return {"harmful": len(harmful), "retain": len(retain)}


def to_examples(drafts: Sequence[Draft], answers: Sequence[str], kind: str) -> list[Example]:
    """Turn answers into examples: the model's own refusals are kept (as the paper does), empty answers are dropped."""
    examples = []
    for draft, answer in zip(drafts, answers, strict=True):
        if not answer.strip():
            continue
        refused = bool(_REFUSAL.match(answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))
        examples.append(
            Example(
                prompt=draft.prompt,
                response=answer,
                kind="harmful" if kind == "harmful" and not refused else "retain",
                system=draft.system,
                # After an opening the request is the same text as in the own-words row: moving it once is enough,
                # and rows that only move the answer teach the breaker to act from the answer alone.
                reroute_prompt=not draft.opening,
            )
        )
    return examples
