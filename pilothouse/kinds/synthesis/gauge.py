"""The four gauges of an attempt, their limits, and which attempt is the best. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.kinds.synthesis.params import Params

Verdict = Literal["pass", "warn", "fail"]
GAUGES = ("ks_mean", "corr_delta", "mia_auc", "dup_rate")
TITLES = {
    "ks_mean": "KS mean",
    "corr_delta": "correlation delta",
    "mia_auc": "MIA AUC",
    "dup_rate": "duplicate rate",
}
_RANK: dict[Verdict, int] = {"pass": 0, "warn": 1, "fail": 2}


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number with its limits; `value` is None where there is nothing to measure."""

    name: str
    value: float | None
    limit: float
    warn: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Pass up to the limit, warn up to where the warning ends, else fail."""
        if self.value is None or self.value <= self.limit:
            return "pass"
        return "warn" if self.warn is not None and self.value <= self.warn else "fail"

    @property
    def text(self) -> str:
        """Such as `KS mean 0.081 (pass)`."""
        if self.value is None:
            return f"{TITLES[self.name]} not measurable"
        number = f"{100 * self.value:.1f} %" if self.name == "dup_rate" else f"{self.value:.3f}"
        return f"{TITLES[self.name]} {number} ({self.verdict})"


def gauges(values: Mapping[str, Any], params: Params) -> list[Gauge]:
    """The numbers with the limits that the params give."""
    return [
        Gauge(
            name,
            values.get(name),
            getattr(params, f"{name}_limit"),
            getattr(params, f"{name}_warn", None),
        )
        for name in GAUGES
    ]


def verdict(found: list[Gauge]) -> Verdict:
    """The worst of them."""
    return max((gauge.verdict for gauge in found), key=_RANK.__getitem__)


def badness(found: list[Gauge]) -> tuple[int, float]:
    """What attempts are ranked by, the lowest first: red gauges, then how far all are from their limits."""
    red = sum(gauge.verdict == "fail" for gauge in found)
    return red, sum((gauge.value or 0.0) / max(gauge.limit, 0.01) for gauge in found)
