"""Content digests: SHA-256 over what a file says, where copies of one file differ in bytes.

Copies of a benchmark file differ in line ends, a trailing space, even in the order of targets, and are the same
benchmark all the same. So an asset pins one digest over a canonical form of its content, whatever source it came from:

- `bytes`: the file as it is (models, templates);
- `rows`: a CSV's rows as JSON objects with every cell stripped of outer white space;
- `goals`: the `goal` column of a CSV, joined by newlines (AdvBench: copies also differ in their targets);
- `json`: a JSON document with sorted keys.
"""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any, Literal

DigestKind = Literal["bytes", "rows", "goals", "json"]


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes in hex, read in chunks. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_digest(path: Path, kind: DigestKind) -> str:
    """SHA-256 in hex of the file's canonical form (see the module). Raises OSError, and ValueError if unparseable."""
    if kind == "bytes":
        return sha256_file(path)
    text = path.read_bytes().decode("utf-8-sig")
    if kind == "json":
        return _sha256(canonical_json(json.loads(text)))
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ValueError(f"not a CSV file ({error})") from error
    if kind == "goals":
        return _sha256("\n".join((row.get("goal") or "").strip() for row in rows))
    return _sha256(canonical_json([{str(k): _stripped(v) for k, v in row.items()} for row in rows]))


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no white space, and characters outside ASCII as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _stripped(cell: Any) -> Any:
    """A cell without outer white space; DictReader gives None for a missing cell and a list for surplus ones."""
    return cell.strip() if isinstance(cell, str) else cell


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
