"""What identifies a suite's content."""

import hashlib
from collections.abc import Iterable

from cbeval.assets.digests import canonical_json
from cbeval.records import Behavior


def suite_digest(behaviors: Iterable[Behavior]) -> str:
    """SHA-256 in hex over the canonical JSON (sorted keys, no white space) of all behaviours, in order."""
    rows = [behavior.model_dump(mode="json") for behavior in behaviors]
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()
