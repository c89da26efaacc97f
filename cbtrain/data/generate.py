"""Answers of the model that is to be broken, for the training pairs: on-policy, so no harmful text is ever shipped."""

import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cbtrain.data.chat import leading_bos, load_tokenizer, render


@dataclass(frozen=True)
class Draft:
    """A conversation up to the point where the model takes over."""

    prompt: str
    opening: str = ""
    """What the assistant is made to begin with; empty for the model's own words."""

    system: str | None = None
    temperature: float = 0.0


def generate(model: str, drafts: Sequence[Draft], *, max_new_tokens: int, seed: int) -> list[str]:
    """Continue every draft with `model`; returns openings and continuations joined, aligned with `drafts`.

    vLLM where it can be imported, transformers otherwise: only speed differs.
    """
    tokenizer = load_tokenizer(model)
    prompts = []
    for draft in drafts:
        text = render(draft.prompt, draft.system, tokenizer)[0] + draft.opening
        prompts.append(leading_bos(text, tokenizer) + list(tokenizer(text, add_special_tokens=False)["input_ids"]))
    temperatures = [draft.temperature for draft in drafts]
    if _vllm_works():
        texts = _generate_vllm(model, prompts, temperatures, max_new_tokens, seed)
    else:
        texts = _generate_transformers(model, tokenizer, prompts, temperatures, max_new_tokens, seed)
    return [draft.opening + text for draft, text in zip(drafts, texts, strict=True)]


def _prepare_vllm() -> None:
    import torch

    if not torch.cuda.is_available():
        # In process: the separate engine process costs 35 s of start-up and a third of the speed on 2 cores.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
        # vLLM otherwise takes one thread "for serving": 450 against 660 tokens a second on 2 cores.
        os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")


def _vllm_works() -> bool:
    """Whether vLLM is there and comes up; a broken one is said and passed over, because only speed hangs on it."""
    if importlib.util.find_spec("vllm") is None:
        return False
    _prepare_vllm()
    try:
        importlib.import_module("vllm")
    except Exception as error:  # a mismatched build raises anything from ImportError to RuntimeError
        print(f"vLLM cannot be imported ({type(error).__name__}); generating with transformers", file=sys.stderr)
        return False
    return True


def _generate_vllm(
    model: str, prompts: list[list[int]], temperatures: list[float], max_new_tokens: int, seed: int
) -> list[str]:
    import torch
    from vllm import LLM, SamplingParams, TokensPrompt

    on_cpu = not torch.cuda.is_available()

    longest = max(map(len, prompts)) + max_new_tokens
    llm = LLM(model=model, dtype="bfloat16", max_model_len=longest + 8, enforce_eager=on_cpu, seed=seed)
    # The engine's seed alone: a seed a request fails on the CPU ("CPU Generator does not use offset").
    parameters = [SamplingParams(temperature=t, max_tokens=max_new_tokens) for t in temperatures]
    outputs = llm.generate([TokensPrompt(prompt_token_ids=ids) for ids in prompts], parameters, use_tqdm=True)
    texts = [output.outputs[0].text for output in outputs]
    llm.llm_engine.engine_core.shutdown()
    del llm
    gc.collect()
    return texts


def _generate_transformers(
    model: str, tokenizer: Any, prompts: list[list[int]], temperatures: list[float], max_new_tokens: int, seed: int
) -> list[str]:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).to(device).eval()
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    texts = [""] * len(prompts)
    # One temperature a batch, alike lengths together: padding costs as much as text.
    order = sorted(range(len(prompts)), key=lambda i: (temperatures[i], len(prompts[i])))
    while order:
        batch = [i for i in order[:32] if temperatures[i] == temperatures[order[0]]]
        order = order[len(batch) :]
        width = max(len(prompts[i]) for i in batch)
        ids = torch.tensor([[pad] * (width - len(prompts[i])) + prompts[i] for i in batch], device=device)
        attention = torch.tensor(
            [[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch], device=device
        )
        sampling = (
            {"do_sample": True, "temperature": temperatures[batch[0]]}
            if temperatures[batch[0]]
            else {"do_sample": False}
        )
        with torch.inference_mode():
            out = network.generate(
                input_ids=ids, attention_mask=attention, max_new_tokens=max_new_tokens, pad_token_id=pad, **sampling
            )
        for i, row in zip(batch, out[:, width:], strict=True):
            texts[i] = tokenizer.decode(row, skip_special_tokens=True)
    return texts
