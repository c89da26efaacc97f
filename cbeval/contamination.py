"""Whether a model was trained on the prompts it is tested on: training digests against suite prompts."""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

from cbeval.records import Suite


def prompt_digest(text: str) -> str:
    """SHA-256 (hex) of a prompt after NFKC, case folding, and collapsing and stripping of white space.

    cbtrain writes the same digest of every training prompt to `training.json`.
    """
    canonical = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(canonical.encode()).hexdigest()


def contaminated(suite: Suite, training: Mapping[str, Any] | None) -> int:
    """How many behaviours of the suite the model was trained on, by the digests in its training record.

    A behaviour counts if its prompt alone, or its context and prompt together, was a training prompt. 0 for a model
    without a training record: nothing is known then, which the caller must say.
    """
    if not training:
        return 0
    trained = frozenset(training.get("prompt_digests", ()))
    return sum(
        prompt_digest(row.prompt) in trained or prompt_digest(f"{row.context}\n\n---\n\n{row.prompt}") in trained
        for row in suite.behaviors
    )
