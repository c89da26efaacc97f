"""The journal keeps every line that was complete, whatever the crash, and says where it is damaged."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.errors import CbevalError
from cbeval.records import Completion
from cbeval.runs.journal import append, read_journal, repair, unique

completions = st.lists(
    st.builds(
        Completion,
        case_id=st.text(min_size=1),
        text=st.text() | st.sampled_from(["\n", "\r\n", "\u2028", "\x00", "}\n{", '"', "\x1b[31m"]),
        prompt_tokens=st.integers(0, 10**6),
        completion_tokens=st.integers(0, 10**6),
        finish_reason=st.sampled_from(["stop", "length"]),
    ),
    max_size=8,
)


def completion(case_id: str, text: str = "text") -> Completion:
    return Completion(case_id=case_id, text=text, prompt_tokens=1, completion_tokens=1, finish_reason="stop")


@given(completions, st.lists(st.integers(1, 4), max_size=8), st.data())
def test_a_cut_at_any_byte_keeps_all_lines_before_it_and_resuming_gives_the_uninterrupted_file(records, steps, data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        start = 0
        for step in [*steps, len(records)]:
            append(path, records[start : start + step])
            start += step
        whole = path.read_bytes() if path.exists() else b""
        assert list(read_journal(path, Completion)) == records

        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        assert list(read_journal(path, Completion)) == records[:complete]  # a reader sees them without repairing
        lost = repair(path)
        assert path.read_bytes() == whole[: cut - lost]
        assert list(read_journal(path, Completion)) == records[:complete]
        append(path, records[complete:])
        assert path.read_bytes() == whole


def test_a_torn_line_longer_than_the_repair_step_is_cut_off(tmp_path):
    path = tmp_path / "journal.jsonl"
    append(path, [completion("a", "x" * 200_000)])
    kept = path.read_bytes()
    path.write_bytes(kept + kept[:-1])
    assert repair(path) == len(kept) - 1
    assert path.read_bytes() == kept


def test_a_torn_line_of_zeros_after_a_power_cut_is_dropped(tmp_path):
    path = tmp_path / "journal.jsonl"
    append(path, [completion("a")])
    kept = path.read_bytes()
    path.write_bytes(kept + bytes(4096))
    assert [record.case_id for record in read_journal(path, Completion)] == ["a"]
    assert repair(path) == 4096


@pytest.mark.parametrize("damage", [b"{", b"", b"\xff\xfe", b'{"case_id": "b"}', b'["b"]', b"\x00\x00"])
def test_a_damaged_line_in_the_middle_is_an_error_that_names_file_and_line(tmp_path, damage):
    path = tmp_path / "journal.jsonl"
    append(path, [completion("a")])
    with path.open("ab") as file:
        file.write(damage + b"\n")
    append(path, [completion("c")])
    before = path.read_bytes()
    with pytest.raises(CbevalError, match=rf"{path}:2: not a Completion") as caught:
        list(read_journal(path, Completion))
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_a_second_line_for_a_case_is_an_error_that_names_the_line(tmp_path):
    path = tmp_path / "journal.jsonl"
    append(path, [completion("a"), completion("b"), completion("a", "other")])
    with pytest.raises(CbevalError, match=rf"{path}:3: second line for case_id 'a'"):
        unique(path, read_journal(path, Completion))


def test_no_file_is_an_empty_journal(tmp_path):
    assert list(read_journal(tmp_path / "none", Completion)) == []
    assert repair(tmp_path / "none") == 0


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from cbeval.errors import CbevalError
from cbeval.records import Completion
from cbeval.runs.journal import append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
like = Completion(case_id="", text="x" * 300, prompt_tokens=1, completion_tokens=1, finish_reason="stop")
records = [like.model_copy(update={"case_id": str(number)}) for number in range(30)]
append(Path(sys.argv[1]), records[:2])
try:
    append(Path(sys.argv[1]), records[2:])
except CbevalError as error:
    print(error)
"""


def test_a_disk_that_refuses_leaves_the_file_as_it_was(tmp_path):
    # the process's own limit on file sizes stands in for a full disk: a short write first, then an error
    path = tmp_path / "journal.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"cannot write {path}: {os.strerror(errno.EFBIG)}" in done.stdout
    assert [record.case_id for record in read_journal(path, Completion)] == ["0", "1"]
    assert path.read_bytes().endswith(b"\n")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096  # ours is untouched
