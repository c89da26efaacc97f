import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cbtrain.losses import rerouting_loss, retain_loss

ALL = torch.ones(1, 1, dtype=torch.bool)


def at_angle(degrees: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A state at an angle to its reference, both (1, 1, 2)."""
    radians = math.radians(degrees)
    return torch.tensor([[[3 * math.cos(radians), 3 * math.sin(radians)]]]), torch.tensor([[[1.0, 0.0]]])


@pytest.mark.parametrize(
    ("degrees", "cosine", "angular"),
    [(0, 1.0, 1.0), (60, 0.5, 1 / 3), (90, 0.0, 0.0), (135, 0.0, 0.0), (180, 0.0, 0.0)],
)
def test_rerouting_is_one_aligned_and_zero_from_orthogonal_on(degrees, cosine, angular):
    # cos 60 = 1/2; 60 of 90 degrees are gone: 1 - 60/90 = 1/3; the scale 3 must not matter.
    adapted, reference = at_angle(degrees)
    assert float(rerouting_loss(adapted, reference, ALL)) == pytest.approx(cosine, abs=1e-6)
    assert float(rerouting_loss(adapted, reference, ALL, angular=True)) == pytest.approx(angular, abs=1e-6)


def test_cosine_is_stationary_at_the_start_and_the_angle_is_not():
    for angular, slope in ((False, 1e-3), (True, 2 / math.pi)):
        adapted, reference = at_angle(0.05)  # 0.05 degrees: a little noise, as LoRA's random B gives
        adapted.requires_grad_()
        rerouting_loss(adapted, reference, ALL, angular=angular).backward()
        # The slope along the circle is d(loss)/d(angle); the state has norm 3, hence the factor.
        across = float(adapted.grad[0, 0, 1].abs()) * 3
        assert across == pytest.approx(slope, rel=0.15)


def test_gradient_is_finite_exactly_at_the_start():
    reference = torch.tensor([[[1.0, 2.0]]])
    for angular in (False, True):
        adapted = reference.clone().requires_grad_()
        rerouting_loss(adapted, reference, ALL, angular=angular).backward()
        assert torch.isfinite(adapted.grad).all()


def test_only_masked_tokens_count():
    generator = torch.Generator().manual_seed(0)
    adapted, reference = torch.randn(2, 2, 5, 8, generator=generator).unbind(0)
    mask = torch.tensor([[True, False, True, False, False], [False, True, False, False, False]])
    changed = adapted.clone()
    changed[~mask] = 1e6
    assert torch.equal(rerouting_loss(adapted, reference, mask), rerouting_loss(changed, reference, mask))
    assert torch.equal(retain_loss(adapted, reference, mask), retain_loss(changed, reference, mask))


def test_empty_mask_gives_zero_with_a_gradient_path():
    states = torch.randn(1, 3, 4, requires_grad=True)
    none = torch.zeros(1, 3, dtype=torch.bool)
    loss = rerouting_loss(states, states.detach(), none, angular=True) + retain_loss(states, states.detach(), none)
    loss.backward()
    assert float(loss) == 0.0


def test_absolute_retain_is_the_mean_norm_of_the_difference():
    reference = torch.zeros(1, 2, 2)
    adapted = torch.tensor([[[3.0, 4.0], [0.0, 1.0]]])  # norms 5 and 1
    assert float(retain_loss(adapted, reference, torch.ones(1, 2, dtype=torch.bool), relative=False)) == 3.0


@given(st.floats(1e-2, 1e4))
def test_relative_retain_does_not_depend_on_the_models_scale(scale):
    generator = torch.Generator().manual_seed(1)
    reference = torch.randn(2, 6, 16, generator=generator)
    adapted = reference + 0.1 * torch.randn(2, 6, 16, generator=generator)
    mask = torch.ones(2, 6, dtype=torch.bool)
    once = retain_loss(adapted, reference, mask, smoothing=0.1)
    scaled = retain_loss(adapted * scale, reference * scale, mask, smoothing=0.1)
    assert float(scaled) == pytest.approx(float(once), rel=1e-4)


def test_one_huge_token_does_not_set_the_relative_scale():
    # Attention sinks have norms 100 times the others'; divided by the mean norm, all else would vanish.
    reference = torch.ones(1, 9, 4)
    reference[0, 0] = 25_000
    adapted = reference.clone()
    adapted[0, 1:] *= 1.1
    assert float(retain_loss(adapted, reference, torch.ones(1, 9, dtype=torch.bool))) == pytest.approx(0.1 * 8 / 9)


def test_smoothing_is_quadratic_below_and_linear_above():
    reference = torch.zeros(1, 1, 1)

    def loss(x):
        return float(retain_loss(torch.full((1, 1, 1), x), reference, ALL, relative=False, smoothing=0.1))

    assert loss(0.002) == pytest.approx(4 * loss(0.001), rel=1e-2)
    assert loss(100.0) == pytest.approx(100 - 0.1, rel=1e-3)
