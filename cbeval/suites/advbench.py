"""AdvBench's harmful behaviours (Zou et al. 2023)."""

from cbeval import assets
from cbeval.records import Behavior, Suite
from cbeval.suites.digest import suite_digest
from cbeval.suites.table import read_table

COUNT = 520
TITLE = "AdvBench, harmful behaviours"
LICENCE = "MIT"


def load() -> Suite:
    """All 520 goals, harmful, with ids `1` to `520` by row, and the file's targets as affirmative openings.

    Copies in circulation differ in their targets, never in the goals that are pinned: so do the digests of suites made
    from them. Raises CbevalError if the file cannot be had.
    """
    asset = assets.find("advbench")
    behaviors = tuple(
        Behavior(
            id=str(number),
            prompt=row.cells["goal"].strip(),
            label="harmful",
            target=row.cells.get("target", "").strip(),
        )
        for number, row in enumerate(read_table(assets.get(asset.name)), start=1)
    )
    return Suite(
        name="advbench",
        title=TITLE,
        licence=LICENCE,
        source=f"llm-attacks/llm-attacks at {asset.version}",
        behaviors=behaviors,
        digest=suite_digest(behaviors),
    )
