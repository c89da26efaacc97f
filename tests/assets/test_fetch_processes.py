"""What other processes, kill -9 and a full disk do to the cache: real processes, a real small disk."""

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

BIG = b"0123456789abcdef" * (1 << 17)  # 2 MiB

FETCH = """
import resource, sys
from cbeval import assets
from cbeval.assets.catalogue import Asset, MirrorFile, WebFile
from cbeval.errors import CbevalError
sha256, source, limit = sys.argv[1:4]
sources = (WebFile(source) if source.startswith("http") else MirrorFile(source), MirrorFile("nowhere/big.bin"))
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    print(assets.ensure(Asset("big", "Big", "1", "MIT", sha256, sources, "big.bin", size=2 << 20)))
except CbevalError as error:
    sys.exit(f"error: {error}")
"""


def start(source: str, cache: Path, *, limit: int = 0, mirror: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, hashlib.sha256(BIG).hexdigest(), source, str(limit)],
        env={**os.environ, "CBEVAL_CACHE": str(cache), "CBEVAL_MIRROR": str(mirror or "")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def entries(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "assets").iterdir() if path.name != ".lock")


@pytest.fixture
def gate():
    """A web server that sends half of BIG and then waits until `open` is set; it counts the requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        open = threading.Event()
        asked = 0

        def do_GET(self):
            Handler.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(BIG)))
            self.end_headers()
            try:
                self.wfile.write(BIG[: len(BIG) // 2 + 1])
                self.wfile.flush()
                self.open.wait(120)
                self.wfile.write(BIG[len(BIG) // 2 + 1 :])
            except OSError:  # the client was killed
                pass

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        Handler.url = f"http://127.0.0.1:{running.server_port}/big.bin"
        yield Handler
        Handler.open.set()
        running.shutdown()


def wait_for_bytes_in_staging(cache: Path) -> None:
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size for path in cache.glob("assets/.staging-*/big.bin")):
        assert time.monotonic() < deadline, "the download did not begin"
        time.sleep(0.02)


def test_a_killed_fetch_leaves_no_entry_and_the_next_one_cleans_up(cache, gate):
    killed = start(gate.url, cache)
    wait_for_bytes_in_staging(cache)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert [name.startswith(".staging-") for name in entries(cache)] == [True]

    gate.open.set()
    out, err = start(gate.url, cache).communicate(timeout=120)
    assert Path(out.strip()).read_bytes() == BIG, err
    assert entries(cache) == [Path(out.strip()).name]


def test_two_processes_at_once_fetch_once_and_both_get_the_entry(cache, gate):
    first = start(gate.url, cache)
    wait_for_bytes_in_staging(cache)
    second = start(gate.url, cache)
    assert second.stderr is not None
    assert "waiting for another process" in second.stderr.readline()
    gate.open.set()
    paths = {process.communicate(timeout=120)[0].strip() for process in (first, second)}
    assert len(paths) == 1 and Path(paths.pop()).read_bytes() == BIG
    assert gate.asked == 1


def assert_refused_for_room(process: subprocess.Popen[str], cache: Path) -> None:
    out, err = process.communicate(timeout=120)
    last = err.strip().splitlines()[-1]
    assert (process.returncode, out) == (1, "")
    assert last.startswith("error: no room left in the cache") and "CBEVAL_CACHE" in last and str(cache) in last
    assert entries(cache) == []


def test_a_file_size_limit_is_one_line_and_leaves_nothing(cache, tmp_path):
    (tmp_path / "big.bin").write_bytes(BIG)
    assert_refused_for_room(start("big.bin", cache, limit=1 << 20, mirror=tmp_path), cache)


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "big.bin").write_bytes(BIG)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk needs the right to mount; the file size limit's test covers the same path")
    try:
        assert_refused_for_room(start("big.bin", disk / "cache", mirror=tmp_path), disk / "cache")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
