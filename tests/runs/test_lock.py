"""One writer: a live holder is named, a dead one forgotten."""

import subprocess
import sys

import pytest

from cbeval.errors import CbevalError
from cbeval.runs.lock import writer_lock

HOLDER = """
import sys, time
from pathlib import Path
from cbeval.runs.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_that_another_process_writes_is_refused_until_that_process_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CbevalError, match=f"is being written by process {holder.pid};"), writer_lock(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with writer_lock(tmp_path):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_the_lock_is_given_back_at_the_end_of_the_block(tmp_path):
    for _ in range(2):
        with writer_lock(tmp_path), pytest.raises(CbevalError, match="is being written"), writer_lock(tmp_path):
            pass
