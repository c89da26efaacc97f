"""What is watched while a breaker trains, and the verdict drawn from it.

Cosines and norms say whether training did anything; they do not say whether the breaker is any good. Harmful cosines
of 0.00 with a retain deviation of 1.5 % have been seen on a model that still answered harmful requests whole: only
generations on unseen prompts count.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

ESCAPE_COSINE = 0.95
"""Below this mean harmful cosine a run has left LoRA's stationary start."""


@dataclass(frozen=True)
class StepRecord:
    """Means over the optimizer steps since the last record."""

    step: int
    loss: float
    rerouting_loss: float
    retain_loss: float
    harmful_cosine: float
    """Mean over target layers and rerouted tokens; 1 untouched, 0 orthogonal."""

    harmful_cosine_by_layer: dict[str, float]
    retain_cosine: float
    """Mean over all trained layers and kept tokens; stays near 1."""

    harmful_norm_ratio: float
    """Norm of rerouted states over the reference's, at the deepest target."""

    retain_norm_ratio: float

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)


@torch.no_grad()
def mean_cosine(adapted: Tensor, reference: Tensor, mask: Tensor) -> float:
    """Mean cosine of the selected tokens' states, (batch, tokens, hidden) each; 1.0 where the mask is empty."""
    if not mask.any():
        return 1.0
    return float(F.cosine_similarity(adapted[mask].float(), reference[mask].float(), dim=-1).mean())


@torch.no_grad()
def norm_ratio(adapted: Tensor, reference: Tensor, mask: Tensor) -> float:
    """Median norm of the selected tokens' states over the reference's; 1.0 where the mask is empty."""
    if not mask.any():
        return 1.0
    norms = [torch.linalg.vector_norm(x[mask].float(), dim=-1).median() for x in (adapted, reference)]
    return float(norms[0] / norms[1])


def escape_step(records: Sequence[StepRecord]) -> int | None:
    """First logged step whose mean harmful cosine lies below `ESCAPE_COSINE`; None if there was none."""
    return next((r.step for r in records if r.harmful_cosine < ESCAPE_COSINE), None)


def verdict(records: Sequence[StepRecord], deepest_target: int, no_effect_cosine: float) -> str:
    """What a run came to, by its last record.

    Returns:
        `diverged` if a loss or cosine is not finite; `no_effect` if harmful states at the deepest target still point
        where they did, or nothing was recorded; else `ok`.
    """
    if not records:
        return "no_effect"
    last = records[-1]
    cosine = last.harmful_cosine_by_layer[str(deepest_target)]
    if not all(math.isfinite(x) for x in (last.loss, cosine, last.retain_cosine)):
        return "diverged"
    return "no_effect" if cosine > no_effect_cosine else "ok"
