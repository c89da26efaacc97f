"""What every engine takes and gives: token ids and sampling in, aligned generations out."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from pydantic import Field

from cbeval.records import Record

Prompt = list[int]
"""Token ids of one rendered prompt, BOS included where the model has one."""

Progress = Callable[[int], None]
"""Called with the number of prompts that were finished since the last call."""


class Sampling(Record):
    """How answers are drawn. The defaults are the benchmarks' protocol."""

    max_new_tokens: int = Field(default=512, ge=1)

    temperature: float = Field(default=0.0, ge=0.0)
    """0 is greedy."""

    seed: int = 0
    """Of draws at a temperature above 0: each prompt's stream (in hf each batch's) comes from this and its ids."""


class Generation(Record):
    """The answer to one prompt."""

    text: str
    """Detokenised without special tokens, stripped."""

    prompt_tokens: int
    completion_tokens: int
    """Generated tokens, the end-of-turn token included."""

    finish_reason: Literal["stop", "length"]


class EngineInfo(Record):
    """What produced the answers, for the manifest: two runs are comparable without a caveat if these agree."""

    name: str
    """`vllm` or `hf`."""

    version: str
    """Of vLLM, or of transformers."""

    torch: str
    dtype: str
    device: str
    """`cpu`, or the name of the GPU."""

    serving: Literal["full", "adapter"]
    """Whether the weights are whole or a LoRA is applied on the fly; merged and applied may differ in last digits."""

    batch_invariant: bool
    """Whether the engine promises that an answer does not depend on the other prompts of its batch."""

    max_context: int
    """Longest prompt plus answer in tokens."""

    reason: str = ""
    """Why this engine was chosen."""

    settings: Mapping[str, str | int | float | bool] = {}
    """The engine's own settings that can change numbers or speed."""


class Engine(Protocol):
    """A loaded model that answers token ids."""

    info: EngineInfo
    tokenizer: Any
    """The transformers tokenizer that `render` is given."""

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_done: Progress | None = None
    ) -> list[Generation]:
        """Answer every prompt; the result is aligned with `prompts`.

        The same list of prompts gives the same answers, whatever was generated before. `on_done` is told as prompts
        are finished. Raises UsageError if a prompt plus `max_new_tokens` exceeds the context.
        """
        ...

    def close(self) -> None:
        """Free the memory and end every process of the engine; calling it twice is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
