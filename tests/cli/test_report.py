"""`cbeval report` on the command line."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from cbeval.cli.report import command
from cbeval.errors import UsageError


def test_help_shows_an_example_and_loads_nothing_heavy():
    code = (
        "import sys; from cbeval.cli.main import cli; cli(['report', '--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'vllm', 'jinja2', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "cbeval report runs/cb --baseline runs/base" in done.stdout


def test_a_folder_that_is_no_run_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, ["nowhere"])
    assert isinstance(done.exception, UsageError) and "nowhere does not exist" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--baseline", "runs/base"]])
def test_no_run_is_a_usage_error(arguments):
    assert CliRunner().invoke(command, arguments).exit_code == 2
