"""Names of models: an alias, a folder, an adapter folder or a hub id, resolved to what an engine loads.

A model is known by the digest of its weights and configuration, never by its path, so that a moved or copied model
keeps its cached answers and a retrained one at the same path loses them.
"""

import contextlib
import difflib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cbeval.errors import CbevalError, UsageError
from cbeval.records import Record

ALIASES: Mapping[str, str] = {"smollm2-135m": "SmolLM2-135M-Instruct, the demo model (Apache-2.0)"}
"""Models that come as pinned assets: alias (also the asset's name) -> what it is."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?", re.ASCII)
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json")
_NOT_WEIGHTS = frozenset(
    {"_name_or_path", "base_model_name_or_path", "revision", "transformers_version", "peft_version"}
)
"""Keys of configuration files that say where a model came from and not what it computes."""


class ModelRef(Record):
    """A model that was found, with what identifies it."""

    name: str
    """As given by the user."""

    base: str
    """Folder (absolute) or hub id that an engine loads."""

    revision: str = ""
    """Commit of a hub id; empty for folders."""

    adapter: Path | None = None
    """Folder of the LoRA that is applied to the base; None for a full model."""

    digest: str
    """Of the base: `sha256:...` over weights and configuration, or `hub:<id>@<commit>` (the commit stands for both)."""

    adapter_digest: str = ""
    """`sha256:...` over the adapter's weights and configuration; empty for none."""

    training: dict[str, Any] | None = None
    """`training.json` as cbtrain left it: among others `prompt_digests` and `status`."""

    @property
    def local(self) -> bool:
        """Whether the base is a folder, so that no hub need be asked."""
        return not self.revision


def resolve_model(name: str) -> ModelRef:
    """Find the model that `name` means: an alias, a folder, an adapter folder, or a hub id (`org/name[@revision]`).

    An existing folder wins over a hub id of the same form. Raises UsageError for a name that is nothing of these and
    for a folder that is no model, CbevalError for a model that cannot be fetched or read.
    """
    folder = _existing_folder(name)
    if folder is None or not (folder / "adapter_config.json").is_file():
        return _resolve_base(name, folder)

    config_path = folder / "adapter_config.json"
    config = _read_json(config_path)
    base_name = config.get("base_model_name_or_path")
    if not isinstance(base_name, str) or not base_name:
        raise UsageError(
            f"adapter '{name}': {config_path} names no base_model_name_or_path; write the base's folder there"
        )
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise UsageError(f"adapter '{name}': {weights} is missing; save the adapter with PEFT as safetensors")
    base_folder = _existing_folder(base_name)
    if base_folder is None and not Path(base_name).is_absolute():
        base_folder = _existing_folder(str(folder / base_name))  # a base that is stored beside its adapter
    if base_folder is not None and (base_folder / "adapter_config.json").is_file():
        raise UsageError(
            f"adapter '{name}': its base '{base_name}' is an adapter too; merge that one first (cbtrain merge)"
        )
    try:
        base = _resolve_base(base_name, base_folder)
    except CbevalError as error:
        raise type(error)(
            f"adapter '{name}': its base cannot be used ({error}); correct base_model_name_or_path in {config_path}"
        ) from None
    return ModelRef(
        name=name,
        base=base.base,
        revision=base.revision,
        adapter=folder,
        digest=base.digest,
        adapter_digest=_digest([weights], [config_path]),
        training=_with_training_of_base(_read_training(folder), base.training),
    )


def _existing_folder(name: str) -> Path | None:
    """The absolute path of `name` if that is a folder."""
    path = Path(name).expanduser()
    return path.resolve() if name and path.is_dir() else None


def _resolve_base(name: str, folder: Path | None) -> ModelRef:
    """The full model that `name` means; `folder` is where it lies, if it is a folder."""
    if folder is None and name in ALIASES:
        from cbeval import assets

        folder = Path(assets.get(name)).resolve()
    if folder is not None:
        weights = _weight_files(name, folder)
        configs = [folder / "config.json", folder / "generation_config.json"]
        digest = _digest(weights, [path for path in configs if path.is_file()])
        return ModelRef(name=name, base=str(folder), digest=digest, training=_read_training(folder))
    if Path(name).expanduser().is_file():
        raise UsageError(f"model '{name}' is a file; give the folder with config.json, *.safetensors and the tokenizer")
    if _HUB_ID.fullmatch(name):
        return _resolve_hub_id(name)
    if "/" in name or name.startswith((".", "~")):
        raise UsageError(f"model '{name}': there is no such folder")
    near = difflib.get_close_matches(name.lower(), ALIASES, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'?" if near else f"known aliases: {', '.join(ALIASES)}"
    raise UsageError(f"model '{name}' is unknown; {hint} (else give a folder or a hub id such as org/name)")


def _weight_files(name: str, folder: Path) -> list[Path]:
    """The safetensors files of a model folder, sorted; UsageError that names what is missing."""
    weights = sorted(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = _read_json(index).get("weight_map", {}).values()
        weights = [folder / shard for shard in sorted(set(map(str, shards)))]
    absent = [path.name for path in weights if not path.is_file()]
    if not (folder / "config.json").is_file():
        absent.append("config.json")
    if not weights:
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth"))
        absent.append("*.safetensors" + (" (pickled weights are not loaded; convert them)" if pickled else ""))
    if not any((folder / file).is_file() for file in _TOKENIZER_FILES):
        absent.append("tokenizer.json")
    if absent:
        inner = sorted(
            path.parent for pattern in ("adapter_config.json", "config.json") for path in folder.glob(f"*/{pattern}")
        )
        hint = f"; did you mean '{inner[0]}'?" if inner else ""
        raise UsageError(f"model '{name}' is no model folder: {folder} lacks {', '.join(absent)}{hint}")
    return weights


def _resolve_hub_id(name: str) -> ModelRef:
    """A hub id pinned to the commit that the hub, or else the local hub cache, has for it."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    hub_id, _, revision = name.partition("@")
    revision = revision or "main"
    why = ""
    commit: str | None = None
    try:
        commit = HfApi().model_info(hub_id, revision=revision, timeout=10).sha
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError):
        why = "the hub has no such model or revision, or asks for a login"
    except Exception as error:  # the hub's client raises many kinds for one thing: it could not be reached
        why = f"the hub cannot be reached ({type(error).__name__})"
    if commit is None:
        cached = Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"
        ref = cached / "refs" / revision
        if ref.is_file():
            commit = ref.read_text(encoding="utf-8").strip()
        elif (cached / "snapshots" / revision).is_dir():
            commit = revision
    if not commit:
        raise CbevalError(
            f"model '{name}': there is no such folder, and as a hub id it was not found: {why or 'no commit'}, "
            "and the local hub cache lacks it; give a model folder"
        )
    return ModelRef(name=name, base=hub_id, revision=commit, digest=f"hub:{hub_id}@{commit}")


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object out of a file; CbevalError that names the file if it holds none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CbevalError(f"{path} cannot be read as JSON ({error}); restore or save the model again") from None
    if not isinstance(value, dict):
        raise CbevalError(f"{path} holds no JSON object; restore or save the model again")
    return value


def _read_training(folder: Path) -> dict[str, Any] | None:
    """`training.json` of a folder, or None; CbevalError if its prompt digests are not a list of strings."""
    path = folder / "training.json"
    if not path.is_file():
        return None
    training = _read_json(path)
    digests = training.get("prompt_digests", [])
    if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
        raise CbevalError(f"{path}: prompt_digests must be a list of strings; save the model with cbtrain again")
    return training


def _with_training_of_base(own: dict[str, Any] | None, base: dict[str, Any] | None) -> dict[str, Any] | None:
    """An adapter's training record whose prompt digests include those that its base was trained on."""
    if not own or not base:
        return own or base
    digests = {*own.get("prompt_digests", []), *base.get("prompt_digests", [])}
    return {**own, "prompt_digests": sorted(digests)}


def _digest(weights: Iterable[Path], configs: Iterable[Path]) -> str:
    """`sha256:` over the names and contents of weight files and the computing part of configuration files."""
    parts = {path.name: _file_sha256(path) for path in weights}
    for path in configs:
        canonical = json.dumps(_what_computes(_read_json(path)), sort_keys=True)
        parts[path.name] = hashlib.sha256(canonical.encode()).hexdigest()
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _what_computes(value: Any) -> Any:
    """A configuration without its notes of origin, and with PEFT's set of target modules in a fixed order."""
    if not isinstance(value, dict):
        return value
    kept = {key: _what_computes(item) for key, item in value.items() if key not in _NOT_WEIGHTS}
    if isinstance(kept.get("target_modules"), list):
        kept["target_modules"] = sorted(map(str, kept["target_modules"]))
    return kept


def _file_sha256(path: Path) -> str:
    """SHA-256 of a file, remembered in the cache by path, size and times so that gigabytes are hashed once."""
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    note = _digest_note(path)
    if note is not None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            remembered = json.loads(note.read_text(encoding="utf-8"))
            if remembered["path"] == str(path) and remembered["stamp"] == stamp:
                return str(remembered["sha256"])
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CbevalError(f"{path} cannot be read ({error.strerror}); check its permissions and the disk") from None
    if note is not None:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not correctness
            _replace(note, json.dumps({"path": str(path), "stamp": stamp, "sha256": digest}))
    return digest


def _digest_note(path: Path) -> Path | None:
    """Where the digest of `path` is remembered; None where caches are off."""
    if os.environ.get("CBEVAL_NO_CACHE") == "1":
        return None
    from cbeval.assets.cache import cache_folder

    return cache_folder() / "digests" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:32]}.json"


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
