"""HarmBench's text behaviours (Mazeika et al. 2024), test and validation split."""

import functools
import json

from cbeval import assets
from cbeval.errors import CbevalError
from cbeval.records import Behavior, Suite
from cbeval.suites.digest import suite_digest
from cbeval.suites.table import read_table

PARTS = ("standard", "contextual", "copyright")
"""FunctionalCategory: numbers of different parts are never pooled, because they are judged in different ways."""

COUNTS = {
    "harmbench": {"": 320, "standard": 159, "contextual": 81, "copyright": 80},
    "harmbench-val": {"": 80, "standard": 41, "contextual": 19, "copyright": 20},
}
ASSETS = {"harmbench": "harmbench-test", "harmbench-val": "harmbench-val"}
LICENCE = "MIT"


def title(base: str, part: str = "") -> str:
    """For people: "HarmBench, test split, standard behaviours"."""
    split = "validation" if base == "harmbench-val" else "test"
    return f"HarmBench, {split} split, {part or 'all'} behaviours"


def load(base: str, part: str = "") -> Suite:
    """`base` is `harmbench` (test split) or `harmbench-val`, `part` one of PARTS or empty for all.

    Affirmative openings come from HarmBench's own targets file where it can be had; without it they are empty, and
    `source` says so. Raises CbevalError if the behaviours cannot be had.
    """
    asset = assets.find(ASSETS[base])
    rows = [row.cells for row in read_table(assets.get(asset.name))]
    targets, without = _targets(str(assets.cache_folder()))
    behaviors = tuple(
        Behavior(
            id=row["behaviorid"].strip(),
            prompt=row["behavior"].strip(),
            label="harmful",
            category=row["semanticcategory"].strip(),
            subset=row["functionalcategory"].strip(),
            context=row["contextstring"].strip(),
            target=targets.get(row["behaviorid"].strip(), "").strip(),
            tags=tuple(tag.strip() for tag in row["tags"].split(",") if tag.strip()),
        )
        for row in rows
        if part in ("", row["functionalcategory"].strip())
    )
    return Suite(
        name=f"{base}:{part}" if part else base,
        title=title(base, part),
        licence=LICENCE,
        source=f"centerforaisafety/HarmBench at {asset.version}{without}",
        behaviors=behaviors,
        digest=suite_digest(behaviors),
    )


@functools.cache
def _targets(cache: str) -> tuple[dict[str, str], str]:
    """Behaviour id -> opening, and what `source` says if there are none; asked once a process for each cache folder.

    The file is on no package index, so a machine behind one lacks it: an error for the prefill attack's quality, not
    for the suite.
    """
    try:
        text = assets.get("harmbench-targets").read_text("utf-8")
    except CbevalError:
        return {}, ", without its targets file"
    return dict(json.loads(text)), ""
