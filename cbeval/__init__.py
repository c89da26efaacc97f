"""Evaluate language models and their circuit breakers: suites, engines, judges, statistics, reports and gates."""

__version__ = "0.1.0"
