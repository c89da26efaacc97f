"""SmolLM2's GGUF to a safetensors folder, once: `python -m cbeval.assets.conversion model.gguf folder`.

It runs in its own process, so that the caller loads no torch, gets its memory back, and keeps its own logging.
transformers de-quantises the GGUF but refuses to save the result, because the config still says that it is quantised;
so the weights move to a fresh model made from the cleaned config.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from cbeval.assets.digests import sha256_file
from cbeval.assets.progress import note
from cbeval.errors import CbevalError

RECORD = "asset.json"
"""File in the folder that says what it was made from, and every file's size and SHA-256; written last."""

CONVERSION = 1
"""Raised when the conversion changes, so that a folder made by an older one is made again."""

END_OF_TURN = "<|im_end|>"


def convert_in_process_of_its_own(gguf: Path, folder: Path) -> None:
    """Convert in a child process and write the record. Raises CbevalError with the child's last line if it fails."""
    note(f"converting {gguf.name} to safetensors (once, under a minute)")
    child = subprocess.run(
        [sys.executable, "-m", "cbeval.assets.conversion", str(gguf), str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
    )
    if child.returncode != 0:
        lines = [line for line in child.stderr.splitlines() if line.strip()] or [f"exit code {child.returncode}"]
        if "No space left on device" in child.stderr or "File too large" in child.stderr:
            raise OSError(28, "No space left on device")
        raise CbevalError(f"converting {gguf.name} to safetensors failed: {lines[-1][:300]}")
    files = {path.name: {"size": path.stat().st_size, "sha256": sha256_file(path)} for path in sorted(folder.iterdir())}
    record = {"conversion": CONVERSION, "source": gguf.name, "source_sha256": sha256_file(gguf), "files": files}
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def is_whole(folder: Path, source_sha256: str, *, digests: bool) -> bool:
    """Whether a converted folder fits its record: sizes, and with `digests` every byte."""
    try:
        record = json.loads((folder / RECORD).read_text())
        if record["conversion"] != CONVERSION or record["source_sha256"] != source_sha256:
            return False
        return all(
            (folder / name).stat().st_size == file["size"]
            and (not digests or sha256_file(folder / name) == file["sha256"])
            for name, file in record["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def convert(gguf: Path, folder: Path) -> None:
    """Write bf16 safetensors, configuration, tokenizer and chat template of a Llama-shaped GGUF to a new folder.

    Raises CbevalError if the tokenizer's end-of-sequence token is not the chat template's end of turn: such a model
    would never stop.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    if tokenizer.eos_token != END_OF_TURN or END_OF_TURN not in (tokenizer.chat_template or ""):
        raise CbevalError(
            f"the tokenizer's end of sequence is {tokenizer.eos_token!r}, not the template's {END_OF_TURN}"
        )
    dequantised = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)

    stale = {"quantization_config", "_name_or_path", "_model_name_or_path", "dtype", "torch_dtype"}
    settings = {key: value for key, value in dequantised.config.to_dict().items() if key not in stale}
    settings |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    model = LlamaForCausalLM(LlamaConfig(**settings))
    model.load_state_dict(dequantised.state_dict())
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    tokenizer.model_max_length = model.config.max_position_embeddings
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except CbevalError as failure:
        sys.exit(str(failure))
