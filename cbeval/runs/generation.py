"""The answers of a run, chunk by chunk, such that a killed run continues to the very same file.

Greedy answers can depend on what else was in the batch, so the batches must not depend on where a run was killed:

- The cases are cut into chunks of a fixed size, in order. The lines of a chunk are appended together, in order, so
  that the file is at every moment the beginning of the finished one; a chunk that is not whole is generated whole
  again, and only its missing lines are appended.
- Of cases with the same messages only the first is generated, and the later ones copy its line. That is decided from
  the list of cases alone.
- The cache is asked when a chunk is begun and written after its lines are on disk. What a chunk generates is then in
  no cache before the chunk is whole, and a second attempt at it meets the same batch as the first.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbeval.errors import CbevalError
from cbeval.records import Completion, Record, TestCase
from cbeval.runs.cache import CompletionCache, completion_key
from cbeval.runs.folder import COMPLETIONS, RunFolder
from cbeval.runs.progress import Reporter

if TYPE_CHECKING:
    from cbeval.engines import Engine, Sampling


class Counts(Record):
    """Where the answers of a run came from, as seen by one process."""

    resumed: int = 0
    """Were in the folder already."""

    cached: int = 0
    repeated: int = 0
    """Copied from an earlier case of the run with the same messages."""

    generated: int = 0


def check_prefix(path: Path, expected: Sequence[str], found: Sequence[str]) -> None:
    """Raise CbevalError, naming the line, unless the case ids in `path` are the first of `expected` in order."""
    for number, case_id in enumerate(found, start=1):
        if number > len(expected) or expected[number - 1] != case_id:
            wanted = f"'{expected[number - 1]}'" if number <= len(expected) else "the end of the file"
            raise CbevalError(
                f"{path}:{number}: a line for case '{case_id}' where {wanted} should be; "
                "the file was edited: restore it from a copy, or start again with another --out"
            )


def first_of_each(cases: Sequence[TestCase]) -> list[int]:
    """For each case the index of the first case with the same messages and prefill (its own, if it is the first)."""
    seen: dict[tuple[Any, ...], int] = {}
    return [
        seen.setdefault((tuple((m.role, m.content) for m in case.messages), case.prefill), index)
        for index, case in enumerate(cases)
    ]


def answer(
    run: RunFolder,
    cases: Sequence[TestCase],
    prompts: Sequence[Sequence[int]],
    sampling: "Sampling",
    open_engine: Callable[[], "Engine"],
    cache: CompletionCache | None,
    context: Mapping[str, Any],
    report: Reporter,
) -> Counts:
    """Bring completions.jsonl to its end and say where the answers came from.

    `prompts` are the token ids of `cases`. `open_engine` is called only if something must be generated. `context` is
    what an answer depends on besides its prompt, for the cache's keys. Raises what the engine, the journal and
    `check_prefix` raise; everything that was appended before stays.
    """
    size = run.config.chunk_size
    there = run.completions()
    check_prefix(run.path / COMPLETIONS, [case.id for case in cases], list(there))
    cached = repeated = generated = 0
    resumed = len(there)
    if resumed == len(cases):
        return Counts(resumed=resumed)

    first = first_of_each(cases)
    engine: Engine | None = None
    with contextlib.ExitStack() as stack:
        advance = stack.enter_context(report.stage("answers", len(cases), resumed))
        for start in range(resumed // size * size, len(cases), size):
            chunk = range(start, min(start + size, len(cases)))
            missing = chunk[max(0, resumed - start) :]
            own = [index for index in chunk if first[index] == index]
            keys = {index: completion_key(context, prompts[index]) for index in own}
            known = cache.get([keys[i] for i in own], [cases[i].id for i in own]) if cache is not None else {}
            made = dict(known)
            batch = [index for index in own if cases[index].id not in known]

            meter = _Meter(advance, len(missing))
            if batch:
                if engine is None:
                    engine = stack.enter_context(open_engine())
                generations = engine.generate([list(prompts[index]) for index in batch], sampling, meter)
                for index, generation in zip(batch, generations, strict=True):
                    made[cases[index].id] = Completion(case_id=cases[index].id, **generation.model_dump())
            for index in chunk:
                if first[index] != index:
                    source = cases[first[index]].id
                    copied = made.get(source) or there[source]
                    made[cases[index].id] = copied.model_copy(update={"case_id": cases[index].id})

            lines = [made[cases[index].id] for index in missing]
            run.append_completions(lines)
            there.update((line.case_id, line) for line in lines)
            if cache is not None:
                cache.put([keys[index] for index in batch], [made[cases[index].id] for index in batch])
            repeated += sum(first[index] != index for index in missing)
            cached += sum(cases[index].id in known for index in missing)
            generated += sum(index in missing for index in batch)
            meter(len(missing))
    return Counts(resumed=resumed, cached=cached, repeated=repeated, generated=generated)


class _Meter:
    """Passes progress on, but never more than `most` in all: a chunk that is made again was partly counted before."""

    def __init__(self, advance: Callable[[int], None], most: int) -> None:
        self._advance = advance
        self._left = most

    def __call__(self, finished: int) -> None:
        step = min(finished, self._left)
        self._left -= step
        self._advance(step)
