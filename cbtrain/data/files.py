"""Training conversations on disk: our own pair files, the user's JSONL, and `datasets`."""

import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cbtrain.data.examples import Example, Kind
from cbtrain.errors import DataError

PROMPT_COLUMNS = ("prompt", "instruction", "goal", "Behavior")
RESPONSE_COLUMNS = ("response", "output", "completion")


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write conversations as JSON lines; the file appears whole or not at all."""
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with staging.open("w", encoding="utf-8") as file:
            for example in examples:
                file.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def read_examples(source: str, kind: Kind) -> list[Example]:
    """Read conversations of one kind from a JSONL file, a `datasets` folder on disk, or a hub dataset (its `train`).

    Each row has either `messages` (one user turn, then one assistant turn, with an optional system turn before), or a
    prompt (`prompt`, `instruction`, `goal`, `Behavior`) and an answer (`response`, `output`, `completion`).

    Raises:
        DataError: The source cannot be read, or a row lacks something; names file and row.
    """
    path = Path(source)
    rows = _json_lines(path) if path.is_file() else _dataset_rows(source)
    examples = [_example(row, kind, f"{source}:{number}") for number, row in rows]
    if not examples:
        raise DataError(f"{source}: no rows; a training list needs at least one conversation")
    return examples


def _json_lines(path: Path) -> Iterable[tuple[int, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error
    with io.StringIO(text) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}:{number}: not a JSON line ({error.msg} at column {error.colno})") from error


def _dataset_rows(source: str) -> Iterable[tuple[int, Any]]:
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            f"{source} is no file, and `datasets` is not installed to look it up: pip install datasets"
        ) from error
    try:
        if Path(source).is_dir():
            loaded = datasets.load_from_disk(source)
            loaded = loaded["train"] if isinstance(loaded, datasets.DatasetDict) else loaded
        else:
            loaded = datasets.load_dataset(source, split="train")
    except Exception as error:  # datasets raises a dozen types; all mean that there is nothing to read
        raise DataError(f"{source} is neither a JSONL file nor a dataset that can be loaded: {error}") from error
    return enumerate(loaded, start=1)


def _example(row: Any, kind: Kind, where: str) -> Example:
    if not isinstance(row, dict):
        raise DataError(f"{where}: a row must be an object, not {type(row).__name__}")
    system: str | None = row.get("system")
    if "messages" in row:
        turns = row["messages"]
        roles = [isinstance(t, dict) and t.get("role") for t in turns] if isinstance(turns, list) else None
        if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
            raise DataError(f"{where}: `messages` must be [system,] user, assistant; it is {roles}")
        prompt, response = turns[-2].get("content"), turns[-1].get("content")
        system = turns[0].get("content") if len(turns) == 3 else system
    else:
        prompt, response = _column(row, PROMPT_COLUMNS, where), _column(row, RESPONSE_COLUMNS, where)
    for name, text in (("prompt", prompt), ("answer", response)):
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{where}: the {name} is empty or no text")
    if system is not None and not isinstance(system, str):
        raise DataError(f"{where}: the system message is no text")
    reroute_prompt = row.get("reroute_prompt", True)
    if not isinstance(reroute_prompt, bool):
        raise DataError(f"{where}: `reroute_prompt` must be true or false")
    return Example(
        prompt=prompt.strip(),
        response=response,
        kind=kind,
        system=system,
        reroute_prompt=reroute_prompt,
        category=str(row.get("category") or ""),
    )


def _column(row: dict[str, Any], names: tuple[str, ...], where: str) -> Any:
    for name in names:
        if name in row:
            return row[name]
    raise DataError(f"{where}: no column {' / '.join(names)}; it has {', '.join(map(str, row)) or 'none'}")
