"""The cache saves work and never costs a run: wrong files, read-only folders and other processes included."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.records import Completion
from cbeval.runs.cache import CompletionCache, completion_key, open_cache

CONTEXT = {"model": "sha256:1", "sampling": {"seed": 0}}


def completion(case_id: str, text: str = "text") -> Completion:
    return Completion(case_id=case_id, text=text, prompt_tokens=1, completion_tokens=2, finish_reason="length")


@pytest.fixture
def warnings():
    return []


def test_an_answer_comes_back_under_the_case_that_asks_for_it(tmp_path, warnings):
    cache = CompletionCache(tmp_path / "deep" / "c.sqlite", warnings.append)
    cache.put(["k1", "k2"], [completion("run1/a", "\x00\u2028"), completion("run1/b")])
    cache.close()
    cache = CompletionCache(tmp_path / "deep" / "c.sqlite", warnings.append)
    keys = [f"none{i}" for i in range(2000)] + ["k1", "k1"]  # more keys than one SQL statement takes
    found = cache.get(keys, [*map(str, range(2000)), "x", "y"])
    assert found == {"x": completion("x", "\x00\u2028"), "y": completion("y", "\x00\u2028")}
    cache.close()
    assert warnings == []


def test_the_first_answer_under_a_key_stays(tmp_path, warnings):
    cache = CompletionCache(tmp_path / "c.sqlite", warnings.append)
    cache.put(["k"], [completion("a", "first")])
    cache.put(["k"], [completion("a", "second")])
    assert cache.get(["k"], ["a"])["a"].text == "first"
    cache.close()


@given(st.lists(st.integers(0, 10**5), max_size=5), st.lists(st.integers(0, 10**5), max_size=5))
def test_keys_agree_only_for_the_same_prompt(one, other):
    assert (completion_key(CONTEXT, one) == completion_key(CONTEXT, other)) == (one == other)
    assert completion_key(CONTEXT, one) != completion_key({**CONTEXT, "model": "sha256:2"}, one)
    assert completion_key(dict(reversed(CONTEXT.items())), one) == completion_key(CONTEXT, one)


def test_a_file_that_is_no_database_is_said_once_and_left_alone(tmp_path, warnings):
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"not a database " * 1000)
    cache = CompletionCache(path, warnings.append)
    assert cache.get(["k"], ["a"]) == {}
    cache.put(["k"], [completion("a")])
    cache.close()
    assert len(warnings) == 1 and str(path) in warnings[0] and "\n" not in warnings[0]
    assert path.read_bytes() == b"not a database " * 1000


def test_a_database_damaged_in_the_middle_is_said_once(tmp_path, warnings):
    path = tmp_path / "c.sqlite"
    cache = CompletionCache(path, warnings.append)
    cache.put([f"k{i:05}" for i in range(2000)], [completion("a", "x" * 100)] * 2000)
    cache.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    path.write_bytes(data)
    cache = CompletionCache(path, warnings.append)
    assert cache.get([f"k{i:05}" for i in range(2000)], [str(i) for i in range(2000)]) == {}
    cache.put(["k"], [completion("a")])
    cache.close()
    assert len(warnings) == 1


def test_a_damaged_value_is_made_again_and_not_believed(tmp_path, warnings):
    path = tmp_path / "c.sqlite"
    cache = CompletionCache(path, warnings.append)
    cache.put(["k", "l"], [completion("a"), completion("b")])
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE completions SET value = '{\"text\": 3}' WHERE key = 'k'")
    database.close()
    cache = CompletionCache(path, warnings.append)
    assert list(cache.get(["k", "l"], ["a", "b"])) == ["b"]
    cache.close()


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path, warnings):
    (tmp_path / "file").write_text("")
    cache = CompletionCache(tmp_path / "file" / "c.sqlite", warnings.append)
    assert cache.get(["k"], ["a"]) == {}
    assert len(warnings) == 1


WRITER = """
import sys
from pathlib import Path
from cbeval.records import Completion
from cbeval.runs.cache import CompletionCache
warnings = []
cache = CompletionCache(Path(sys.argv[1]), warnings.append)
for step in range(12):
    keys = [f"{step}-{i}" for i in range(20)] + [f"own{sys.argv[2]}-{step}"]
    like = Completion(case_id="c", text="", prompt_tokens=1, completion_tokens=1, finish_reason="stop")
    cache.put(keys, [like.model_copy(update={"text": key}) for key in keys])
    assert len(cache.get(keys, keys)) == 21
cache.close()
assert not warnings, warnings
"""


def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path, warnings):
    path = tmp_path / "c.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 3
    cache = CompletionCache(path, warnings.append)
    keys = [f"{step}-{i}" for step in range(12) for i in range(20)]
    keys += [f"own{number}-{step}" for number in range(3) for step in range(12)]
    assert all(cache.get(keys, keys)[key].text == key for key in set(keys))
    cache.close()
    assert warnings == []


def test_cbeval_no_cache_switches_it_off(tmp_path, monkeypatch, warnings):
    monkeypatch.setenv("CBEVAL_CACHE", str(tmp_path))
    monkeypatch.setenv("CBEVAL_NO_CACHE", "1")
    assert open_cache(warnings.append) is None
    monkeypatch.setenv("CBEVAL_NO_CACHE", "")
    cache = open_cache(warnings.append)
    assert cache is not None and cache.path.parent == tmp_path
    cache.close()


@pytest.fixture
def read_only(tmp_path_factory) -> Iterator[Path]:
    """A folder that this process may read and not write; root, whom no mode stops, becomes nobody for the test."""
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to nobody
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_read_only_folder_is_said_once(read_only, warnings):
    cache = CompletionCache(read_only / "c.sqlite", warnings.append)
    cache.put(["k"], [completion("a")])
    assert len(warnings) == 1
