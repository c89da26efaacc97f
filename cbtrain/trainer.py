"""The trainer: two passes a step, adapter off and adapter on, and the two losses between them.

Only the inner decoder runs, and of it only the layers up to the deepest target: neither loss looks further, and the
adapter lives in those layers alone. The layer count is set in the config at run time, so the saved adapter fits the
full model.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase, Trainer, set_seed

from cbtrain.config import CircuitBreakerConfig
from cbtrain.data.collate import PairCollator, PairDataset
from cbtrain.data.examples import Example, tokenize
from cbtrain.errors import CbtrainError, DataError
from cbtrain.layers import default_targets
from cbtrain.losses import rerouting_loss, retain_loss
from cbtrain.monitors import StepRecord, mean_cosine, norm_ratio
from cbtrain.schedule import coefficients


class CircuitBreakerTrainer(Trainer):  # type: ignore[misc]  # transformers ships no types
    """Trains a circuit breaker (representation rerouting, arXiv 2406.04313) as a LoRA on a frozen causal model.

    Args:
        model: Folder or hub id, or a loaded model that this trainer may wrap.
        args: The configuration.
        harmful: Conversations to reroute.
        retain: Conversations to keep.
        processing_class: The model's fast tokenizer, with a chat template.

    Raises:
        DataError: One of the two lists is empty, or a conversation has nothing to train on.
        CbtrainError: A target layer lies outside the model, or its decoder layers cannot be found.
    """

    def __init__(
        self,
        model: str | PreTrainedModel,
        args: CircuitBreakerConfig,
        harmful: Sequence[Example],
        retain: Sequence[Example],
        processing_class: PreTrainedTokenizerBase,
    ) -> None:
        if args.world_size > 1:
            raise CbtrainError("training in several processes is not supported yet: start one process")
        args._n_gpu = min(args.n_gpu, 1)  # Trainer would otherwise split batches that we do not send through it
        if not harmful or not retain:
            raise DataError(f"{len(harmful)} harmful and {len(retain)} retain examples: training needs both")
        if isinstance(model, str):
            model = AutoModelForCausalLM.from_pretrained(model, dtype=_dtype(args))
        depth = model.config.num_hidden_layers
        self.target_layers = sorted(args.target_layers or default_targets(depth))
        if not 0 <= self.target_layers[0] <= self.target_layers[-1] < depth:
            raise CbtrainError(
                f"target layers {self.target_layers} lie outside the model's decoder layers 0..{depth - 1}"
            )
        deepest = self.target_layers[-1]
        pad = (
            processing_class.pad_token_id
            if processing_class.pad_token_id is not None
            else processing_class.eos_token_id
        )

        # Trainer sets the seed too, but only after LoRA's A has been drawn.
        set_seed(args.seed)
        peft_model = get_peft_model(model, _lora(args, deepest))
        _leave_stationary_start(peft_model, args.lora_b_std, args.seed)
        self._step_means: dict[str, list[float]] = defaultdict(list)
        self.records: list[StepRecord] = []
        super().__init__(
            model=peft_model,
            args=args,
            train_dataset=PairDataset(
                [tokenize(e, processing_class, args.max_length) for e in harmful],
                [tokenize(e, processing_class, args.max_length) for e in retain],
            ),
            data_collator=PairCollator(pad),
            processing_class=processing_class,
        )
        # Each micro-batch's loss is a mean of its own; without this Trainer would sum them under accumulation.
        self.model_accepts_loss_kwargs = False
        decoder = peft_model.get_base_model().get_decoder()
        if not isinstance(getattr(decoder, "layers", None), nn.ModuleList):
            raise CbtrainError(f"{type(decoder).__name__} keeps its decoder layers under an unknown name, not `layers`")
        self._decoder = decoder
        self._lora_layers = [m for m in peft_model.modules() if isinstance(m, BaseTunerLayer)]
        self._full_depth = depth
        self._depth = deepest + 1

    def _states(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """Outputs of decoder layers 0..deepest target, each (batch, tokens, hidden)."""
        states: list[Tensor] = []

        def keep(_module: nn.Module, _args: Any, output: Any) -> None:
            states.append(output[0] if isinstance(output, tuple) else output)

        hooks = [layer.register_forward_hook(keep) for layer in self._decoder.layers[: self._depth]]
        # transformers' decoders run `layers[: config.num_hidden_layers]`; the config is put back at once, because the
        # same object is saved with checkpoints.
        self._decoder.config.num_hidden_layers = self._depth
        try:
            self._decoder(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False)
        finally:
            self._decoder.config.num_hidden_layers = self._full_depth
            for hook in hooks:
                hook.remove()
        if len(states) != self._depth:
            raise CbtrainError(f"the decoder ran {len(states)} layers where {self._depth} were asked for")
        return states

    def compute_loss(
        self,
        model: PeftModel,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """alpha (c_cb x rerouting + c_retain x weight x retain), coefficients from the optimizer step."""
        args: CircuitBreakerConfig = self.args
        reroute, retain = inputs["reroute_mask"], inputs["retain_mask"]
        peft_model = self.accelerator.unwrap_model(model)
        with torch.no_grad(), peft_model.disable_adapter(), self.compute_loss_context_manager() or nullcontext():
            if not all(layer.disable_adapters for layer in self._lora_layers):
                raise CbtrainError(
                    "the adapter is on in the reference pass: its states would be compared with themselves"
                )
            reference = self._states(inputs)
        adapted = self._states(inputs)

        rerouting = torch.stack(
            [
                rerouting_loss(adapted[i], reference[i], reroute, angular=args.angular_rerouting)
                for i in self.target_layers
            ]
        ).mean()
        retaining = torch.stack(
            [
                retain_loss(a, r, retain, relative=args.relative_retain, smoothing=args.retain_smoothing)
                for a, r in zip(adapted, reference, strict=True)
            ]
        ).mean()
        c_cb, c_retain = coefficients(
            min(self.state.global_step, self.state.max_steps), self.state.max_steps, args.schedule
        )
        loss = args.alpha * (c_cb * rerouting + c_retain * args.retain_weight * retaining)
        self._watch(
            float(loss.detach()), float(rerouting.detach()), float(retaining.detach()), adapted, reference, inputs
        )
        return (loss, {"loss": loss}) if return_outputs else loss

    def _watch(
        self,
        loss: float,
        rerouting: float,
        retaining: float,
        adapted: list[Tensor],
        reference: list[Tensor],
        inputs: dict[str, Tensor],
    ) -> None:
        reroute, retain = inputs["reroute_mask"], inputs["retain_mask"]
        deepest = self.target_layers[-1]
        values = {
            "loss": loss,
            "rerouting_loss": rerouting,
            "retain_loss": retaining,
            "retain_cosine": mean_cosine(adapted[deepest], reference[deepest], retain),
            "harmful_norm_ratio": norm_ratio(adapted[deepest], reference[deepest], reroute),
            "retain_norm_ratio": norm_ratio(adapted[deepest], reference[deepest], retain),
        }
        for i in self.target_layers:
            values[f"harmful_cosine_{i}"] = mean_cosine(adapted[i], reference[i], reroute)
        for name, value in values.items():
            self._step_means[name].append(value)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the monitors' means since the last record to what `Trainer` logs, and keep them for `training.json`."""
        # "train_runtime" comes once, at the end: the steps after the last full interval must not be lost.
        if self._step_means and ("loss" in logs or "train_runtime" in logs):
            means = {name: sum(values) / len(values) for name, values in self._step_means.items()}
            self._step_means.clear()
            by_layer = {str(i): means.pop(f"harmful_cosine_{i}") for i in self.target_layers}
            record = StepRecord(
                step=self.state.global_step,
                harmful_cosine=sum(by_layer.values()) / len(by_layer),
                harmful_cosine_by_layer=by_layer,
                **means,
            )
            self.records.append(record)
            logs = {**logs, **{k: round(v, 4) for k, v in record.as_dict().items() if isinstance(v, float)}}
            logs |= {f"harmful_cosine_{i}": round(v, 4) for i, v in by_layer.items()}
        super().log(logs, start_time)


def _dtype(args: CircuitBreakerConfig) -> torch.dtype:
    if args.model_dtype != "auto":
        dtype = getattr(torch, args.model_dtype, None)
        if not isinstance(dtype, torch.dtype):
            raise DataError(f"model_dtype '{args.model_dtype}' is no dtype of torch; try bfloat16 or float32")
        return dtype
    return torch.bfloat16 if args.bf16 else torch.float32


def _lora(args: CircuitBreakerConfig, deepest: int) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=args.lora_r,
        lora_alpha=args.lora_alpha,
        lora_dropout=args.lora_dropout,
        target_modules=list(args.lora_target_modules),
        layers_to_transform=list(range(deepest + 1)),
    )


def _leave_stationary_start(model: PeftModel, std: float, seed: int) -> None:
    """Give LoRA's B small random values: at B = 0 the gradient of both losses is exactly zero."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32) * std
            parameter.data.copy_(noise.to(parameter))
