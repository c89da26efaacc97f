"""Rendering of a chat to text and token ids, the same for the answers that are generated and those that are trained on.

The evaluation follows the same rule, so that a model is trained on the tokens it will see: exactly one BOS where the
model wants one, whether the template writes it or the tokenizer adds it.
"""

from pathlib import Path
from typing import Any

from cbtrain.errors import DataError

_SENTINEL = "\N{BLACK STAR}request\N{BLACK STAR}"


def load_tokenizer(model: str) -> Any:
    """The tokenizer of a model folder or hub id.

    Raises:
        DataError: There is no such model here, or its tokenizer has no chat template.
    """
    from transformers import AutoTokenizer

    if Path(model).is_dir() and not (Path(model) / "config.json").is_file():
        raise DataError(f"{model} is no model folder: it has no config.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise DataError(
            f"model '{model}' is no folder here and cannot be fetched; give a folder or a hub id "
            "(for the demo model: the folder that `cbeval assets pull smollm2-135m` prints)"
        ) from error
    if tokenizer.chat_template is None:
        raise DataError(f"{model}: its tokenizer has no chat template; a breaker is trained on rendered chats")
    return tokenizer


def render(prompt: str, system: str | None, tokenizer: Any) -> tuple[str, tuple[int, int]]:
    """The text up to the assistant's first word, and where in it the request stands.

    Raises:
        DataError: The template changes the request, so that its place cannot be told.
    """

    def head_of(request: str) -> str:
        messages = [{"role": "user", "content": request}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        head: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return head

    head, probe = head_of(prompt), head_of(_SENTINEL)
    # What follows the request is the template's: a request such as "user" must not be looked for in there.
    end = len(head) - (len(probe) - probe.rfind(_SENTINEL) - len(_SENTINEL))
    start = end - len(prompt)
    if start < 0 or head[start:end] != prompt:
        raise DataError(
            f"the chat template changes the request {prompt[:40]!r}: its tokens cannot be told from the template's; "
            "strip leading and trailing white space from the prompts"
        )
    return head, (start, end)


def leading_bos(text: str, tokenizer: Any) -> list[int]:
    """The BOS to put before the tokens of a rendered text: one if the tokenizer adds one and the text has none."""
    bos = tokenizer.bos_token_id
    if bos is None or (tokenizer.bos_token and text.startswith(tokenizer.bos_token)):
        return []
    return [bos] if list(tokenizer("a")["input_ids"][:1]) == [bos] else []
