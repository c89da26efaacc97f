"""One training run from files to files: configuration, conversations, adapter, `training.json`."""

import difflib
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cbtrain.data.chat import load_tokenizer
from cbtrain.data.files import read_examples
from cbtrain.errors import DataError


def train_breaker(
    model: str,
    out: Path,
    *,
    data_folder: Path | None = None,
    harmful: str | None = None,
    retain: str | None = None,
    config: Path | None = None,
    overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Train a breaker and write adapter, tokenizer and `training.json` (last) into `out`; returns its content.

    Args:
        model: Base model, folder or hub id.
        out: Folder to write; must not hold a finished adapter yet.
        data_folder: Folder with harmful.jsonl and retain.jsonl; else both `harmful` and `retain` are needed.
        harmful: JSONL file or dataset of answers to reroute.
        retain: JSONL file or dataset of answers to keep.
        config: YAML file of `CircuitBreakerConfig` fields.
        overrides: The same fields as command line words, which win over the file.

    Raises:
        DataError: Something the user gave does not exist or makes no sense.
    """
    if (out / "training.json").exists():
        raise DataError(f"{out} already holds a finished adapter; remove it or give another --out")
    if out.is_dir() and any(entry.suffix == ".json" for entry in out.iterdir()):
        raise DataError(f"{out} already holds something else; give another --out")
    if data_folder is not None:
        for name in ("harmful.jsonl", "retain.jsonl"):
            if not (data_folder / name).is_file():
                raise DataError(f"{data_folder} has no {name}; `cbtrain data --out {data_folder}` writes it")
        harmful = harmful or str(data_folder / "harmful.jsonl")
        retain = retain or str(data_folder / "retain.jsonl")
    if not harmful or not retain:
        raise DataError("nothing to train on: give --data FOLDER, or both --harmful FILE and --retain FILE")
    harmful_examples = read_examples(harmful, "harmful")
    retain_examples = read_examples(retain, "retain")

    from cbtrain.provenance import trained_prompts, training_record, write_json
    from cbtrain.trainer import CircuitBreakerTrainer

    args = parse_config(out, config, overrides)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    tokenizer = load_tokenizer(model)
    if Path(model).is_dir():
        model = str(Path(model).resolve())  # the adapter names its base, and may be merged from another folder
    started = time.monotonic()
    trainer = CircuitBreakerTrainer(model, args, harmful_examples, retain_examples, tokenizer)
    trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
    trainer.save_model(str(out))
    (out / "training_args.bin").unlink(missing_ok=True)  # a pickle; training.json says the same in plain values
    record = training_record(
        config=args.to_dict(),
        base_model=model,
        target_layers=trainer.target_layers,
        records=trainer.records,
        harmful=harmful_examples,
        retain=retain_examples,
        no_effect_cosine=args.no_effect_cosine,
        digests_of_base=trained_prompts(Path(model)),
        seconds=time.monotonic() - started,
    )
    write_json(out / "training.json", record)
    return record


def parse_config(out: Path, config: Path | None, overrides: Sequence[str]) -> Any:
    """A `CircuitBreakerConfig` from a YAML file and command line words, the words winning.

    Raises:
        DataError: The file cannot be read, or a field is unknown or has an impossible value.
    """
    import yaml
    from transformers import HfArgumentParser

    from cbtrain.config import CircuitBreakerConfig

    values: dict[str, Any] = {}
    if config is not None:
        try:
            values = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise DataError(f"{config} cannot be read: {' '.join(str(error).split())}") from error
        if not isinstance(values, dict):
            raise DataError(f"{config}: a configuration is a mapping of fields, not a {type(values).__name__}")
    known = list(CircuitBreakerConfig.__dataclass_fields__)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "see `cbtrain train --help`"
            raise DataError(f"{config}: field '{name}' is unknown; {hint}")
    words = [word for name, value in values.items() for word in _words(name, value)]
    parser = HfArgumentParser(CircuitBreakerConfig)
    try:
        # argparse takes the last of a repeated option: the command line wins over the file.
        (args,) = parser.parse_args_into_dataclasses(
            [*words, *overrides, "--output_dir", str(out)], look_for_args_file=False
        )
    except SystemExit as error:
        raise DataError("the options above were not understood; see `cbtrain train --help`") from error
    except ValueError as error:
        raise DataError(str(error)) from error
    return args


def _words(name: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [f"--{name}", *map(str, values)]
