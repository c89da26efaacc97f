"""A run that is killed anywhere and continued ends in the file of an uninterrupted one, on an engine whose answers
depend on the batch, which is the worst that a real engine does."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbeval.engines import Generation, Sampling
from cbeval.errors import CbevalError
from cbeval.records import Message, TestCase
from cbeval.runs.cache import CompletionCache
from cbeval.runs.config import RunConfig, RunSuite
from cbeval.runs.folder import RunFolder
from cbeval.runs.generation import answer, first_of_each
from cbeval.runs.progress import Silent

CONTEXT = {"model": "m"}


class Killed(BaseException):
    """Stands for `kill -9`: nothing in the code under test catches it."""


class BatchDependentEngine:
    """Answers every prompt with a digest of the whole batch it came in."""

    def __init__(self) -> None:
        self.batches: list[list[list[int]]] = []

    def generate(self, prompts, sampling, on_done=None):
        self.batches.append([list(prompt) for prompt in prompts])
        batch = hashlib.sha256(repr(self.batches[-1]).encode()).hexdigest()[:8]
        if on_done:
            on_done(len(prompts))
        return [
            Generation(text=f"{prompt} {batch}", prompt_tokens=1, completion_tokens=1, finish_reason="stop")
            for prompt in prompts
        ]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


def case(number: int, prompt: int) -> TestCase:
    return TestCase(
        id=f"s/direct/{number}/0",
        suite="s",
        attack="direct",
        behavior_id=str(number),
        label="harmful",
        prompt=str(prompt),
        messages=(Message(role="user", content=str(prompt)),),
    )


def config(chunk_size: int) -> RunConfig:
    return RunConfig(
        cbeval_version="1",
        model="m",
        model_digest="m",
        suites=(RunSuite(name="s", title="", licence="", source="", digest="", n=1, taken=1),),
        attacks=("direct",),
        serving="full",
        max_new_tokens=1,
        temperature=0,
        seed=0,
        chunk_size=chunk_size,
    )


def attempt(folder: Path, prompts: list[int], chunk_size: int, cached: bool, fuel: int | None = None):
    """One process that dies when it has done `fuel` steps; returns the engine it used and what it counted."""
    engine = BatchDependentEngine()
    cases = [case(number, prompt) for number, prompt in enumerate(prompts)]
    steps = 0

    def burn(function):
        def burning(*args):
            nonlocal steps
            steps += 1
            if fuel is not None and steps > fuel:
                raise Killed
            return function(*args)

        return burning

    engine.generate = burn(engine.generate)
    cache = CompletionCache(folder.parent / f"{folder.name}.sqlite", pytest.fail) if cached else None
    try:
        with RunFolder.create_or_resume(folder, config(chunk_size)) as run:
            run.append_completions = burn(run.append_completions)
            if cache is not None:
                cache.put = burn(cache.put)
            counts = answer(run, cases, [[p] for p in prompts], Sampling(), lambda: engine, cache, CONTEXT, Silent())
    finally:
        if cache is not None:
            cache.close()
    return engine, counts


@settings(max_examples=60, deadline=None)
@given(
    prompts=st.lists(st.integers(0, 12), min_size=1, max_size=20),
    chunk_size=st.integers(1, 7),
    cached=st.booleans(),
    kills=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 400)), max_size=4),
)
def test_killed_anywhere_and_torn_at_any_byte_the_end_is_the_same_file(prompts, chunk_size, cached, kills):
    with TemporaryDirectory() as name:
        whole = Path(name) / "whole"
        _, counts = attempt(whole, prompts, chunk_size, cached)
        assert counts.generated == len(set(prompts))  # none made twice
        assert counts.generated + counts.repeated == len(prompts)

        killed = Path(name) / "killed"
        journal = killed / "completions.jsonl"
        for fuel, torn in kills:
            try:
                attempt(killed, prompts, chunk_size, cached, fuel)
            except Killed:
                if journal.exists() and fuel % 2:  # a power cut also loses the end of what was not synced yet
                    before = journal.read_bytes()
                    last_chunk = before.count(b"\n") % chunk_size or chunk_size
                    keep = len(b"".join(before.splitlines(keepends=True)[:-last_chunk]))
                    if cached is False:
                        journal.write_bytes(before[: max(keep, len(before) - torn)])
        attempt(killed, prompts, chunk_size, cached)
        assert journal.read_bytes() == (whole / "completions.jsonl").read_bytes()


@given(st.lists(st.integers(0, 5), max_size=20))
def test_only_the_first_of_equal_prompts_is_generated(prompts):
    cases = [case(number, prompt) for number, prompt in enumerate(prompts)]
    assert first_of_each(cases) == [prompts.index(prompt) for prompt in prompts]


def test_the_same_words_after_another_prefill_are_another_prompt():
    cases = [case(0, 1), case(1, 1).model_copy(update={"prefill": "Sure"})]
    assert first_of_each(cases) == [0, 1]


def test_a_complete_run_opens_no_engine(tmp_path):
    attempt(tmp_path / "run", [1, 2, 3], 2, False)
    engine, counts = attempt(tmp_path / "run", [1, 2, 3], 2, False)
    assert engine.batches == [] and counts.resumed == 3


def test_another_run_takes_its_answers_from_the_cache(tmp_path):
    attempt(tmp_path / "a", [1, 2, 3], 2, True)
    (tmp_path / "a.sqlite").rename(tmp_path / "b.sqlite")
    engine, counts = attempt(tmp_path / "b", [3, 1, 2, 4], 3, True)
    assert engine.batches == [[[4]]]
    assert (counts.cached, counts.generated) == (3, 1)


def test_a_line_out_of_order_is_named(tmp_path):
    attempt(tmp_path / "run", [1, 2, 3], 2, False)
    journal = tmp_path / "run" / "completions.jsonl"
    one, two, three = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(one + three)
    with pytest.raises(CbevalError, match=r"completions.jsonl:2: a line for case 's/direct/2/0' where 's/direct/1/0'"):
        attempt(tmp_path / "run", [1, 2, 3], 2, False)
    assert journal.read_bytes() == one + three
    journal.write_bytes(one + two + three + three.replace(b"direct/2", b"direct/9"))
    with pytest.raises(CbevalError, match=r"completions.jsonl:4: .* where the end of the file should be"):
        attempt(tmp_path / "run", [1, 2, 3], 2, False)
