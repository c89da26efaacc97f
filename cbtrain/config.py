"""Everything that decides what a training run does, on top of `transformers.TrainingArguments`."""

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import TrainingArguments

from cbtrain.schedule import Schedule


@dataclass
class CircuitBreakerConfig(TrainingArguments):  # type: ignore[misc]  # transformers ships no types
    """Configuration of [`cbtrain.trainer.CircuitBreakerTrainer`]; fields not listed here are `TrainingArguments`'.

    Defaults that differ from `TrainingArguments`: `max_steps` 80, `per_device_train_batch_size` 6 pairs,
    `learning_rate` 1e-3 with cosine decay, no weight decay, gradient clipping 1.0, `logging_steps` 5, no checkpoints.
    """

    max_steps: int = 80
    """Optimizer steps T; the loss schedule runs over exactly these."""

    per_device_train_batch_size: int = 6
    """Pairs a micro-batch: one harmful and one retain conversation each."""

    learning_rate: float = 1e-3
    lr_scheduler_type: str = "cosine"
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    logging_steps: float = 5
    save_strategy: str = "no"
    report_to: None | str | list[str] = "none"  # noqa: RUF036  # the order HfArgumentParser can read
    remove_unused_columns: bool = False

    alpha: float = 10.0
    """Weight of both losses together (paper: 10 for Llama-3-8B, 5 for Mistral-7B)."""

    schedule: Schedule = "constant"
    """How rerouting hands over to retaining: `linear` (paper), `cosine`, or `constant` halves. The paper starts with
    rerouting alone, which its loss needs; it also wrecks the benign states first and mends them later."""

    target_layers: list[int] | None = None
    """0-based decoder layers whose outputs are rerouted; None: by depth, see `cbtrain.layers`."""

    angular_rerouting: bool = True
    """Reroute by angle instead of by cosine, see `cbtrain.losses.rerouting_loss`; False is the paper's loss."""

    retain_weight: float = 10.0
    """Factor on the retain loss. 10 balances the relative loss against a cosine; the paper's absolute loss uses 1."""

    relative_retain: bool = True
    """Divide the retain loss by the reference's typical norm; False is the paper's absolute loss."""

    retain_smoothing: float = 0.1
    """Difference below which the retain loss is quadratic, see `cbtrain.losses.retain_loss`; 0 is the paper's loss."""

    lora_r: int = 16
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    """The paper uses 0.05; dropout in the adapted pass alone is noise in the retain loss of a short run."""

    lora_target_modules: list[str] = field(
        default_factory=lambda: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )

    lora_b_std: float = 1e-2
    """Standard deviation of LoRA's B at the start. At B = 0 both losses are stationary and nothing ever moves."""

    max_length: int = 192
    """Tokens a conversation is cut to, template included."""

    no_effect_cosine: float = 0.9
    """A run whose harmful cosine at the deepest target ends above this is reported as `no_effect`."""

    model_dtype: str = "auto"
    """Dtype the frozen base is loaded in: a name of torch's, or `auto`: bfloat16 with `bf16`, else float32."""

    def __post_init__(self) -> None:
        """Train on the CPU where there is nothing better; `TrainingArguments` refuses bfloat16 there unless told so."""
        if not torch.cuda.is_available() and not torch.backends.mps.is_available():
            self.use_cpu = True
        super().__post_init__()

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, without tokens or machine paths that do not change the result."""
        values: dict[str, Any] = super().to_dict()
        for name in (
            "hub_token",
            "push_to_hub_token",
            "output_dir",
            "logging_dir",
            "run_name",
            "resume_from_checkpoint",
        ):
            values.pop(name, None)
        return values
