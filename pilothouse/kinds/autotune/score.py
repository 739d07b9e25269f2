"""From what was measured to a score, which is a time in milliseconds: low is good.

Latency, first token and further tokens are times already. Throughput and goodput
become the time for one token, or one good answer: `1000 / rate`. A broken promise
multiplies the score by `1 + Σ weight · exp(violation / 0.1)`, where `violation` is
the share by which the limit is missed. Beyond 0.3 the exponential goes on as the
straight line that touches it: what is missed by five times the limit is worse than
what is missed by four, and both can still be drawn. Promises that are kept add nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilothouse.kinds.autotune.parts import AT_LEAST, Slo

STEEPNESS = 0.1
STRAIGHT_FROM = 0.3
RATES = {"throughput": "tokens_per_second", "goodput": "goodput"}


def measured_as(objective: str, percentile: int) -> str:
    """The name of the number that an objective looks at."""
    return RATES.get(objective, f"{objective}_p{percentile}_ms")


def time_of(objective: str, percentile: int, numbers: Mapping[str, float | None]) -> float | None:
    """An objective as milliseconds, without promises; None when its number is not known, or a rate is 0."""
    value = numbers.get(measured_as(objective, percentile))
    if value is None or objective not in RATES:
        return value
    return 1000 / value if value else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the promises say of a measurement.

    Attributes:
        factor: By how much the score gets worse; 1 when all are kept.
        broken: Each broken promise in words.
        is_out: A limit is missed by more than its `hard_fail`.
    """

    factor: float = 1.0
    broken: tuple[str, ...] = ()
    is_out: bool = False


def violation(slo: Slo, value: float) -> float:
    """The share by which a limit is missed; 0 when it is kept."""
    missed = slo.limit - value if slo.metric in AT_LEAST else value - slo.limit
    return max(0.0, missed / slo.limit)


def judge(slos: Sequence[Slo], numbers: Mapping[str, float | None]) -> Verdict:
    """Compare a measurement with the promises. A number that is not known breaks none."""
    penalty, broken, is_out = 0.0, [], False
    for slo in slos:
        value = numbers.get(slo.metric)
        share = 0.0 if value is None else violation(slo, value)
        if value is None or not share:
            continue
        penalty += slo.weight * _penalty(share)
        broken.append(f"{slo.metric} {in_digits(value)}, limit {slo.limit:g}")
        is_out = is_out or (slo.hard_fail is not None and share > slo.hard_fail)
    return Verdict(1.0 + penalty, tuple(broken), is_out)


def _penalty(share: float) -> float:
    bent = min(share, STRAIGHT_FROM)
    return math.exp(bent / STEEPNESS) * (1 + (share - bent) / STEEPNESS)


def scores(
    objectives: Sequence[str], percentile: int, numbers: Mapping[str, float | None], factor: float
) -> list[float] | None:
    """The score of each objective; None when one of them has none."""
    times = [time_of(objective, percentile, numbers) for objective in objectives]
    known = [time * factor for time in times if time is not None]
    return known if len(known) == len(times) else None


def in_digits(value: float) -> str:
    """Four digits, and no exponent where there are more before the point: 78,460."""
    return f"{float(f'{value:.4g}'):,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def is_dominated(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `other` is at least as good in everything and better in something."""
    pairs = list(zip(one, other, strict=True))
    return all(b <= a for a, b in pairs) and any(b < a for a, b in pairs)
