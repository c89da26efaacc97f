"""Rates, intervals and exact paired tests: pure functions on counts and records."""

from cbeval.metrics.intervals import Interval, newcombe_independent, newcombe_paired, wilson
from cbeval.metrics.paired import mcnemar, mcnemar_fall
from cbeval.metrics.rates import METRICS, Metric, Rate, rate, rates
from cbeval.metrics.summary import RunSummary, Section, summarize

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Rate",
    "RunSummary",
    "Section",
    "mcnemar",
    "mcnemar_fall",
    "newcombe_independent",
    "newcombe_paired",
    "rate",
    "rates",
    "summarize",
    "wilson",
]
