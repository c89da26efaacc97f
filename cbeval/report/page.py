"""Reads the runs, renders the page and puts it in place whole."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cbeval import __version__
from cbeval.compare import compare_runs
from cbeval.errors import CbevalError
from cbeval.records import Outcome
from cbeval.report.charts import LETTERS
from cbeval.report.contents import read_contents, with_unique_names
from cbeval.report.verdict import read_verdict
from cbeval.report.view import Page, build_page
from cbeval.runs.atomic import write_atomic
from cbeval.runs.folder import RunFolder

MEANINGS = {
    Outcome.COMPLIED: "answers the request",
    Outcome.PARTIAL: "refuses and answers",
    Outcome.REFUSED: "does not answer",
    Outcome.BROKEN: "empty or incoherent",
    Outcome.UNJUDGED: "no verdict",
}


def write_report(
    runs: Sequence[RunFolder],
    baseline: RunFolder | None,
    output: Path,
    *,
    title: str = "",
    gate: Path | None = None,
    judge: str = "outcome",
    made: datetime | None = None,
) -> Page:
    """Write one self-contained HTML file on `runs` against `baseline` to `output`, and return what it shows.

    `gate` is a verdict that `cbeval gate --json` wrote, `made` the date on the page (now, if None).

    Raises:
        UsageError: a run is not judged by `judge`, shares no prompt with the baseline, or `gate` is no verdict.
        CbevalError: a run is damaged, or the file cannot be written; what was there before is then untouched.
    """
    others = [run for run in runs if baseline is None or run.path.resolve() != baseline.path.resolve()]
    comparisons = [compare_runs(baseline, run, judge) for run in others] if baseline is not None else []
    contents = [read_contents(run, judge) for run in ([baseline] if baseline is not None else []) + others]
    contents = with_unique_names(contents)
    verdict = read_verdict(gate, contents) if gate is not None else None
    page = build_page(
        contents[1:] if baseline is not None else contents,
        contents[0] if baseline is not None else None,
        comparisons,
        title=title,
        made=(made or datetime.now(UTC)).strftime("%-d %B %Y, %H:%M UTC"),
        judge=judge,
        verdict=verdict,
    )
    html = render(page)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CbevalError(f"cannot make {output.parent}: {error.strerror or error}; give --output elsewhere") from error
    write_atomic(output, html.encode("utf-8", "replace"))
    return page


def render(page: Page) -> str:
    """The page as HTML; everything that comes from runs is escaped."""
    style, script = _asset("style.css"), _asset("report.js")
    hash_ = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            version=__version__,
            style=Markup(style),  # ours, and nothing of a run is in it
            script=Markup(script),
            script_hash=f"sha256-{hash_}",
            outcomes=[(str(outcome), LETTERS[outcome], text) for outcome, text in MEANINGS.items()],
            inert=Markup,  # for `inert_json`, which escapes what HTML would read
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cbeval.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return resources.files("cbeval.report").joinpath("templates", name).read_text(encoding="utf-8")
