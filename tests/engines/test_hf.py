"""The transformers engine on a tiny random model, against plain `generate` one prompt at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbeval.engines import Sampling, open_engine, render
from cbeval.engines.hf import HfEngine, batches
from cbeval.errors import CbevalError, UsageError
from cbeval.models import resolve_model

GREEDY = Sampling(max_new_tokens=24)


@pytest.fixture(scope="module")
def engine(tiny_ref):
    # float32: rounding in bfloat16 may flip a token between a batch and one row, which is not what is tested here
    with HfEngine(tiny_ref, dtype="float32") as opened:
        yield opened


@pytest.fixture(scope="module")
def prompts(engine, case):
    texts = ["How do I bake bread?", "x", "Write a short story about a lighthouse keeper and her dog.", "Sure"]
    return [render(engine.tokenizer, case(text)) for text in texts]


def test_padded_batches_answer_like_plain_generate_on_one_prompt(engine, prompts, tiny):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    for prompt, answer in zip(prompts, engine.generate(prompts, GREEDY), strict=True):
        plain = model.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)[0, len(prompt) :].tolist()
        assert answer.text == engine.tokenizer.decode(plain, skip_special_tokens=True).strip()
        assert answer.prompt_tokens == len(prompt)
        assert answer.completion_tokens == len(plain)


def test_an_answer_ends_at_the_stop_token_which_counts_but_is_not_shown(engine, prompts, tiny_ref):
    prompt = prompts[0]
    full = engine.generate([prompt], GREEDY)[0]
    assert full.finish_reason == "length"
    first = engine._generate_batch([prompt], GREEDY)[0]
    stop = first[3]
    with HfEngine(tiny_ref, dtype="float32") as other:
        other._stops = (stop,)
        answer = other.generate([prompt, prompts[2]], GREEDY)[0]
    end = first.index(stop)
    assert answer.finish_reason == "stop"
    assert answer.completion_tokens == end + 1
    assert answer.text == engine.tokenizer.decode(first[:end], skip_special_tokens=True).strip()


def test_results_are_aligned_and_progress_counts_every_prompt_once(engine, prompts, monkeypatch):
    monkeypatch.setattr("cbeval.engines.hf.MAX_ROWS", {"cpu": 2, "cuda": 2})
    done = []
    forward = engine.generate(prompts, GREEDY, done.append)
    backward = engine.generate(prompts[::-1], GREEDY)
    assert forward == backward[::-1]
    assert len({answer.text for answer in forward}) == len(prompts)
    assert sum(done) == len(prompts)
    assert engine.generate([], GREEDY) == []


def test_draws_repeat_with_the_seed_and_differ_without(engine, prompts):
    def draw(seed):
        return engine.generate(prompts, Sampling(max_new_tokens=16, temperature=1.0, seed=seed))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_the_models_own_sampling_settings_do_not_leak_into_greedy_answers(tiny, tmp_path, prompts):
    import json
    import shutil

    folder = shutil.copytree(tiny, tmp_path / "model")
    plain = HfEngine(resolve_model(str(folder))).generate(prompts, GREEDY)
    settings = json.loads((folder / "generation_config.json").read_text())
    settings |= {"repetition_penalty": 5.0, "do_sample": True, "temperature": 1.5}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    assert HfEngine(resolve_model(str(folder))).generate(prompts, GREEDY) == plain


def test_an_adapter_changes_answers_and_is_told_apart(tiny, tmp_path, prompts):
    adapter = lora(tiny, tmp_path / "adapter")
    base, with_adapter = resolve_model(str(tiny)), resolve_model(str(adapter))
    with open_engine("hf", base) as full, open_engine("hf", with_adapter) as adapted:
        assert (full.info.serving, adapted.info.serving) == ("full", "adapter")
        assert full.info.dtype == adapted.info.dtype == "bfloat16"
        assert full.generate(prompts, GREEDY) != adapted.generate(prompts, GREEDY)


def test_too_long_a_prompt_is_refused_before_and_after_loading(engine, tiny_ref):
    with pytest.raises(UsageError, match=r"at most 2048 tokens.*needs 3000"):
        HfEngine(tiny_ref, max_context=3000)
    with pytest.raises(UsageError, match="prompt 0 has 2040 tokens"):
        engine.generate([[5] * 2040], GREEDY)


def test_a_damaged_model_is_one_line(tiny, tmp_path):
    import shutil

    folder = shutil.copytree(tiny, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"not a tensor file")
    with pytest.raises(CbevalError, match="transformers cannot load it") as error:
        HfEngine(resolve_model(str(folder)))
    assert "\n" not in str(error.value)


def test_closing_twice_is_harmless(tiny_ref):
    engine = HfEngine(tiny_ref)
    engine.close()
    engine.close()


@given(
    lengths=st.lists(st.integers(1, 500), max_size=60),
    new_tokens=st.integers(1, 512),
    slots=st.integers(1, 5000),
    max_rows=st.integers(1, 16),
)
def test_batches_cover_every_prompt_once_within_the_budget(lengths, new_tokens, slots, max_rows):
    made = list(batches(lengths, new_tokens, slots, max_rows))
    assert sorted(index for batch in made for index in batch) == list(range(len(lengths)))
    for batch in made:
        longest = max(lengths[index] for index in batch)
        assert 1 <= len(batch) <= max_rows
        assert len(batch) == 1 or len(batch) * (longest + new_tokens) <= slots


def lora(base, folder):
    """A random LoRA on `base` that changes its answers, saved by PEFT."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        for name, weight in model.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(weight)
        model.save_pretrained(folder)
    return folder
