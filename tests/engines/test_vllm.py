"""The real vLLM on the demo model, once per test session in a process of its own (`vllm_session.py`)."""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.asset,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None and os.environ.get("CI") != "true", reason="vLLM is not installed"
    ),
]


@functools.cache
def session(folder: str) -> tuple[dict[str, Any], str]:
    """What one engine saw, and what it wrote to stderr."""
    script = Path(__file__).with_name("vllm_session.py")
    done = subprocess.run([sys.executable, str(script), folder], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture
def saw(asset) -> dict[str, Any]:
    return session(str(asset("smollm2-135m")))[0]


def test_it_answers_what_vllm_itself_answers_to_the_same_ids(saw):
    assert [answer["text"] for answer in saw["answers"]] == saw["plain"]
    assert "Paris" in saw["answers"][0]["text"]
    assert saw["answers"][3]["text"].startswith("Paris")  # the prefill is continued, and not part of the text


def test_answers_count_their_tokens_and_say_how_they_ended(saw):
    short, _, long, _ = saw["answers"]
    assert (short["finish_reason"], long["finish_reason"]) == ("stop", "length")
    assert long["completion_tokens"] == 24
    assert short["completion_tokens"] < 24
    assert [answer["prompt_tokens"] for answer in saw["answers"]] == saw["prompt_lengths"]


def test_the_same_call_gives_the_same_answers_and_draws_follow_the_seed(saw):
    assert saw["repeats"]
    assert saw["draws"] == [True, False]
    assert saw["empty"] == []


def test_progress_counts_every_prompt_once(saw):
    assert sum(saw["done"]) == len(saw["answers"])


def test_the_engine_says_what_it_is(saw):
    info = saw["info"]
    assert (info["name"], info["dtype"], info["serving"], info["max_context"]) == ("vllm", "bfloat16", "full", 256)
    assert info["version"] and info["torch"]
    assert saw["notices"] == ["engine vllm: vLLM can be imported"]


def test_too_long_a_prompt_is_an_error_and_not_a_shorter_prompt(saw):
    assert "250 tokens" in saw["too_long"]
    assert "256" in saw["too_long"]


def test_nothing_is_left_behind_and_the_terminal_stays_clean(saw, asset):
    assert saw["children"] == []
    stderr = session(str(asset("smollm2-135m")))[1]
    assert [line for line in stderr.splitlines() if "WARNING" in line or "Traceback" in line] == []
