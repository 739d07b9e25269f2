"""A network whose weights are the moving average of another one's: what it makes is steadier.

Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN Training" (ICLR 2019).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

DECAY = 0.99
WARM_UP = 10


class Average:
    """The moving average of a network, batch statistics included.

    Args:
        network: Whose average; the weights at hand are the first ones.

    Attributes:
        network: The average itself, for use and never for training.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._steps = 0

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Take one step towards the weights as they are now; the first steps are larger."""
        self._steps += 1
        share = 1 - min(DECAY, (1 + self._steps) / (WARM_UP + self._steps))
        for kept, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.lerp_(now, share)
            else:
                kept.copy_(now)

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs."""
        return {"steps": self._steps, "network": self.network.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a state."""
        self._steps = state["steps"]
        self.network.load_state_dict(state["network"])
