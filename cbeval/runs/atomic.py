"""Files that are either whole or absent: written beside their place, synced, and moved there in one step."""

import contextlib
import os
import tempfile
from pathlib import Path

from cbeval.errors import CbevalError

TEMPORARY = ".tmp-"
"""How the name of an unfinished file begins; such a file is rubbish once its writer is dead."""


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a crash, sees the old file or the new one and nothing between.

    Raises:
        CbevalError: the disk is full, the folder is read-only, ...; `path` is then as it was before.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=f"-{path.name}", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a run is as readable as the user's umask allows
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as the files they point to."""
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder; their files are synced all the same
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def cannot_write(path: Path, error: OSError) -> CbevalError:
    """The one line for a file that could not be written: what, why and the way out."""
    return CbevalError(
        f"cannot write {path}: {error.strerror or error}; nothing that was written before is lost, "
        "mend the disk or its permissions and run the same command again"
    )
