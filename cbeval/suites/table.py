"""Reading CSV and JSONL files as rows that know where they stand, so that an error can name the place.

Byte-order marks, CRLF, quoted line breaks and blank lines are taken as they come; anything ambiguous is an error.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbeval.errors import UsageError


@dataclass(frozen=True)
class Row:
    """One record of a file."""

    place: str
    """`file:line`, the line where the record begins."""

    cells: Mapping[str, str]
    """Column name, stripped and lower-cased, -> text as written (JSON numbers and booleans as JSON writes them)."""


def read_table(path: Path) -> tuple[Row, ...]:
    """All rows of a `.csv` or `.jsonl` file. Raises UsageError that names file and line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"suite file {path} cannot be read ({error.strerror})") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}:{line}: not UTF-8 (byte 0x{data[error.start]:02x}); save the file as UTF-8"
        ) from error
    rows = tuple(_csv_rows(path, text) if path.suffix.lower() == ".csv" else _jsonl_rows(path, text))
    if not rows:
        raise UsageError(f"{path} has no rows")
    return rows


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            place, line = f"{path}:{line}", reader.line_num + 1
            if not cells:  # a blank line
                continue
            if not header:
                header = _column_names(cells, place)
            elif len(cells) != len(header):
                raise UsageError(f"{place}: {len(cells)} cells where the header has {len(header)}; check the quotes")
            else:
                yield Row(place, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise UsageError(f"{path}:{line}: not a valid CSV row ({error})") from error


def _jsonl_rows(path: Path, text: str) -> Iterator[Row]:
    # Only "\n" ends a line here: JSON strings may hold U+2028 and others that str.splitlines takes for line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{place}: not a line of JSON ({error})") from error
        if not isinstance(value, dict):
            raise UsageError(f'{place}: a JSON object is needed, such as {{"prompt": "..."}}')
        columns = _column_names(list(value), place)
        yield Row(place, {name: _text(cell) for name, cell in zip(columns, value.values(), strict=True)})


def _column_names(cells: list[str], place: str) -> list[str]:
    names = [cell.strip().casefold() for cell in cells]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UsageError(f"{place}: column '{twice[0]}' is there twice; rename one")
    return names


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
