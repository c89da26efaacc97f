"""The choice of an engine, and that asking costs no heavy import."""

import subprocess
import sys

import pytest

from cbeval.engines import choose
from cbeval.errors import CbevalError, UsageError


def test_an_unknown_engine_is_an_error_with_the_nearest_name():
    with pytest.raises(UsageError, match=r"engine 'vlm' is unknown; did you mean 'vllm'\? \(cbeval doctor"):
        choose.choose_engine("vlm")


def test_without_vllm_auto_falls_back_and_says_why_and_asking_for_it_fails(monkeypatch):
    monkeypatch.setattr(choose.importlib.util, "find_spec", lambda name: None)
    name, reason = choose.choose_engine("auto")
    assert name == "hf"
    assert "not installed" in reason
    with pytest.raises(CbevalError, match=r"'vllm' cannot be used.*pip install.*--engine hf"):
        choose.choose_engine("vllm")


def test_a_vllm_whose_import_fails_is_not_chosen(tmp_path, monkeypatch):
    (tmp_path / "vllm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    done = subprocess.run(
        [sys.executable, "-c", "from cbeval.engines.choose import choose_engine; print(choose_engine('auto'))"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.stdout.startswith("('hf', ")
    assert "torchvision::nms" in done.stdout


def test_importing_the_engines_loads_neither_torch_nor_vllm():
    code = (
        "import sys, cbeval.engines, cbeval.models; "
        "print([name for name in ('torch', 'transformers', 'vllm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_choice_is_told_and_recorded(tiny_ref):
    told = []
    with choose.open_engine("hf", tiny_ref, notify=told.append) as engine:
        assert told == ["engine hf: asked for"]
        assert engine.info.reason == "asked for"
