"""From messages to token ids, once for all engines: the tokenizer's own chat template, one BOS, the right stops.

Harnesses that hand text to an engine get a second BOS (template and tokenizer both write one) or a different template
in each engine; both move refusal rates. Here an engine only ever sees ids.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from cbeval.engines.base import Prompt, Sampling
from cbeval.errors import CbevalError, UsageError
from cbeval.models import ModelRef
from cbeval.records import TestCase

_PROBE = "cbeval"
"""An answer that no template changes, to see what a template writes after an answer."""


def load_tokenizer(model: ModelRef) -> Any:
    """The base's transformers tokenizer (a circuit breaker does not change it). CbevalError if it does not load."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            model.base, revision=model.revision or "main", local_files_only=model.local, trust_remote_code=False
        )
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, ... for one thing: no tokenizer
        raise CbevalError(
            f"model '{model.name}': its tokenizer does not load from {model.base} ({_line(error)})"
        ) from None


def render(tokenizer: Any, case: TestCase) -> Prompt:
    """Token ids of a test case under the tokenizer's chat template, ready for the assistant to speak or to continue.

    With a prefill the assistant's turn is opened with it and left open (`continue_final_message`). Where the tokenizer
    is set to add BOS and the template writes none, one is added; two never reach the model.

    Raises UsageError for a tokenizer without a chat template, and for a case that the template refuses (a system
    message in a template that has no such role).
    """
    name = getattr(tokenizer, "name_or_path", "") or "model"
    if not tokenizer.chat_template:
        raise UsageError(
            f"model '{name}': its tokenizer has no chat template, so that chat prompts have no defined form; "
            "use a chat model, or put a chat_template.jinja into the model folder"
        )
    messages = [message.model_dump() for message in case.messages]
    if case.prefill:
        messages.append({"role": "assistant", "content": case.prefill})
    try:
        text = tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=not case.prefill,
            continue_final_message=bool(case.prefill),
        )
    except Exception as error:  # a template is a program of the model's author and may raise anything
        raise UsageError(
            f"case '{case.id}': the chat template of model '{name}' refuses it ({_line(error)}); "
            "leave the case or the attack out"
        ) from None
    return with_one_bos(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"])


def with_one_bos(tokenizer: Any, ids: Sequence[int]) -> Prompt:
    """`ids` with one leading BOS where the template or the tokenizer's settings want one, and none elsewhere."""
    bos = tokenizer.bos_token_id
    kept = list(ids)
    if bos is None:
        return kept
    while kept[:2] == [bos, bos]:
        del kept[0]
    if kept[:1] != [bos] and tokenizer("a")["input_ids"][:1] == [bos]:
        kept.insert(0, bos)
    return kept


def stop_token_ids(tokenizer: Any, generation_eos: int | Sequence[int] | None = None) -> tuple[int, ...]:
    """All ids that end an answer, sorted: EOS of tokenizer and generation config, and the template's end of turn.

    Many tokenizers declare an EOS (`<|endoftext|>`) that a chat model never writes, since its template ends a turn with
    another token (`<|im_end|>`); a model stopped by the first alone runs on and looks broken.
    """
    stops: set[int] = set()
    if tokenizer.eos_token_id is not None:
        stops.add(tokenizer.eos_token_id)
    if generation_eos is not None:
        stops.update([generation_eos] if isinstance(generation_eos, int) else generation_eos)
    end_of_turn = _end_of_turn(tokenizer)
    if end_of_turn is not None:
        stops.add(end_of_turn)
    return tuple(sorted(stops))


def _end_of_turn(tokenizer: Any) -> int | None:
    """The special token that the chat template writes right after an answer; None if it writes no single such token."""
    if not tokenizer.chat_template:
        return None
    chat = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _PROBE}]
    try:
        text = tokenizer.apply_chat_template(chat, tokenize=False)
    except Exception:  # a template that cannot show a finished answer names no end of turn
        return None
    _, found, after = text.rpartition(_PROBE)
    ids = tokenizer(after.lstrip(), add_special_tokens=False)["input_ids"] if found else []
    special = {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
    return ids[0] if ids and ids[0] in special | set(tokenizer.all_special_ids) else None


def detokenize(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of generated ids without special tokens, stripped; the same in every engine."""
    text = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text).strip()


def template_digest(tokenizer: Any) -> str:
    """SHA-256 (hex) over what turns messages into ids: template, BOS and EOS, whether BOS is added, vocabulary."""
    vocabulary = sorted(tokenizer.get_vocab().items())
    parts = [tokenizer.chat_template, tokenizer.bos_token, tokenizer.eos_token, tokenizer("a")["input_ids"], vocabulary]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def check_lengths(prompts: Sequence[Prompt], sampling: Sampling, max_context: int) -> None:
    """Raise UsageError if a prompt has no room for its answer, naming the longest; nothing is ever truncated.

    A prompt cut to fit is another prompt, and an answer cut short is judged as if it were the model's own.
    """
    if not prompts:
        return
    longest = max(range(len(prompts)), key=lambda index: len(prompts[index]))
    needed = len(prompts[longest]) + sampling.max_new_tokens
    if needed > max_context:
        raise UsageError(
            f"prompt {longest} has {len(prompts[longest])} tokens; with {sampling.max_new_tokens} new ones that is "
            f"{needed}, past the context of {max_context}; lower --max-new-tokens, or leave such prompts out"
        )
    if not all(prompts):
        raise UsageError(f"prompt {[bool(prompt) for prompt in prompts].index(False)} has no tokens")


def _line(error: Exception) -> str:
    """The first line of an exception, for a one-line message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
