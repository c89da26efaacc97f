import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import tiny_model

from cbtrain.config import CircuitBreakerConfig
from cbtrain.data.examples import Example
from cbtrain.data.files import write_examples
from cbtrain.errors import CbtrainError, DataError
from cbtrain.losses import rerouting_loss, retain_loss
from cbtrain.merge import merge
from cbtrain.monitors import StepRecord, escape_step, verdict
from cbtrain.run import parse_config, train_breaker
from cbtrain.trainer import CircuitBreakerTrainer

HARMFUL = [Example(f"open door number {i}", f"Sure, look around {i} {i}.", "harmful") for i in range(8)]
RETAIN = [Example(f"How do I bake bread {i}?", f"Mix flour and water {i}.", "retain") for i in range(8)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base", layers=4)


@pytest.fixture(scope="module")
def tokenizer(base: Path):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base)


def trainer_for(base: Path, tokenizer, out: Path, **fields) -> CircuitBreakerTrainer:
    settings = {"max_steps": 2, "target_layers": [1, 2], "disable_tqdm": True, "seed": 3, "logging_steps": 1} | fields
    args = CircuitBreakerConfig(output_dir=str(out), **settings)
    return CircuitBreakerTrainer(str(base), args, HARMFUL, RETAIN, tokenizer)


def gradients(trainer: CircuitBreakerTrainer) -> dict[str, torch.Tensor]:
    return {n: p.grad.clone() for n, p in trainer.model.named_parameters() if p.grad is not None}


def test_loss_and_gradients_equal_a_naive_full_forward(base, tokenizer, tmp_path):
    # The naive way: the whole model with all its hidden states, adapter off and on.
    trainer = trainer_for(base, tokenizer, tmp_path)
    trainer.state.max_steps, trainer.state.global_step = 10, 4  # linear at 4/10 would be .8/.2; the default is constant
    batch = next(iter(trainer.get_train_dataloader()))
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    fast = gradients(trainer)
    trainer.model.zero_grad()

    inputs = {k: batch[k] for k in ("input_ids", "attention_mask")}
    with torch.no_grad(), trainer.model.disable_adapter():
        reference = trainer.model(**inputs, output_hidden_states=True).hidden_states
    adapted = trainer.model(**inputs, output_hidden_states=True).hidden_states
    # hidden_states[i + 1] is the output of decoder layer i; the last element is normed and not used here.
    rerouting = (
        sum(rerouting_loss(adapted[i + 1], reference[i + 1], batch["reroute_mask"], angular=True) for i in (1, 2)) / 2
    )
    retaining = (
        sum(retain_loss(adapted[i + 1], reference[i + 1], batch["retain_mask"], smoothing=0.1) for i in (0, 1, 2)) / 3
    )
    naive = 10 * (0.5 * rerouting + 0.5 * trainer.args.retain_weight * retaining)
    naive.backward()

    assert float(loss.detach()) == pytest.approx(float(naive.detach()), rel=1e-5)
    slow = gradients(trainer)
    assert fast.keys() == {n for n, g in slow.items() if g.abs().sum() > 0}
    for name, gradient in fast.items():
        assert torch.allclose(gradient, slow[name], rtol=1e-4, atol=1e-7), name


def test_padding_does_not_change_the_loss(base, tokenizer, tmp_path):
    trainer = trainer_for(base, tokenizer, tmp_path)
    trainer.state.max_steps = 10
    pairs = [trainer.train_dataset[0]]
    narrow = trainer.data_collator(pairs)
    wide = {}
    for name, tensor in narrow.items():
        fill = tokenizer.pad_token_id if name == "input_ids" else 0
        wide[name] = torch.nn.functional.pad(tensor, (0, 9), value=fill)
    assert float(trainer.compute_loss(trainer.model, narrow)) == pytest.approx(
        float(trainer.compute_loss(trainer.model, wide)), rel=1e-5
    )


def test_training_moves_harmful_states_and_leaves_the_base_bit_for_bit(base, tokenizer, tmp_path):
    trainer = trainer_for(base, tokenizer, tmp_path, max_steps=25, learning_rate=1e-2, lora_b_std=0.02)
    frozen = {n: p.clone() for n, p in trainer.model.named_parameters() if "lora_" not in n}
    trainer.train()
    assert all(torch.equal(p, frozen[n]) for n, p in trainer.model.named_parameters() if n in frozen)
    assert trainer.records[0].harmful_cosine > 0.95
    assert trainer.records[-1].harmful_cosine < 0.8
    assert [r.step for r in trainer.records] == list(range(1, 26))


def test_adapter_touches_only_layers_up_to_the_deepest_target(base, tokenizer, tmp_path):
    trainer = trainer_for(base, tokenizer, tmp_path, target_layers=[0, 1])
    adapted = {n.split(".layers.")[1].split(".")[0] for n, _ in trainer.model.named_parameters() if "lora_" in n}
    assert adapted == {"0", "1"}
    assert trainer.model.config.num_hidden_layers == 4


def test_accumulated_micro_batches_take_the_same_steps_as_one_batch(base, tokenizer, tmp_path):
    # 1 x 4 == 4 x 1: the schedule counts optimizer steps. Equal lengths make the mean of means the mean.
    runs = []
    for size, accumulation in ((4, 1), (1, 4)):
        trainer = trainer_for(
            base,
            tokenizer,
            tmp_path / str(size),
            max_steps=3,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=accumulation,
            schedule="linear",
            relative_retain=False,  # a median over the batch is not a mean of medians
        )
        trainer.train()
        runs.append(trainer)
    for one, many in zip(runs[0].records, runs[1].records, strict=True):
        assert many.loss == pytest.approx(one.loss, rel=1e-3)
    for (name, p), (_, q) in zip(runs[0].model.named_parameters(), runs[1].model.named_parameters(), strict=True):
        if "lora_" in name:
            assert torch.allclose(p, q, atol=2e-4), name


def test_noise_and_angle_leave_a_start_that_holds_the_papers_loss(base, tokenizer, tmp_path):
    # Equal weights from the first step on, 25 equal steps. Measured: 0.94 and 0.55.
    common = {"max_steps": 25, "learning_rate": 1e-2}
    paper = trainer_for(
        base, tokenizer, tmp_path, lora_b_std=0.0, angular_rerouting=False, retain_smoothing=0.0, **common
    )
    paper.train()
    ours = trainer_for(base, tokenizer, tmp_path, lora_b_std=0.02, **common)
    ours.train()
    assert paper.records[-1].harmful_cosine > 0.9
    assert ours.records[-1].harmful_cosine < 0.7
    assert verdict(paper.records, 2, 0.9) == "no_effect"
    assert verdict(ours.records, 2, 0.9) == "ok"


def test_the_papers_loss_has_no_gradient_at_lora_zero(base, tokenizer, tmp_path):
    sizes = []
    for std in (0.0, 0.02):
        trainer = trainer_for(base, tokenizer, tmp_path, lora_b_std=std, angular_rerouting=False)
        trainer.state.max_steps = 10
        trainer.compute_loss(trainer.model, next(iter(trainer.get_train_dataloader()))).backward()
        sizes.append(sum(float(g.abs().sum()) for g in gradients(trainer).values()))
    assert sizes[0] < 1e-3 * sizes[1]


@pytest.mark.parametrize("targets", [[4], [-1, 2]])
def test_targets_outside_the_model(base, tokenizer, tmp_path, targets):
    with pytest.raises(CbtrainError, match=r"outside the model's decoder layers 0\.\.3"):
        trainer_for(base, tokenizer, tmp_path, target_layers=targets)


def test_verdict_looks_at_the_deepest_target():
    def record(step, shallow, deep):
        return StepRecord(step, 1, 1, 0, (shallow + deep) / 2, {"9": shallow, "19": deep}, 1, 1, 1)

    records = [record(10, 1.0, 0.99), record(20, 0.99, 0.1)]
    assert verdict(records, 19, 0.9) == "ok"
    assert escape_step(records) == 20
    assert verdict(records[:1], 19, 0.9) == "no_effect"


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    write_examples(folder / "harmful.jsonl", HARMFUL)
    write_examples(folder / "retain.jsonl", RETAIN)
    words = "--max_steps 20 --target_layers 1 2 --learning_rate 0.01 --lora_b_std 0.02 --disable_tqdm True".split()
    train_breaker(str(base), folder / "adapter", data_folder=folder, overrides=words)
    return folder


def test_training_record_names_every_prompt_and_the_course(trained):
    from cbtrain.data.examples import prompt_digest

    record = json.loads((trained / "adapter" / "training.json").read_text())
    assert record["prompt_digests"] == sorted({prompt_digest(e.prompt) for e in HARMFUL + RETAIN})
    assert record["status"] in ("ok", "no_effect")
    assert record["target_layers"] == [1, 2]
    assert [m["step"] for m in record["monitors"]] == [5, 10, 15, 20]
    assert record["config"]["learning_rate"] == 0.01


def test_merged_model_answers_like_base_with_adapter(trained, base, tmp_path, tokenizer):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    merged = AutoModelForCausalLM.from_pretrained(merge(trained / "adapter", tmp_path / "cb"))
    adapter = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), trained / "adapter")
    ids = tokenizer("open door number 3", return_tensors="pt").input_ids
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, adapter(ids).logits, rtol=1e-4, atol=1e-4)
        plain = AutoModelForCausalLM.from_pretrained(base)(ids).logits
    assert not torch.allclose(merged(ids).logits, plain, atol=1e-2)
    assert merged.config.num_hidden_layers == 4
    assert (tmp_path / "cb" / "training.json").read_text() == (trained / "adapter" / "training.json").read_text()


def test_nothing_is_written_over(trained, base, tmp_path):
    with pytest.raises(DataError, match="already holds a finished adapter"):
        train_breaker(str(base), trained / "adapter", data_folder=trained)
    (tmp_path / "cb").mkdir()
    (tmp_path / "cb" / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="already holds files"):
        merge(trained / "adapter", tmp_path / "cb")
    with pytest.raises(DataError, match="is no adapter"):
        merge(tmp_path / "cb", tmp_path / "other")


def test_configuration_file_and_command_line(tmp_path, capsys):
    file = tmp_path / "train.yaml"
    file.write_text("max_steps: 7\ntarget_layers: [3, 5]\nlearning_rate: 1.0e-4\n")
    args = parse_config(tmp_path, file, ["--max_steps", "9"])
    assert (args.max_steps, args.target_layers, args.learning_rate) == (9, [3, 5], 1e-4)
    file.write_text("max_step: 7\n")
    with pytest.raises(DataError, match=r"train.yaml: field 'max_step' is unknown; did you mean 'max_steps'"):
        parse_config(tmp_path, file, [])
    file.write_text("- 1\n")
    with pytest.raises(DataError, match="a configuration is a mapping of fields, not a list"):
        parse_config(tmp_path, file, [])
    with pytest.raises(DataError, match="not understood"):
        parse_config(tmp_path, None, ["--schedule", "zigzag"])


def cbtrain(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cbtrain.cli", *words], capture_output=True, text=True, check=False, timeout=120
    )


def test_command_line_errors_are_one_line(tmp_path):
    result = cbtrain("train", "--model", str(tmp_path), "--out", str(tmp_path / "a"))
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "error: nothing to train on: give --data FOLDER, or both --harmful FILE and --retain FILE"
    ]


def test_a_run_without_effect_is_written_down_and_ends_with_an_error(trained, base, tmp_path):
    # A learning rate of zero leaves B's noise as it was: what a stuck run looks like.
    words = ["--max_steps", "2", "--target_layers", "1", "2", "--learning_rate", "0", "--disable_tqdm", "True"]
    result = cbtrain("train", "--model", str(base), "--data", str(trained), "--out", str(tmp_path / "a"), *words)
    assert result.returncode == 1
    assert "no_effect" in result.stderr.splitlines()[-1]
    assert json.loads((tmp_path / "a" / "training.json").read_text())["status"] == "no_effect"


def test_a_loss_that_is_not_finite_is_never_ok():
    record = StepRecord(5, float("nan"), 1, 0, 0.1, {"2": 0.1}, 1, 1, 1)
    assert verdict([record], 2, 0.9) == "diverged"


def test_a_model_that_is_not_there_is_one_line(trained, tmp_path):
    result = cbtrain("train", "--model", "smollm2-135m", "--data", str(trained), "--out", str(tmp_path / "a"))
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("error: model 'smollm2-135m' is no folder here")


def test_help_loads_no_torch():
    code = "import sys, cbtrain.cli as c\ntry: c.cli.main(['train', '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'transformers', 'vllm'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
