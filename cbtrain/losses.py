"""The two losses of representation rerouting (arXiv 2406.04313, section 3), as pure functions on hidden states.

Both take the states of one layer from the adapted model and from the frozen reference, and reduce to a scalar over
the tokens that a mask selects. Nothing here knows of layers, schedules or adapters.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def rerouting_loss(adapted: Tensor, reference: Tensor, mask: Tensor, *, angular: bool = False) -> Tensor:
    """Mean over the selected tokens of how far the states still point where they did: 1 at the start, 0 orthogonal.

    The published form is relu(cosine). Its gradient vanishes where training starts, so that any retain loss holds the
    adapter there; with the published weights a run leaves only while the retain weight is still near zero, and takes
    the benign states along. `angular` is relu(1 - angle / 90 degrees): the same ends, but the same slope everywhere.

    Args:
        adapted: States of the model with its adapter, (batch, tokens, hidden).
        reference: States of the frozen model, same shape, no gradient.
        mask: Tokens to reroute, (batch, tokens), bool.
        angular: Use the angle instead of the cosine.

    Returns:
        A float32 scalar; zero (with a gradient path) where the mask is empty.
    """
    moved, fixed = adapted[mask].float(), F.normalize(reference[mask].float(), dim=-1)
    along = (moved * fixed).sum(-1)
    if angular:
        # atan2 of the two components: arccos has an infinite slope at 1, where training starts.
        across = torch.linalg.vector_norm(moved - along[:, None] * fixed, dim=-1)
        per_token = 1 - torch.atan2(across, along) / (math.pi / 2)
    else:
        per_token = along / torch.linalg.vector_norm(moved, dim=-1).clamp_min(1e-8)
    loss: Tensor = per_token.relu().sum() / max(int(mask.sum()), 1)
    return loss


def retain_loss(
    adapted: Tensor, reference: Tensor, mask: Tensor, *, relative: bool = True, smoothing: float = 0.0
) -> Tensor:
    """Mean over the selected tokens of the L2 norm of the difference of the states.

    The published loss is absolute, so its weight against the rerouting loss hangs on the model's activation norm
    (8.7 in Llama-3-8B, about 180 in SmolLM2). `relative` divides by the median norm of the selected reference tokens:
    the median, because a few tokens with norms 100 times the rest would otherwise set the scale.

    The gradient of a norm has the same size however small the difference, while that of the cosine vanishes at the
    start: a full-weight norm holds the adapter at its start for ever. `smoothing` makes the loss quadratic below that
    difference and linear above it (pseudo-Huber: sqrt(x^2 + s^2) - s), so that both losses start alike.

    Args:
        adapted: States of the model with its adapter, (batch, tokens, hidden).
        reference: States of the frozen model, same shape, no gradient.
        mask: Tokens to keep, (batch, tokens), bool.
        relative: Divide by the reference's typical norm.
        smoothing: Difference below which the loss is quadratic, in the unit that `relative` chooses; 0 is the paper's.

    Returns:
        A float32 scalar; zero where the mask is empty.
    """
    kept = reference[mask].float()
    distance = torch.linalg.vector_norm(adapted[mask].float() - kept, dim=-1)
    if relative and kept.numel():
        distance = distance / torch.linalg.vector_norm(kept, dim=-1).median()
    if smoothing:
        distance = torch.sqrt(distance**2 + smoothing**2) - smoothing
    loss: Tensor = distance.sum() / max(int(mask.sum()), 1)
    return loss
