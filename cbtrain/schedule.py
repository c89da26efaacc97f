"""How the weights of the two losses move over the training run.

The paper trades rerouting for retaining while it trains: c_cb = alpha (1 - t/2T), c_retain = alpha t/2T
(arXiv 2406.04313, section 3; the "300" in its code is 2 x 150 steps). `t` counts optimizer steps. A schedule that
counts micro-batches under gradient accumulation reaches T early and then turns the sign of the rerouting term.
"""

import math
from typing import Literal

Schedule = Literal["linear", "cosine", "constant"]


def coefficients(step: int, total_steps: int, schedule: Schedule = "linear") -> tuple[float, float]:
    """Weights (rerouting, retain) of the two losses at an optimizer step, both in [0, 1], summing to 1.

    Args:
        step: Optimizer steps done so far, 0 for the first.
        total_steps: Optimizer steps of the whole run; both weights are 1/2 at its end (`linear`, `cosine`).
        schedule: `linear` is the paper's, `cosine` covers the same range slowly at both ends, `constant` holds 1/2.

    Raises:
        ValueError: `total_steps` is not positive, or `step` lies outside 0..total_steps.
    """
    if total_steps < 1 or not 0 <= step <= total_steps:
        raise ValueError(f"step {step} of {total_steps}: a schedule runs over 0..total_steps with total_steps >= 1")
    progress = step / total_steps
    if schedule == "linear":
        retain = progress / 2
    elif schedule == "cosine":
        retain = (1 - math.cos(math.pi * progress)) / 4
    elif schedule == "constant":
        retain = 0.5
    else:
        raise ValueError(f"schedule '{schedule}' is unknown; known: linear, cosine, constant")
    return 1 - retain, retain
