"""The geometry of the charts: nothing is lost, nothing leaves the box."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from cbeval.metrics import rate
from cbeval.records import Outcome
from cbeval.report.charts import RunMark, bar, lane, percent
from cbeval.report.curves import axis, curve
from cbeval.report.flows import flow

BASE, OTHER = RunMark("base", 0, 0), RunMark("cb", 1, 1)
COUNT = st.integers(0, 300)
FLOWS = st.lists(COUNT, min_size=25, max_size=25).map(
    lambda n: {a: {b: n[5 * i + j] for j, b in enumerate(Outcome)} for i, a in enumerate(Outcome)}
)


@given(st.dictionaries(st.sampled_from(list(Outcome)), COUNT))
def test_a_bar_is_full_and_in_order(counts):
    segments = bar("base", counts).segments
    assert {s.outcome: s.count for s in segments} == {str(o): n for o, n in counts.items() if n}
    edge = 0.0
    for segment in segments:
        assert segment.x == approx(edge, abs=0.01)
        edge = segment.x + segment.width
    assert not segments or edge == approx(100, abs=0.01)


@given(FLOWS)
def test_a_flow_shows_every_pair_on_both_sides(flows):
    total = sum(map(lambda row: sum(row.values()), flows.values()))
    drawn = flow("all", BASE, OTHER, flows)
    if not total:
        assert drawn is None
        return
    for side in (drawn.left, drawn.right):
        assert sum(node.count for node in side) == total
        assert side[0].y == 0 and side[-1].y + side[-1].height == approx(100, abs=0.01)
        assert all(above.y + above.height < below.y for above, below in pairwise(side))
    assert len(drawn.ribbons) == sum(1 for row in flows.values() for n in row.values() if n)
    assert sum(cell.count for row in drawn.rows for cell in row.cells) == total


def test_a_lane_holds_the_wilson_interval():
    # 0 of 159: Wilson's upper 95 % bound is z^2 / (n + z^2) = 3.8415 / 162.84 = 2.36 %
    drawn = lane(OTHER, rate(0, 159))
    assert (drawn.x, drawn.low, drawn.high) == (0, 0, 2.36)
    assert drawn.interval == "0.0\N{EN DASH}2.4"
    assert lane(OTHER, rate(0, 0, unjudged=3)).x is None


def test_percent_has_no_negative_zero():
    assert percent(-0.0001) == "0.0" and percent(-0.0512) == "\N{MINUS SIGN}5.1" and percent(1) == "100.0"


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_an_axis_holds_its_values_on_few_round_ticks(a, b):
    bottom, top, ticks = axis(min(a, b), max(a, b))
    slack = 1e-6 * max(1, abs(a), abs(b))
    assert bottom <= min(a, b) + slack and top >= max(a, b) - slack
    assert 2 <= len(ticks) <= 8 and list(ticks) == sorted(set(ticks))


def test_a_curve_is_drawn_inside_its_box_with_its_mark():
    drawn = curve("cosine", {"harmful": [(0, 1.0), (10, 0.5), (20, 0.0)], "one": [(0, 1.0)]}, low=0, high=1, mark=10)
    assert [s.points for s in drawn.series] == ["0.0,0.0 50.0,50.0 100.0,100.0"]
    assert drawn.mark == 50.0
    assert curve("empty", {"none": []}) is None
