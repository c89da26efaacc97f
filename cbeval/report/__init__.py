"""One self-contained HTML page on a base model and its circuit breakers: numbers, charts, caveats, every answer."""

from cbeval.report.page import write_report

__all__ = ["write_report"]
