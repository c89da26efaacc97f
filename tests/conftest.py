"""Shared fixtures: where the outside files are, and what happens to a test that lacks one.

On a user's machine a test whose outside file cannot be had is skipped with the reason; in CI (environment variable
`CI=true`) it fails, so that a broken source cannot silently empty the suite of tests.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("cbeval", deadline=None)  # a busy machine is not a bug
settings.load_profile("cbeval")

ROOT = Path(__file__).resolve().parents[1]


def lacks(reason: str) -> NoReturn:
    """Skip the running test with a reason; in CI fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (an error because CI=true)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _mirror_in_environment() -> Iterator[Path | None]:
    """Point CBEVAL_MIRROR at the development mirror beside the checkout, if there is one and none is set."""
    beside = ROOT.parent / "shared" / "data"
    with pytest.MonkeyPatch.context() as patch:
        if "CBEVAL_MIRROR" not in os.environ and beside.is_dir():
            patch.setenv("CBEVAL_MIRROR", str(beside))
        folder = os.environ.get("CBEVAL_MIRROR")
        yield Path(folder) if folder else None


@pytest.fixture
def mirror(_mirror_in_environment: Path | None) -> Path:
    """The folder CBEVAL_MIRROR with the benchmark files; the variable is set while the test runs."""
    if _mirror_in_environment is None:
        lacks("no mirror folder: set CBEVAL_MIRROR to a folder with harmbench/, advbench/ and xstest/")
    if not _mirror_in_environment.is_dir():
        lacks(f"CBEVAL_MIRROR is {_mirror_in_environment}, which is no folder")
    return _mirror_in_environment


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty CBEVAL_CACHE of this test alone. Tests that do not ask for it share the user's own cache."""
    folder = tmp_path / "cbeval-cache"
    monkeypatch.setenv("CBEVAL_CACHE", str(folder))
    return folder


@pytest.fixture
def asset() -> Callable[[str], Path]:
    """A function from an asset's name to its path in the cache, fetched if need be (mark such a test `asset`)."""
    from cbeval import assets
    from cbeval.errors import CbevalError

    def path_of(name: str) -> Path:
        try:
            return assets.get(name)
        except CbevalError as error:
            lacks(str(error))

    return path_of
