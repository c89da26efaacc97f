"""Suites: named lists of behaviours, one file a suite, and the user's own CSV and JSONL files."""

from cbeval.suites.registry import SuiteInfo, list_suites, load_suite

__all__ = ["SuiteInfo", "list_suites", "load_suite"]
