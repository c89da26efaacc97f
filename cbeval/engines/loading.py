"""What both engines need to know of a model before its weights: configuration, EOS, seeds, and a quiet terminal."""

import contextlib
import hashlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from cbeval.errors import CbevalError, UsageError
from cbeval.models import ModelRef

DEFAULT_CONTEXT = 4096
"""Prompt plus answer where the caller does not say; a 128k context would only set memory aside."""


def read_config(model: ModelRef) -> tuple[Any, int | list[int] | None]:
    """The base's transformers configuration and the EOS id or ids of its generation config.

    Raises CbevalError for a configuration that does not load, or that needs code of its own, which is never run.
    """
    from transformers import AutoConfig, GenerationConfig

    where = {"revision": model.revision or "main", "local_files_only": model.local}
    try:
        config = AutoConfig.from_pretrained(model.base, trust_remote_code=False, **where)
    except Exception as error:  # OSError, ValueError, KeyError, ... by version and by model
        line = (str(error).strip().splitlines() or [""])[0][:200]
        raise CbevalError(f"model '{model.name}': its config.json does not load from {model.base} ({line})") from None
    eos = getattr(config, "eos_token_id", None)
    with contextlib.suppress(OSError):  # a model without generation_config.json
        generation_eos = GenerationConfig.from_pretrained(model.base, **where).eos_token_id
        eos = generation_eos if generation_eos is not None else eos
    return config, eos


def context_length(model: ModelRef, config: Any, wanted: int | None, default: int | None = None) -> int:
    """Tokens of prompt plus answer to open an engine for: `wanted`, else the model's own up to `default`.

    Raises UsageError if more is wanted than the model takes: nothing is ever truncated, since a prompt cut to fit is
    another prompt.
    """
    own = int(getattr(config.get_text_config(), "max_position_embeddings", 0) or DEFAULT_CONTEXT)
    if wanted is not None and wanted > own:
        raise UsageError(
            f"model '{model.name}' takes at most {own} tokens, and the longest prompt with its answer needs {wanted}; "
            "lower --max-new-tokens, or leave such prompts out"
        )
    return wanted or min(own, default or own)


def stream_seed(seed: int, prompt: Sequence[int]) -> int:
    """A 31-bit seed of a prompt's own random stream, whatever its place in a chunk."""
    content = json.dumps([seed, list(prompt)])
    return int.from_bytes(hashlib.sha256(content.encode()).digest()[:4]) >> 1


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars, notices and warnings off the terminal while a model loads; errors still raise."""
    from transformers.utils import logging as transformers_logging

    triton = logging.getLogger("torch._library.triton")  # says at every start that a CPU has no Triton
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    level = triton.level
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    triton.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        triton.setLevel(level)
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
