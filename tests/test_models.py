"""What `--model` may be: alias, folder, adapter, hub id; identity by weights; and errors that name what is missing."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cbeval.errors import CbevalError, UsageError
from cbeval.models import resolve_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the files of a model; nothing here looks into them."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "_name_or_path": "here"}))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")
    return folder


def make_adapter(folder: Path, base: str, **config: object) -> Path:
    folder.mkdir()
    content = {"base_model_name_or_path": base, "r": 8, "target_modules": ["q_proj", "v_proj"], **config}
    (folder / "adapter_config.json").write_text(json.dumps(content))
    (folder / "adapter_model.safetensors").write_bytes(b"lora")
    return folder


def test_a_model_is_known_by_its_weights_and_not_by_its_path_or_notes(model, tmp_path):
    first = resolve_model(str(model))
    assert (first.base, first.adapter, first.local) == (str(model), None, True)
    copy = shutil.copytree(model, tmp_path / "copy")
    (copy / "config.json").write_text(json.dumps({"_name_or_path": "there", "model_type": "llama"}))
    (copy / "README.md").write_text("notes")
    assert resolve_model(str(copy)).digest == first.digest
    (copy / "model.safetensors").write_bytes(b"weighty")
    assert resolve_model(str(copy)).digest != first.digest


def test_a_changed_configuration_is_another_model(model):
    before = resolve_model(str(model)).digest
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "layer_types": ["b", "a"]}))
    after = resolve_model(str(model)).digest
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "layer_types": ["a", "b"]}))
    assert len({before, after, resolve_model(str(model)).digest}) == 3


def test_the_digest_is_remembered_and_forgotten_when_the_file_changes(model, cache, monkeypatch):
    digest = resolve_model(str(model)).digest
    assert len(list((cache / "digests").iterdir())) == 1
    monkeypatch.setattr("hashlib.file_digest", lambda *args: pytest.fail("hashed again"))
    assert resolve_model(str(model)).digest == digest
    monkeypatch.undo()
    stat = (model / "model.safetensors").stat()
    (model / "model.safetensors").write_bytes(b"WEIGHTS")  # same length, and the same modification time
    os.utime(model / "model.safetensors", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert resolve_model(str(model)).digest != digest


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"path": 1}'])
def test_a_damaged_digest_cache_only_costs_time(model, cache, damage):
    digest = resolve_model(str(model)).digest
    for note in (cache / "digests").iterdir():
        note.write_bytes(damage)
    assert resolve_model(str(model)).digest == digest


def test_caches_can_be_switched_off(model, cache, monkeypatch):
    monkeypatch.setenv("CBEVAL_NO_CACHE", "1")
    resolve_model(str(model))
    assert not cache.exists()


def test_an_adapter_brings_its_base(model, tmp_path):
    ref = resolve_model(str(make_adapter(tmp_path / "lora", str(model))))
    assert (ref.base, ref.adapter) == (str(model), tmp_path / "lora")
    assert ref.digest == resolve_model(str(model)).digest
    assert ref.adapter_digest.startswith("sha256:")


def test_an_adapters_digest_ignores_where_its_base_lies_and_the_order_of_a_set(model, tmp_path):
    def digest(name: str, base: Path, **config: object) -> str:
        return resolve_model(str(make_adapter(tmp_path / name, str(base), **config))).adapter_digest

    copy = shutil.copytree(model, tmp_path / "copy")
    first = digest("a", model)
    assert digest("b", copy, target_modules=["v_proj", "q_proj"]) == first
    assert digest("c", model, r=16) != first


def test_a_base_beside_its_adapter_is_found_from_any_folder(model, tmp_path, monkeypatch):
    adapter = make_adapter(tmp_path / "lora", "../model")
    monkeypatch.chdir("/")
    assert resolve_model(str(adapter)).base == str(model)


def test_training_records_of_adapter_and_base_are_joined(model, tmp_path):
    (model / "training.json").write_text(json.dumps({"prompt_digests": ["b"], "status": "done"}))
    adapter = make_adapter(tmp_path / "lora", str(model))
    assert resolve_model(str(adapter)).training == {"prompt_digests": ["b"], "status": "done"}
    (adapter / "training.json").write_text(json.dumps({"prompt_digests": ["a"], "status": "no_effect"}))
    assert resolve_model(str(adapter)).training == {"prompt_digests": ["a", "b"], "status": "no_effect"}


@pytest.mark.parametrize("content", ["{", "[]", '{"prompt_digests": "abc"}'])
def test_a_damaged_training_record_is_an_error_and_not_an_untrained_model(model, content):
    (model / "training.json").write_text(content)
    with pytest.raises(CbevalError, match=r"training\.json"):
        resolve_model(str(model))


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_is_no_model_is_told_with_what_it_lacks(model, missing):
    (model / missing).unlink()
    with pytest.raises(UsageError) as error:
        resolve_model(str(model))
    lacks = "*.safetensors" if missing == "model.safetensors" else missing
    assert str(error.value) == f"model '{model}' is no model folder: {model} lacks {lacks}"


def test_a_missing_shard_is_named(model):
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    with pytest.raises(UsageError, match=r"lacks model-00002-of-00002\.safetensors"):
        resolve_model(str(model))


def test_pickled_weights_are_refused(model):
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    with pytest.raises(UsageError, match="pickled weights are not loaded"):
        resolve_model(str(model))


def test_the_folder_above_a_model_hints_at_the_model(model):
    with pytest.raises(UsageError, match=f"did you mean '{model}'"):
        resolve_model(str(model.parent))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smollm-135m", "did you mean 'smollm2-135m'?"),
        ("zzz", "known aliases: smollm2-135m"),
        ("./out/cb", "there is no such folder"),
        ("/no/such/model", "there is no such folder"),
        ("", "is unknown"),
        ("a/b/c", "there is no such folder"),
    ],
)
def test_a_name_that_is_nothing_is_one_line_with_the_way_out(name, message):
    with pytest.raises(UsageError) as error:
        resolve_model(name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_is_no_model(model):
    with pytest.raises(UsageError, match="is a file; give the folder"):
        resolve_model(str(model / "model.safetensors"))


@pytest.mark.parametrize("base", ["/moved/away", "", "smollm2-135mm"])
def test_an_adapter_without_its_base_says_where_to_write_it(base, tmp_path):
    adapter = make_adapter(tmp_path / "lora", base)
    with pytest.raises(UsageError, match=r"adapter '.*base_model_name_or_path") as error:
        resolve_model(str(adapter))
    assert "\n" not in str(error.value)


def test_an_adapter_on_an_adapter_and_one_without_weights_are_errors(model, tmp_path):
    first = make_adapter(tmp_path / "first", str(model))
    with pytest.raises(UsageError, match="is an adapter too"):
        resolve_model(str(make_adapter(tmp_path / "second", str(first))))
    (first / "adapter_model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"adapter_model\.safetensors is missing"):
        resolve_model(str(first))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A local hub cache with one model, and no hub to ask."""
    from huggingface_hub import HfApi, constants

    def unreachable(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--some--chat"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c0ffee\n")
    (folder / "snapshots" / "beef").mkdir(parents=True)


def test_a_hub_id_is_pinned_to_its_commit_even_without_a_network(hub):
    ref = resolve_model("some/chat")
    assert (ref.base, ref.revision, ref.local) == ("some/chat", "c0ffee", False)
    assert ref.digest == "hub:some/chat@c0ffee"
    assert resolve_model("some/chat@beef").digest == "hub:some/chat@beef"


def test_a_hub_id_that_cannot_be_had_says_both_that_no_folder_is_there_and_why(hub):
    with pytest.raises(CbevalError, match=r"no such folder.*reached \(ConnectionError\).*give a model folder"):
        resolve_model("out/cb")
