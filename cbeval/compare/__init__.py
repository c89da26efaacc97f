"""Two runs answer by answer: what changed, by how much, and whether it can be chance."""

from cbeval.compare.flows import Flows, flow_lines, outcome_flows
from cbeval.compare.paired import Comparison, MetricComparison, Mismatch, SectionComparison, compare_records
from cbeval.compare.runs import compare_runs

__all__ = [
    "Comparison",
    "Flows",
    "MetricComparison",
    "Mismatch",
    "SectionComparison",
    "compare_records",
    "compare_runs",
    "flow_lines",
    "outcome_flows",
]
