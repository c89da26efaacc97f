"""The answers that the page carries: made harmless to display, cut to a bound, packed in blocks that open lazily.

A block is the base64 of zlib-compressed JSON rows; base64 has no character that could end a script element. The page
opens a block when its rows are first shown or searched, so that a file with 50 runs of 1,000 answers opens at once.
"""

import base64
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cbeval.records import TestCase
from cbeval.report.charts import LETTERS
from cbeval.report.contents import RunContents

BLOCK = 64
"""Rows in a block."""

PAGE = 10
"""Prompts on a page of the explorer."""

SHOWN = 8_000
"""Characters of an answer, prompt or evidence that the page carries; the rest is told as a number."""

NO_ANSWER = "-"


def visible(text: str) -> str:
    """`text` with everything invisible or reordering made visible, so that what is read is what is there.

    Control characters become their Unicode pictures, format characters (bidi overrides, zero-width marks, tags),
    separators, private and unassigned ones `⟨U+202E⟩`. Line feeds and tabs stay, CR LF becomes LF, and the joiners
    that scripts and emoji need (U+200C, U+200D) stay.
    """
    return _DOUBTFUL.sub(lambda found: _seen(found[0]), text.replace("\r\n", "\n"))


_DOUBTFUL = re.compile(r"[^\n\t\x20-\x7e]")
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


@lru_cache(maxsize=10_000)
def _seen(character: str) -> str:
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "\u2421"
    hidden = unicodedata.category(character) in _HIDDEN and character not in "\u200c\u200d"
    return f"\u27e8U+{code:04X}\u27e9" if hidden else character


def shown(text: str, limit: int = SHOWN) -> str:
    """The first `limit` characters of `text`, made visible."""
    return visible(text[:limit])


@dataclass(frozen=True)
class Block:
    """One lazily read script element."""

    id: str
    data: str


@dataclass(frozen=True)
class Explorer:
    """The explorer's data and the choices of its filters."""

    head: str
    """JSON without `<`, `>`, `&`: what the filters need without opening a block."""

    blocks: tuple[Block, ...]
    filters: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    """Id, name and (value, text) options of each select."""

    places: Mapping[tuple[str, str, str, str], tuple[int, int, int, str]]
    """Section key -> where its rows are in the filters: suite, attack, part, kind."""


def explorer(runs: Sequence[RunContents], base: int | None) -> Explorer | None:
    """Pack the answers of all runs, `base` being the index of the baseline; None if no run has an answer.

    The prompts are those of all runs, in the order of the first run that has them.
    """
    cases: dict[str, TestCase] = {}
    for run in runs:
        for case in run.cases:
            if case.id in run.completions:
                cases.setdefault(case.id, case)
    if not cases:
        return None
    suites, attacks, parts, categories = (
        _distinct(getattr(case, name) for case in cases.values()) for name in ("suite", "attack", "subset", "category")
    )
    kinds = {"harmful": "H", "benign": "B"}
    keys = [
        (suites[c.suite], attacks[c.attack], parts[c.subset], kinds[c.label], categories[c.category])
        for c in cases.values()
    ]
    blocks: list[Block] = []
    head: dict[str, Any] = {
        "block": BLOCK,
        "page": PAGE,
        "base": base,
        "other": next((i for i in range(len(runs)) if i != base), 0),
        "suites": list(suites),
        "attacks": list(attacks),
        "parts": list(parts),
        "categories": list(categories),
        "keys": keys,
        "cases": _pack("cases", [_case_row(case) for case in cases.values()], blocks),
        "runs": [
            {
                "name": run.name,
                "outcomes": "".join(_letter(run, case_id) for case_id in cases),
                "blocks": _pack(f"run{index}", [_answer_row(run, case_id) for case_id in cases], blocks),
            }
            for index, run in enumerate(runs)
        ],
    }
    return Explorer(
        head=inert_json(head),
        blocks=tuple(blocks),
        filters=_filters(suites, attacks, parts, categories, {case.label for case in cases.values()}, base is not None),
        places={
            (c.suite, c.attack, c.subset, c.label): (
                suites[c.suite],
                attacks[c.attack],
                parts[c.subset],
                kinds[c.label],
            )
            for c in cases.values()
        },
    )


def inert_json(value: Any) -> str:
    """JSON that may stand inside a script element: ASCII, with `<`, `>` and `&` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _distinct(values: Iterable[str]) -> dict[str, int]:
    return {value: index for index, value in enumerate(dict.fromkeys(values))}


def _filters(
    suites: Mapping[str, int],
    attacks: Mapping[str, int],
    parts: Mapping[str, int],
    categories: Mapping[str, int],
    labels: set[str],
    paired: bool,
) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
    outcomes = tuple((letter, str(outcome)) for outcome, letter in LETTERS.items())

    def options(names: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
        return tuple((str(index), name or "(none)") for name, index in sorted(names.items()))

    found = [("suite", "Suite", options(suites)), ("attack", "Attack", options(attacks))]
    if len(parts) > 1:
        found.append(("part", "Part", options(parts)))
    if len(labels) > 1:
        found.append(("kind", "Prompts", (("H", "harmful"), ("B", "benign"))))
    if len(categories) > 1:
        found.append(("category", "Category", options(categories)))
    if paired:
        found.append(("base", "Outcome of the base", outcomes))
    found.append(("other", "Outcome of the breaker" if paired else "Outcome", outcomes))
    return tuple(found)


def _letter(run: RunContents, case_id: str) -> str:
    if case_id not in run.completions:
        return NO_ANSWER
    judgement = run.judgements.get(case_id)
    return LETTERS[judgement.outcome] if judgement else "?"


def _case_row(case: TestCase) -> dict[str, Any]:
    return {
        "id": visible(case.id),
        "prompt": shown(case.prompt),
        "prefill": shown(case.prefill, 500),
        "harmful": case.label == "harmful",
    }


def _answer_row(run: RunContents, case_id: str) -> dict[str, Any] | None:
    completion = run.completions.get(case_id)
    if completion is None:
        return None
    row: dict[str, Any] = {"text": shown(completion.text)}
    if len(completion.text) > SHOWN:
        row["cut"] = len(completion.text)
    limit = "cut at the limit of " if completion.finish_reason == "length" else ""
    row["length"] = f"{limit}{completion.completion_tokens} tokens"
    judgement = run.judgements.get(case_id)
    if judgement is None:
        row["reason"] = "not judged"
        return row
    if judgement.probabilities:
        p = judgement.probabilities.get(str(judgement.outcome))
        if p is not None:
            row["probability"] = f"probability {p:.2f}"
    if judgement.reason:
        row["reason"] = judgement.reason.replace("_", " ")
    if judgement.evidence:
        row["evidence"] = shown(judgement.evidence, 300)
    return row


def _pack(prefix: str, rows: Sequence[Any], blocks: list[Block]) -> list[str]:
    """Pack rows into blocks that are appended to `blocks`; returns their ids in order."""
    ids = []
    for start in range(0, len(rows), BLOCK):
        data = json.dumps(rows[start : start + BLOCK], ensure_ascii=False, separators=(",", ":"))
        packed = base64.b64encode(zlib.compress(data.encode("utf-8", "replace"), 6)).decode("ascii")
        blocks.append(Block(f"b-{prefix}-{start // BLOCK}", packed))
        ids.append(blocks[-1].id)
    return ids
