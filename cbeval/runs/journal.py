"""An append-only file of records, one JSON object a line, that survives a crash at any byte.

A chunk of records is appended with one write and one fsync. A line counts once its newline is on disk: whatever
follows the last newline is what a crash left of a line, and is dropped (a reader skips it, a writer cuts it off and
makes the record again). A broken line before that is no crash but damage, and is reported, never skipped.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from cbeval.errors import CbevalError
from cbeval.records import Record
from cbeval.runs.atomic import cannot_write, sync_folder

R = TypeVar("R", bound=Record)


def read_journal(path: Path, record: type[R]) -> Iterator[R]:
    """Yield the records of `path` in order, one at a time; none if there is no such file.

    A torn last line is skipped and the file left as it is, so that a run can be read while another process writes it.

    Raises:
        CbevalError: a complete line is not a `record`; the message names file and line.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise CbevalError(f"cannot read {path}: {error.strerror or error}") from error
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield record.model_validate_json(line)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                what = f"{where}: {first['msg']}" if where else first["msg"]
                raise CbevalError(
                    f"{path}:{number}: not a {record.__name__} ({what}); the file was damaged after it was written: "
                    "restore it from a copy, or cut it before this line and run the same command again"
                ) from error


def unique(path: Path, records: Iterable[R], key: str = "case_id") -> dict[str, R]:
    """The records by their `key`, in order.

    Raises:
        CbevalError: two lines have the same key. One writer that looks before it appends never makes them, so two
            files were joined or two machines wrote one folder, and neither line can be trusted over the other.
    """
    seen: dict[str, R] = {}
    for number, record in enumerate(records, start=1):
        name = str(getattr(record, key))
        if name in seen:
            raise CbevalError(
                f"{path}:{number}: second line for {key} '{name}'; the file was edited or written by two machines: "
                "delete this line, or start again with another --out"
            )
        seen[name] = record
    return seen


def repair(path: Path) -> int:
    """Cut a torn last line off `path` and return the number of bytes that went; only the writer may call it.

    Looks at the end of the file only, in steps, so that a long journal costs nothing.
    """
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise cannot_write(path, error) from error
    step = 1 << 16
    try:
        with file:
            size = end = file.seek(0, os.SEEK_END)
            keep = 0
            while end > 0:
                start = max(0, end - step)
                file.seek(start)
                newline = file.read(end - start).rfind(b"\n")
                if newline >= 0:
                    keep = start + newline + 1
                    break
                end = start
            if keep < size:
                file.truncate(keep)
                os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error
    return size - keep


def append(path: Path, records: Sequence[Record]) -> None:
    """Append `records` as one chunk and return when it is on disk.

    Raises:
        CbevalError: the chunk could not be written whole (disk full, read-only); the file is as it was before.
    """
    if not records:
        return
    data = b"".join(record.model_dump_json().encode() + b"\n" for record in records)
    try:
        new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        before = os.fstat(handle).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, before)  # giving space back works on a full disk
            raise cannot_write(path, error) from error
    finally:
        os.close(handle)
    if new:
        sync_folder(path.parent)
