import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbtrain.layers import TABLE, default_targets
from cbtrain.schedule import coefficients


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_schedule_goes_from_rerouting_alone_to_equal_weights(schedule):
    assert coefficients(0, 150, schedule) == (1, 0)
    assert coefficients(150, 150, schedule) == pytest.approx((0.5, 0.5))


def test_linear_is_the_papers_line():
    # c_cb = 1 - t/300 and c_retain = t/300 at T = 150; half way: 0.75 and 0.25.
    assert coefficients(75, 150) == pytest.approx((0.75, 0.25))


def test_cosine_lags_the_line_first_and_leads_it_later():
    assert coefficients(20, 100, "cosine")[1] < coefficients(20, 100)[1]
    assert coefficients(80, 100, "cosine")[1] > coefficients(80, 100)[1]


@given(st.integers(1, 1000), st.floats(0, 1), st.sampled_from(["linear", "cosine", "constant"]))
def test_rerouting_never_turns_its_sign(total, share, schedule):
    reroute, retain = coefficients(int(share * total), total, schedule)
    assert reroute >= 0.5 - 1e-12
    assert reroute + retain == pytest.approx(1)


@pytest.mark.parametrize(("step", "total"), [(-1, 10), (11, 10), (0, 0)])
def test_steps_outside_the_run_are_refused(step, total):
    with pytest.raises(ValueError, match=r"0\.\.total_steps"):
        coefficients(step, total)


@pytest.mark.parametrize("depth", sorted(TABLE))
def test_table_rows_are_used_as_they_stand(depth):
    assert default_targets(depth) == TABLE[depth]


def test_the_papers_targets_are_hidden_states_10_and_20():
    assert default_targets(32) == (10 - 1, 20 - 1)


@given(st.integers(2, 200))
def test_targets_lie_inside_every_model_in_order(depth):
    shallow, deep = default_targets(depth)
    assert 0 <= shallow < deep < depth


@given(st.integers(12, 80))
def test_deeper_models_never_get_shallower_targets(depth):
    assert all(a <= b for a, b in zip(default_targets(depth), default_targets(depth + 1), strict=True))


def test_a_single_layer_has_no_targets():
    with pytest.raises(ValueError, match="no two layers"):
        default_targets(1)
