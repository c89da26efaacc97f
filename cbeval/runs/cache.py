"""Completions by content, shared by all runs of a user, so that no answer is generated twice.

The key covers all that an answer depends on: weights, adapter, token ids, sampling, engine, number format and serving
form. The cache only ever saves work: whatever goes wrong with it is said in one line, and the run goes on without it.
`CBEVAL_NO_CACHE=1` switches it off.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbeval.assets import cache_folder
from cbeval.records import Completion

Warn = Callable[[str], None]

BUSY_SECONDS = 30.0
"""How long a process waits for another one's write, which takes milliseconds."""

MOST_PARAMETERS = 500
"""Keys in one SQL statement; SQLite builds allow 999 at least."""


def completion_key(context: Mapping[str, Any], token_ids: Sequence[int]) -> str:
    """SHA-256 (hex) over the canonical JSON of `context` (model, engine, sampling, ...) and the prompt's token ids."""
    content = json.dumps({"context": context, "token_ids": list(token_ids)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


class CompletionCache:
    """The SQLite file at `path`; a cache that cannot be used says so once through `warn`, then holds nothing."""

    def __init__(self, path: Path, warn: Warn) -> None:
        self.path = path
        self._warn = warn
        self._database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # autocommit: every statement below is its own transaction, and BEGIN is written out where it is needed
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            _switch_to_wal(self._database)
            # WAL + NORMAL never corrupts; a power cut may forget the last entries, which the journals still hold
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, keys: Sequence[str], case_ids: Sequence[str]) -> dict[str, Completion]:
        """The known completions by case id; `keys` and `case_ids` are aligned."""
        if self._database is None:
            return {}
        found: dict[str, str] = {}
        distinct = sorted(set(keys))
        try:
            for start in range(0, len(distinct), MOST_PARAMETERS):
                part = distinct[start : start + MOST_PARAMETERS]
                marks = ",".join("?" * len(part))
                found.update(
                    self._database.execute(
                        f"SELECT key, value FROM completions WHERE key IN ({marks})", part
                    ).fetchall()
                )
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        completions: dict[str, Completion] = {}
        for key, case_id in zip(keys, case_ids, strict=True):
            if key not in found:
                continue
            try:
                completions[case_id] = Completion.model_validate({**json.loads(found[key]), "case_id": case_id})
            except (ValueError, TypeError):
                continue  # damaged or from another version: generate it
        return completions

    def put(self, keys: Sequence[str], completions: Sequence[Completion]) -> None:
        """Store completions under their aligned keys; what is already there stays."""
        self._put([(key, c.model_dump_json(exclude={"case_id"})) for key, c in zip(keys, completions, strict=True)])

    def _put(self, rows: Sequence[tuple[str, str]]) -> None:
        if self._database is None or not rows:
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR IGNORE INTO completions VALUES (?, ?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def note(self, key: str) -> dict[str, Any]:
        """The JSON object kept under `key`; empty for none."""
        if self._database is None:
            return {}
        try:
            row = self._database.execute("SELECT value FROM completions WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        try:
            return dict(json.loads(row[0])) if row else {}
        except (ValueError, TypeError):
            return {}

    def put_note(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a JSON object under `key`; what is already there stays."""
        self._put([(key, json.dumps(value))])

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _give_up(self, error: Exception) -> None:
        self.close()
        self._warn(
            f"completions cache {self.path} cannot be used ({error}); going on without it "
            "(CBEVAL_CACHE names another folder; a corrupt file may be deleted)"
        )


def _switch_to_wal(database: sqlite3.Connection) -> None:
    """Set the mode in which readers and a writer do not wait for each other; the file keeps it.

    While another process does the same SQLite says "locked" at once, whatever the timeout: try again.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def open_cache(warn: Warn) -> CompletionCache | None:
    """The user's cache, or None where `CBEVAL_NO_CACHE=1` switches it off."""
    if os.environ.get("CBEVAL_NO_CACHE", "") not in ("", "0"):
        return None
    return CompletionCache(cache_folder() / "completions.sqlite", warn)
