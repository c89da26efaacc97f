"""One training conversation, and its tokens with the masks that the losses need.

Which tokens are rerouted decides whether a breaker is selective. A state knows only the tokens before it. What every
chat begins with (system prompt, template, "Write a ...") has the same states in harmful and in benign conversations
and cannot be moved in the one and held in the other. So rerouting starts half way through the request, and goes on
over the template's tokens after it, which have seen it whole, and over the answer.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from cbtrain.data.chat import leading_bos, render
from cbtrain.errors import DataError

Kind = Literal["harmful", "retain"]


@dataclass(frozen=True)
class Example:
    """A request with the answer that is to be rerouted (`harmful`) or kept (`retain`)."""

    prompt: str
    response: str
    """The whole answer, including an opening that was put into the model's mouth."""

    kind: Kind
    system: str | None = None
    """A system message; None leaves the template's default."""

    reroute_prompt: bool = True
    """Harmful only: start half way through the request; False: with the answer."""

    category: str = ""


@dataclass(frozen=True)
class Tokens:
    """An example as token ids with one mask over them."""

    input_ids: list[int]
    mask: list[bool]
    """The tokens its loss counts: to reroute for `harmful`, to keep for `retain`."""

    kind: Kind


def prompt_digest(prompt: str) -> str:
    """SHA-256 of a prompt after NFKC, case folding and collapsing white space: equal for trivially equal prompts.

    Written into `training.json`, so that an evaluation can count the suite prompts that were trained on.
    """
    normal = " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())
    return hashlib.sha256(normal.encode()).hexdigest()


def tokenize(example: Example, tokenizer: Any, max_tokens: int) -> Tokens:
    """Render a conversation with the tokenizer's chat template and mark the tokens its loss counts.

    Args:
        example: The conversation.
        tokenizer: A fast tokenizer with a chat template.
        max_tokens: The conversation is cut on the right to this many tokens.

    Raises:
        DataError: The template changes the request so that its place cannot be found, or nothing is left to count.
    """
    head, request = render(example.prompt, example.system, tokenizer)
    text = head + example.response
    # The template writes its own BOS where the model wants one; a second one would shift every state.
    encoded = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, truncation=True, max_length=max_tokens
    )
    offsets = encoded["offset_mapping"]
    if example.kind == "harmful":
        begin = (request[0] + request[1]) // 2 if example.reroute_prompt else len(head)
        mask = [span[1] > begin for span in offsets]
    else:
        # The first token is an attention sink whose norm is a hundred times the others' and means nothing.
        mask = [i > 0 for i in range(len(offsets))]
    if not any(mask):
        raise DataError(
            f"no token of {example.prompt[:40]!r} is left to train on within {max_tokens} tokens; raise --max_length"
        )
    bos = leading_bos(text, tokenizer)
    return Tokens(bos + list(encoded["input_ids"]), [False] * len(bos) + mask, example.kind)
