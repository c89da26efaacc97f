"""transformers: the engine that runs wherever torch does, slower than vLLM and with the same token ids.

Prompts are sorted by length and batched under a budget of token slots, left-padded, and generated in the stated dtype.
A batch is a function of the list of prompts alone, so the same call gives the same answers.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from cbeval.engines.base import EngineInfo, Generation, Progress, Prompt, Sampling
from cbeval.engines.loading import context_length, quiet, read_config, stream_seed
from cbeval.engines.render import check_lengths, detokenize, load_tokenizer, stop_token_ids
from cbeval.errors import CbevalError
from cbeval.models import ModelRef

SLOTS = {"cpu": 16_384, "cuda": 131_072}
"""Token slots (rows x longest prompt plus answer) of one batch; bounds the memory of keys and values."""

MAX_ROWS = {"cpu": 64, "cuda": 256}


class HfEngine:
    """A model in transformers (and PEFT, for an adapter), on the GPU if there is one. See `open_engine`.

    Raises CbevalError if the model cannot be loaded.
    """

    info: EngineInfo
    tokenizer: Any

    def __init__(
        self,
        model: ModelRef,
        *,
        max_context: int | None = None,
        dtype: str = "bfloat16",
        reason: str = "",
        notify: Callable[[str], None] = lambda line: None,
    ) -> None:
        import torch
        import transformers

        self.tokenizer = load_tokenizer(model)
        config, generation_eos = read_config(model)
        context = context_length(model, config, max_context)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with quiet():
                loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
                    model.base,
                    revision=model.revision or "main",
                    local_files_only=model.local,
                    dtype=getattr(torch, dtype),
                    use_safetensors=True,
                    trust_remote_code=False,
                )
                if model.adapter is not None:
                    from peft import PeftModel

                    loaded = PeftModel.from_pretrained(loaded, str(model.adapter))
                self._model: Any = loaded.to(self._device).eval()
        except Exception as error:  # OSError, ValueError, RuntimeError (shapes), OutOfMemoryError, ... by what is wrong
            line = (str(error).strip().splitlines() or [""])[0][:300]
            raise CbevalError(
                f"model '{model.name}': transformers cannot load it ({type(error).__name__}: {line}); "
                "check the folder, or the memory that is free"
            ) from error
        self._stops = stop_token_ids(self.tokenizer, generation_eos)
        self.info = EngineInfo(
            name="hf",
            version=transformers.__version__,
            torch=torch.__version__,
            dtype=dtype,
            device="cpu" if self._device == "cpu" else torch.cuda.get_device_name(),
            serving="full" if model.adapter is None else "adapter",
            batch_invariant=False,
            max_context=context,
            reason=reason,
            settings={"threads": torch.get_num_threads(), "slots": SLOTS[self._device], "rows": MAX_ROWS[self._device]},
        )

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_done: Progress | None = None
    ) -> list[Generation]:
        """Answer every prompt, aligned with `prompts`; see `Engine.generate`."""
        check_lengths(prompts, sampling, self.info.max_context)
        answers: dict[int, Generation] = {}
        lengths = [len(prompt) for prompt in prompts]
        limits = SLOTS[self._device], MAX_ROWS[self._device]
        for batch in batches(lengths, sampling.max_new_tokens, *limits):
            generated = self._generate_batch([prompts[index] for index in batch], sampling)
            for index, ids in zip(batch, generated, strict=True):
                answers[index] = self._generation(lengths[index], ids)
            if on_done is not None:
                on_done(len(batch))
        return [answers[index] for index in range(len(prompts))]

    def _generate_batch(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[int]]:
        """Ids that the model adds to each prompt, pads after the stop included."""
        import torch
        from transformers import GenerationConfig

        width = max(map(len, prompts))
        pad = self._stops[0] if self._stops else 0
        ids = torch.tensor([[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        drawing = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": 1.0}
        config = GenerationConfig(
            max_new_tokens=sampling.max_new_tokens,
            eos_token_id=list(self._stops) or None,
            pad_token_id=pad,
            **(drawing if sampling.temperature else {"do_sample": False}),
        )
        self._model.generation_config = config  # the model's own temperature or penalties would mix into ours
        devices = [torch.cuda.current_device()] if self._device == "cuda" else []
        with torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(stream_seed(sampling.seed, [token for prompt in prompts for token in prompt]))
            output = self._model.generate(
                input_ids=ids.to(self._device), attention_mask=mask.to(self._device), generation_config=config
            )
        added: list[list[int]] = output[:, width:].tolist()
        return added

    def _generation(self, prompt_tokens: int, ids: Sequence[int]) -> Generation:
        """The answer up to its first stop token."""
        end = next((place for place, token in enumerate(ids) if token in self._stops), None)
        kept = ids if end is None else ids[: end + 1]
        return Generation(
            text=detokenize(self.tokenizer, kept if end is None else kept[:-1]),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(kept),
            finish_reason="length" if end is None else "stop",
        )

    def close(self) -> None:
        """Free the model's memory; calling it twice is harmless."""
        import torch

        self._model = None
        gc.collect()
        if self._device == "cuda":
            torch.cuda.empty_cache()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def batches(lengths: Sequence[int], new_tokens: int, slots: int, max_rows: int) -> Iterator[list[int]]:
    """Indices of prompts in batches, longest first (what does not fit in memory fails at once).

    A batch has at most `max_rows` rows and at most `slots` token slots, of which each row takes the longest prompt's
    length plus `new_tokens`; a prompt that exceeds the slots alone has a batch of its own.
    """
    batch: list[int] = []
    rows = 0
    for index in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        if batch and len(batch) >= rows:
            yield batch
            batch = []
        if not batch:
            rows = max(1, min(max_rows, slots // (lengths[index] + new_tokens)))
        batch.append(index)
    if batch:
        yield batch
