"""The embedded smoke suite: a few dozen prompts written for this project, for a first run in minutes."""

from pathlib import Path

from cbeval.records import Suite
from cbeval.suites.user_file import load_user_file

TITLE = "Smoke suite, embedded"
LICENCE = "Apache-2.0"
_FILE = Path(__file__).parent / "smoke.jsonl"


def load() -> Suite:
    """All rows of the embedded file, harmful and benign."""
    suite = load_user_file(_FILE, "smoke")
    return suite.model_copy(update={"title": TITLE, "licence": LICENCE, "source": "cbeval"})


def count() -> int:
    """The number of rows, without reading them."""
    return sum(1 for line in _FILE.read_text("utf-8").split("\n") if line.strip())
