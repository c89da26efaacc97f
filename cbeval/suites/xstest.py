"""XSTest v2 (Roettger et al. 2024): safe prompts that look unsafe, and their unsafe contrasts."""

from cbeval import assets
from cbeval.records import Behavior, Suite
from cbeval.suites.digest import suite_digest
from cbeval.suites.table import read_table

PARTS = ("safe", "unsafe")
COUNTS = {"": 450, "safe": 250, "unsafe": 200}
LICENCE = "CC-BY-4.0"


def title(part: str = "") -> str:
    """For people: "XSTest v2, safe prompts"."""
    return f"XSTest v2, {part or 'all'} prompts"


def load(part: str = "") -> Suite:
    """All 450 prompts, or one part: safe ones are benign, unsafe ones harmful; the category is the prompt's type.

    Raises CbevalError if the file cannot be had.
    """
    asset = assets.find("xstest")
    behaviors = tuple(
        Behavior(
            id=row.cells["id"].strip(),
            prompt=row.cells["prompt"].strip(),
            label="benign" if row.cells["label"].strip() == "safe" else "harmful",
            category=row.cells["type"].strip(),
        )
        for row in read_table(assets.get(asset.name))
        if part in ("", row.cells["label"].strip())
    )
    return Suite(
        name=f"xstest:{part}" if part else "xstest",
        title=title(part),
        licence=LICENCE,
        source=f"paul-rottger/exaggerated-safety at {asset.version}",
        behaviors=behaviors,
        digest=suite_digest(behaviors),
    )
