"""`training.json`: what a breaker was trained on and how it went, beside its weights.

An evaluation reads the digests of the training prompts from here, to say how many prompts of a suite were trained on.
"""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cbtrain import __version__
from cbtrain.data.examples import Example, prompt_digest
from cbtrain.monitors import StepRecord, escape_step, verdict


def training_record(
    *,
    config: dict[str, Any],
    base_model: str,
    target_layers: Sequence[int],
    records: Sequence[StepRecord],
    harmful: Sequence[Example],
    retain: Sequence[Example],
    no_effect_cosine: float,
    digests_of_base: Iterable[str] = (),
    seconds: float,
) -> dict[str, Any]:
    """The content of `training.json`.

    Keys: `status` (`ok` or `no_effect`), `escape_step`, `target_layers`, `monitors` (one object a logged step, see
    `cbtrain.monitors.StepRecord`), `prompt_digests` (SHA-256 of every training prompt, sorted), `counts`, `config`,
    `versions`, `seconds`.
    """
    return {
        "status": verdict(records, target_layers[-1], no_effect_cosine),
        "escape_step": escape_step(records),
        "base_model": Path(base_model).name,
        "target_layers": list(target_layers),
        "counts": {"harmful": len(harmful), "retain": len(retain)},
        "seconds": round(seconds, 1),
        "monitors": [record.as_dict() for record in records],
        "prompt_digests": sorted({*digests_of_base, *(prompt_digest(e.prompt) for e in (*harmful, *retain))}),
        "config": config,
        "versions": {
            "cbtrain": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "peft")},
        },
    }


def trained_prompts(model: Path) -> list[str]:
    """Digests of the prompts that a model folder was trained on before, by its `training.json`; empty without one."""
    try:
        return list(json.loads((model / "training.json").read_text(encoding="utf-8")).get("prompt_digests", []))
    except (OSError, json.JSONDecodeError):
        return []


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that the file appears whole or not at all."""
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        staging.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)
