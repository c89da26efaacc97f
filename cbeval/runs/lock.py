"""One writer for a run folder, held by the kernel so that a dead holder never blocks the next one."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cbeval.errors import CbevalError
from cbeval.runs.atomic import cannot_write

LOCK = ".lock"


@contextlib.contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the writer's lock of `folder` (which must exist) for the length of the block.

    `flock` ends with the process, however it dies; the file with the holder's pid stays and means nothing by itself.

    Raises:
        CbevalError: another process holds it (the message names its pid), or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
            raise CbevalError(
                f"run folder {folder} is being written by process {holder or 'unknown'}; "
                "wait for it or stop it, or give --out another folder"
            ) from None
        except OSError as error:
            raise CbevalError(f"cannot lock {path}: {error.strerror or error}; use a local folder for --out") from error
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise cannot_write(path, error) from error
        yield
    finally:
        os.close(handle)
