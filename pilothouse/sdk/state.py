"""What the server said last of a run: its status, and what is asked of its job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TERMINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class State:
    """The state of a run, as its job must know it."""

    status: str = "running"
    pending: str | None = None
    strength: str | None = None

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> State:
        """The state that a run's snapshot tells."""
        request = run["request"] or {}
        return cls(run["status"], run["pending"], request.get("strength") or run["strength"])

    @property
    def is_quiet(self) -> bool:
        """True when the job may go on."""
        return self.status == "running" and self.pending is None

    @property
    def is_terminal(self) -> bool:
        """True when the run has ended."""
        return self.status in TERMINAL

    @property
    def is_left(self) -> bool:
        """True when the attempt is over: the run has ended, or waits for another attempt."""
        return self.is_terminal or self.status == "queued"
