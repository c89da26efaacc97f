"""A tiny random model that the engine tests share; making it once saves a second a test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import tiny_model

from cbeval.models import ModelRef, resolve_model
from cbeval.records import Message, TestCase


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Two threads on a model of hidden size 64 only wait for each other, for minutes on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model. Tests must not write into it."""
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny_ref(tiny: Path) -> ModelRef:
    return resolve_model(str(tiny))


@pytest.fixture
def tokenizer(tiny_ref: ModelRef) -> Any:
    """A tokenizer of its own for each test, which may set its template and special tokens."""
    from cbeval.engines.render import load_tokenizer

    return load_tokenizer(tiny_ref)


@pytest.fixture(scope="session")
def case() -> Callable[..., TestCase]:
    """A test case from a prompt, and maybe a prefill and a system message."""

    def make(prompt: str, prefill: str = "", system: str = "") -> TestCase:
        messages = [Message(role="system", content=system)] if system else []
        return TestCase(
            id="mine/direct/b1/0",
            suite="mine",
            attack="prefill" if prefill else "direct",
            behavior_id="b1",
            label="benign",
            prompt=prompt,
            messages=(*messages, Message(role="user", content=prompt)),
            prefill=prefill,
        )

    return make
