"""Merge a trained adapter into a freshly loaded full base: a model that anything loads, with no trace of PEFT.

The trainer runs only the lower layers; the adapter it saves names layers of the full model, so merging onto the full
base gives back everything that was left out while training.
"""

import json
import os
import shutil
from pathlib import Path

from cbtrain.errors import CbtrainError, DataError


def merge(adapter: Path, output: Path, *, base: str | None = None) -> Path:
    """Write base + adapter as a full model with tokenizer and `training.json`; returns `output`.

    The sum is computed in float32 and stored in the base's own dtype. The folder appears whole or not at all.

    Args:
        adapter: Folder written by `cbtrain train` (PEFT format).
        output: Folder of the full model; must not hold one yet.
        base: The base model; None: the one the adapter names.

    Raises:
        DataError: `adapter` is no adapter folder, or `output` already holds something else.
        CbtrainError: The merged weights are not finite.
    """
    config_file = adapter / "adapter_config.json"
    if not config_file.is_file():
        raise DataError(
            f"{adapter} is no adapter: it has no adapter_config.json; give the folder `cbtrain train` wrote"
        )
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise DataError(f"{output} already holds files; remove it or give another --out")
    base = base or json.loads(config_file.read_text(encoding="utf-8"))["base_model_name_or_path"]

    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    except (OSError, ValueError) as error:
        raise DataError(f"the base model {base} of {adapter} cannot be loaded; name it with --base") from error
    dtype = model.dtype
    merged = PeftModel.from_pretrained(model.float(), str(adapter))
    try:
        # safe_merge looks for NaN and infinity before it overwrites a weight.
        full = merged.merge_and_unload(safe_merge=True).to(dtype)
    except ValueError as error:
        raise CbtrainError(f"{adapter}: the adapter does not merge: {error}") from error
    tokenizer = AutoTokenizer.from_pretrained(base)

    staging = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        full.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        if (adapter / "training.json").is_file():
            shutil.copy(adapter / "training.json", staging / "training.json")
        if output.exists():
            output.rmdir()
        staging.rename(output)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return output
