"""What a run is (`RunConfig`, fixed before the first answer) and what it was (`RunManifest`, after the last)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from cbeval.records import Record

FORMAT = 1
"""Version of the files of a run folder; a reader refuses a later one."""


class RunSuite(Record):
    """A suite as a run uses it."""

    name: str
    title: str
    licence: str
    source: str
    digest: str
    n: int
    """Behaviours in the whole suite."""

    taken: int
    """Behaviours in this run; fewer than `n` only under a limit."""

    contaminated: int = 0
    """Behaviours among `taken` whose prompts the model was trained on, as far as its training card says."""


class RunConfig(Record):
    """The resolved configuration: two commands that resolve to the same one continue the same run."""

    format: int = FORMAT
    cbeval_version: str
    model: str
    """As given on the command line."""

    model_digest: str
    adapter_digest: str = ""
    """Empty if there is no adapter."""

    tokenizer_digest: str = ""
    """Of the tokenizer's files; empty for a hub id, whose commit is in `model_digest`."""

    template_digest: str = ""
    """Of the chat template with its special tokens, equal for a base and what was merged from it."""

    trained: bool = False
    """The model carries a training card, so that `contaminated` is a count and not a silence."""

    suites: tuple[RunSuite, ...]
    attacks: tuple[str, ...]
    engine: str = ""
    """`vllm` or `hf`; empty only before `auto` has been decided, never on disk."""

    engine_version: str = ""
    torch_version: str = ""
    device: str = ""
    """`cpu`, or the names of the graphics cards."""

    dtype: str = ""
    """Number format of the weights; not in config.json, but read from what the engine says when it is opened."""

    serving: str
    """`full` weights, or base with `adapter`."""

    max_new_tokens: int
    temperature: float
    seed: int
    limit: int | None = None
    """Behaviours taken of each suite; None for all."""

    chunk_size: int
    """Cases in one batch. Greedy answers can depend on the batch, so it is part of what the run is."""

    off_protocol: tuple[str, ...] = ()
    """In what the run deviates from the benchmarks' protocols, one reason each; empty for a run by the book."""

    @property
    def partial(self) -> bool:
        """Some behaviours of a suite were left out; such a run proves nothing and passes no gate."""
        return any(suite.taken < suite.n for suite in self.suites)

    @property
    def contaminated(self) -> int:
        """Behaviours of the run that the model was trained on."""
        return sum(suite.contaminated for suite in self.suites)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over what must agree for a run to be continued."""
        content = json.dumps(dict(_flat(self.model_dump(mode="json"))), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


class RunManifest(Record):
    """The record of a complete run; its presence in the folder says that the run is complete."""

    config: RunConfig
    partial: bool
    partial_reasons: tuple[str, ...] = ()
    off_protocol: tuple[str, ...] = ()
    contaminated: Mapping[str, int] = {}
    """Suite -> behaviours that the model was trained on."""

    counts: Mapping[str, int] = {}
    """`cases`, and of those in the last process: `resumed` (already there), `cached`, `repeated`, `generated`."""

    seconds: Mapping[str, float] = {}
    """Wall time of each stage in the last process (an interrupted run has spent more)."""

    judges: Mapping[str, str] = {}
    """Judge -> digest of what it judges by."""

    training: Mapping[str, JsonValue] = {}
    """The model's training card without the digests of its prompts; empty if it has none."""

    engine: Mapping[str, JsonValue] = {}
    """All that the engine said about itself (engine.json): dtype, device, settings, why it was chosen."""

    versions: Mapping[str, str] = {}
    hardware: Mapping[str, JsonValue] = {}
    command: tuple[str, ...] = ()
    finished: str = ""
    """UTC, ISO 8601."""

    files: Mapping[str, str] = {}
    """File of the folder -> SHA-256."""


NOT_COMPARED = ("model", "trained", "title", "source", "licence", "cbeval_version")
"""Names and descriptions: a folder may move and a title be reworded; digests tell what the things are."""


UNDECIDED = ("template_digest", "engine", "engine_version", "torch_version", "device", "dtype")
"""What takes seconds to find out, and is left empty by a command that finds its run complete."""


def first_difference(old: RunConfig, new: RunConfig) -> tuple[str, Any, Any] | None:
    """The first field in which two configurations differ, as (name, old value, new value); None if they agree.

    What `new` has not decided yet (an `auto` engine) agrees with everything.
    """
    before, now = (dict(_flat(config.model_dump(mode="json"))) for config in (old, new))
    for name in before | now:
        if name in UNDECIDED and not now[name]:
            continue
        if before.get(name) != now.get(name):
            return name, before.get(name), now.get(name)
    return None


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested JSON data as (dotted name, value), without the fields that are not compared."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NOT_COMPARED:
                yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from _flat(inner, f"{name}[{inner.get('name', '')}]")
    else:
        yield name, value
