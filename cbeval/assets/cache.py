"""The cache folder on disk: whole entries or none.

An entry is made in a staging folder inside the cache (so that the last step is a rename on one file system), synced,
and renamed into place. One lock serialises all writers; a staging folder seen by the holder of the lock was left by a
process that died, and is removed. Readers take no lock: an entry that exists is whole.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cbeval.assets.catalogue import Asset
from cbeval.errors import CbevalError

_STAGING = ".staging-"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def cache_folder() -> Path:
    """`CBEVAL_CACHE`, else `~/.cache/cbeval`. It need not exist."""
    named = os.environ.get("CBEVAL_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "cbeval"


def entry_path(asset: Asset) -> Path:
    """Where the asset lies once fetched: a file, or a folder for a model.

    The pinned digest is part of the name, so that versions of cbeval that pin different contents share a cache.
    """
    stem = f"{asset.name}-{asset.sha256[:8]}"
    return cache_folder() / "assets" / (stem if asset.model else stem + Path(asset.filename).suffix)


@contextlib.contextmanager
def staging_folder() -> Iterator[Path]:
    """Hold the cache's one writer lock and yield an empty folder on the cache's file system; it is removed afterwards.

    Waits for another writer and says so on stderr. Raises CbevalError if the cache cannot be written.
    """
    folder = cache_folder() / "assets"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise unwritable(error) from error
    try:
        _lock(lock)
        for leftover in folder.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
        except OSError as error:
            raise unwritable(error) from error
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)  # closing releases the lock, as the death of the process does


def publish(staged: Path, entry: Path, staging: Path) -> None:
    """Sync a finished file or folder and rename it to its place, over whatever damaged entry was there.

    Call it with the lock held. Raises OSError.
    """
    for path in sorted(staged.rglob("*")) if staged.is_dir() else []:
        _sync(path)
    _sync(staged)
    if staged.is_dir() and entry.exists():  # a folder cannot be renamed over a folder that has files
        entry.rename(staging / "replaced")
    staged.replace(entry)
    _sync(entry.parent)


def unwritable(error: OSError) -> CbevalError:
    """The user's line for a cache that cannot be written: full, read-only, or not a folder."""
    if error.errno in _NO_ROOM:
        return CbevalError(
            f"no room left in the cache {cache_folder()} ({os.strerror(error.errno or 0)}); "
            "nothing half-written was kept: free some space or set CBEVAL_CACHE to a folder on another disk"
        )
    return CbevalError(
        f"the cache {cache_folder()} cannot be written ({error.strerror or error}); "
        "set CBEVAL_CACHE to a folder that can"
    )


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another process that fills the cache", file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise unwritable(error) from error
        # Some network file systems have no locks. Entries are still renamed whole; only the work may be done twice.


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
