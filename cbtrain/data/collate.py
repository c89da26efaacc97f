"""Batches of pairs: one retain and one harmful conversation each, right-padded into one tensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cbtrain.data.examples import Tokens


class PairDataset(Dataset[tuple[Tokens, Tokens]]):
    """Item i is (harmful[i], retain[i]), the shorter list dealt again from its start."""

    def __init__(self, harmful: Sequence[Tokens], retain: Sequence[Tokens]) -> None:
        self.harmful = harmful
        self.retain = retain

    def __len__(self) -> int:
        """The longer of the two lists: an epoch sees every conversation at least once."""
        return max(len(self.harmful), len(self.retain))

    def __getitem__(self, index: int) -> tuple[Tokens, Tokens]:
        """The pair at `index`."""
        return self.harmful[index % len(self.harmful)], self.retain[index % len(self.retain)]


@dataclass(frozen=True)
class PairCollator:
    """Pads pairs into `input_ids`, `attention_mask`, `reroute_mask`, `retain_mask`, each (2 x pairs, tokens)."""

    pad_token_id: int

    def __call__(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> dict[str, Tensor]:
        """Stack the harmful rows above the retain rows; a row has True in only one of the two loss masks."""
        rows = [harmful for harmful, _ in pairs] + [retain for _, retain in pairs]
        width = max(len(row.input_ids) for row in rows)
        input_ids = torch.full((len(rows), width), self.pad_token_id)
        attention_mask = torch.zeros((len(rows), width), dtype=torch.long)
        masks = {kind: torch.zeros((len(rows), width), dtype=torch.bool) for kind in ("harmful", "retain")}
        for i, row in enumerate(rows):
            n = len(row.input_ids)
            input_ids[i, :n] = torch.tensor(row.input_ids)
            attention_mask[i, :n] = 1
            masks[row.kind][i, :n] = torch.tensor(row.mask)
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "reroute_mask": masks["harmful"],
            "retain_mask": masks["retain"],
        }
