"""A learner's state as a file, written whole or not at all.

Tensors, numbers and texts only: reading one runs no code of it. torch is imported
at first use, so that a plan is on screen before that takes its seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """A state as it was after an epoch, with that epoch's losses."""

    epoch: int
    state: dict[str, Any]
    losses: dict[str, float]


class Checkpoint:
    """The newest state of one attempt.

    Args:
        path: Its file; its folder is made when needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, epoch: int, state: Mapping[str, Any], losses: Mapping[str, float]) -> None:
        """Keep the state after an epoch.

        Raises:
            OSError: It cannot be written.
        """
        import torch

        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            torch.save({"epoch": epoch, "state": dict(state), "losses": dict(losses)}, part)
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

    def load(self) -> Kept | None:
        """The last state; None when there is no file, or none that can be read."""
        import torch

        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
            return Kept(int(found["epoch"]), found["state"], found["losses"])
        except Exception:  # whatever is wrong with the file, it is of no use
            return None
