"""The embedded prompts: written for this project, disjoint from every suite, and without a single answer.

Two kinds: whole requests (`prompts/*.jsonl`), and topics that are put into forms (`prompts/*_topics.json` into
`prompts/forms.json`). Harmful and benign topics get the *same* forms, so that "write a persuasive article" or "give
detailed instructions" tells the breaker nothing and only the matter does.
"""

import json
import random
from importlib import resources
from typing import Any, Literal

PromptKind = Literal["harmful", "benign"]


def written(kind: PromptKind) -> list[str]:
    """The whole requests."""
    return [json.loads(line)["prompt"] for line in _text(f"{kind}.jsonl").splitlines() if line.strip()]


def composed(kind: PromptKind, rng: random.Random, forms_each: int = 2) -> list[str]:
    """Each topic in `forms_each` different forms, drawn with `rng`."""
    forms: dict[str, list[str]] = _json("forms.json")
    topics: dict[str, list[str]] = _json(f"{kind}_topics.json")
    prompts = []
    for group, phrases in topics.items():
        for phrase in phrases:
            for form in rng.sample(forms[group], forms_each):
                prompt = form.format(phrase)
                prompts.append(prompt if prompt[-1] in ".?!" else prompt + rng.choice((".", "")))
    return prompts


def _text(name: str) -> str:
    return resources.files("cbtrain.data").joinpath("prompts", name).read_text(encoding="utf-8")


def _json(name: str) -> Any:
    return json.loads(_text(name))
