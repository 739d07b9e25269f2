"""The samples so far, as the numbers that the panels show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


class Tally:
    """Counts finished samples."""

    def __init__(self) -> None:
        self._verdicts: Counter[str] = Counter()
        self._replies = 0
        self._unfit = 0
        self._tokens_in = 0
        self._tokens_out = 0
        self._cost: float | None = None

    def add(self, data: Mapping[str, Any]) -> None:
        """Count one finished sample by its columns."""
        self._verdicts[str(data.get("verdict") or "failed")] += 1
        self._replies += data.get("replies") or 0
        self._unfit += data.get("unfit") or 0
        self._tokens_in += data.get("tokens_in") or 0
        self._tokens_out += data.get("tokens_out") or 0
        if data.get("cost") is not None:
            self._cost = self.spent + data["cost"]

    @property
    def count(self) -> int:
        """Finished samples, kept or not."""
        return self._verdicts.total()

    @property
    def kept(self) -> int:
        """Kept samples."""
        return self._verdicts["kept"]

    @property
    def spent(self) -> float:
        """Dollars, as far as prices are known."""
        return self._cost or 0.0

    def metrics(self, target: int | None, seconds: float) -> dict[str, float | None]:
        """The metrics of the declaration.

        Args:
            target: Samples to keep, None without one.
            seconds: Time of work.
        """
        tokens = self._tokens_in + self._tokens_out
        at_end = self._cost / self.kept * target if target and self.kept and self._cost is not None else None
        return {
            "kept": self.kept,
            "rejected": self._verdicts["rejected"],
            "duplicates": self._verdicts["duplicate"],
            "failed": self._verdicts["failed"],
            "valid": 1 - self._unfit / self._replies if self._replies else None,
            "tokens": tokens,
            "tokens_in": self._tokens_in,
            "tokens_out": self._tokens_out,
            "tokens_per_sample": tokens / self.kept if self.kept else None,
            "tokens_per_second": self._tokens_out / seconds if seconds else None,
            "cost": self._cost,
            "cost_at_end": at_end,
        }
