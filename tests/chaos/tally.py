"""The row of one proof: counts of what was done, and of what went wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.prober import Prober
from tests.chaos.verdict import Verdict

TABLE = "Chaos: what was done, and what came of it"


@dataclass(slots=True)
class Tally:
    """Sums verdicts over the runs of a proof."""

    proof: str
    runs: int = 0
    kills: int = 0
    events: int = 0
    executed: int = 0
    repeated: int = 0
    lost: int = 0
    doubled: int = 0
    survivors: int = 0
    lie_seconds: float = 0.0
    worst: str = ""
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, found: Verdict) -> None:
        """One more run that has ended."""
        self.runs += 1
        self.events += found.events
        self.executed += found.executed
        self.repeated += found.repeated
        self.lost += found.lost
        self.doubled += found.doubled
        self.survivors += found.survivors
        self.problems += found.problems

    def heed(self, prober: Prober) -> None:
        """What the prober saw meanwhile."""
        if prober.lie_seconds > self.lie_seconds:
            self.lie_seconds, self.worst = prober.lie_seconds, prober.lie

    def row(self, did: str) -> dict[str, Any]:
        """The row, with what was done in words."""
        return {
            "proof": self.proof,
            "did": did,
            "runs": self.runs,
            "kills": self.kills,
            "events": self.events,
            "executed": self.executed,
            "repeated": self.repeated,
            "lost": self.lost,
            "doubled": self.doubled,
            "survivors": self.survivors,
            "lie": f"{self.lie_seconds:.1f} s",
            "seconds": round(time.monotonic() - self.began),
            "verdict": "; ".join(self.problems[:3]) or "ok",
        }
