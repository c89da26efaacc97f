"""The user's own prompts: a CSV or JSONL file with a prompt column under one of its usual names."""

from collections.abc import Mapping
from pathlib import Path

from cbeval.errors import UsageError
from cbeval.records import Behavior, Label, Suite
from cbeval.suites.digest import suite_digest
from cbeval.suites.table import Row, read_table

PROMPT_COLUMNS = ("prompt", "behavior", "behaviour", "goal", "forbidden_prompt", "instruction")
"""The first of these that a file has holds its prompts. Case does not matter."""

ID_COLUMNS = ("id", "behaviorid", "behavior_id")
CATEGORY_COLUMNS = ("category", "semanticcategory", "type")
CONTEXT_COLUMNS = ("context", "contextstring")
TARGET_COLUMNS = ("target",)
LABEL_COLUMNS = ("label",)

LABELS: Mapping[str, Label] = {
    "harmful": "harmful",
    "unsafe": "harmful",
    "1": "harmful",
    "benign": "benign",
    "safe": "benign",
    "0": "benign",
}


def load_user_file(path: Path, name: str) -> Suite:
    """Read a suite from a `.csv` or `.jsonl` file.

    Columns, by name and in any case: a prompt (see PROMPT_COLUMNS); optional `id` (default: the row's number from 1),
    `category`, `context`, `target` (an affirmative opening for the prefill attack) and `label` (harmful / unsafe / 1 or
    benign / safe / 0). **Without a label column every row counts as harmful.** Prompts are kept as they are written.
    Raises UsageError that names file and line: no prompt column, an empty prompt, an unknown label, an id used twice.
    """
    rows = read_table(path)
    behaviors = []
    seen: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        behavior = _behavior(row, number)
        if behavior.id in seen:
            raise UsageError(f"{row.place}: id '{behavior.id}' is already used at {seen[behavior.id]}; ids must differ")
        seen[behavior.id] = row.place
        behaviors.append(behavior)
    return Suite(
        name=name,
        title=f"{path.name} ({len(behaviors)} prompts)",
        licence="the user's",
        source=path.name,
        behaviors=tuple(behaviors),
        digest=suite_digest(behaviors),
    )


def _behavior(row: Row, number: int) -> Behavior:
    column = next((name for name in PROMPT_COLUMNS if name in row.cells), None)
    if column is None:
        found = ", ".join(row.cells) or "none"
        raise UsageError(f"{row.place}: no prompt column (found: {found}); name one of {', '.join(PROMPT_COLUMNS)}")
    for name, cell in row.cells.items():
        if any("\ud800" <= character <= "\udfff" for character in cell):
            raise UsageError(f"{row.place}: column '{name}' has half of a surrogate pair, which is no text")
    if not row.cells[column].strip():
        raise UsageError(f"{row.place}: the prompt (column '{column}') is empty")
    return Behavior(
        id=_id(row, number),
        prompt=row.cells[column],
        label=_label(row),
        category=_optional(row, CATEGORY_COLUMNS),
        context=_optional(row, CONTEXT_COLUMNS),
        target=_optional(row, TARGET_COLUMNS),
    )


def _id(row: Row, number: int) -> str:
    column = next((name for name in ID_COLUMNS if name in row.cells), None)
    if column is None:
        return str(number)
    identity = row.cells[column].strip()
    if not identity:
        raise UsageError(f"{row.place}: the id is empty; fill the column or leave it out")
    return identity


def _label(row: Row) -> Label:
    column = next((name for name in LABEL_COLUMNS if name in row.cells), None)
    if column is None:
        return "harmful"
    text = row.cells[column].strip().casefold()
    if text not in LABELS:
        raise UsageError(f"{row.place}: label '{text[:40]}' is unknown; use harmful (unsafe, 1) or benign (safe, 0)")
    return LABELS[text]


def _optional(row: Row, columns: tuple[str, ...]) -> str:
    return next((row.cells[name].strip() for name in columns if name in row.cells), "")
