"""What one experiment measured: requests, levels, and the numbers made of them.

All times are taken where the request is sent, with a clock that never goes back.
Quantiles interpolate linearly between the two nearest requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.kinds.autotune.parts import Slo

PERCENTILES = (50, 95, 99)
_PER_REQUEST = ("latency", "ttft", "tpot")


@dataclass(frozen=True, slots=True)
class Sample:
    """One request under load.

    Attributes:
        began: When it was sent, in seconds of a monotonic clock.
        seconds: Until the answer was complete, or the error was known.
        ttft: Seconds until the first token; None without one.
        tokens: Of the answer.
        is_estimated: The server did not count the tokens, so its chunks were.
        error: What went wrong; None: nothing.
    """

    began: float
    seconds: float
    ttft: float | None = None
    tokens: int = 0
    is_estimated: bool = False
    error: str | None = None

    @property
    def tpot(self) -> float | None:
        """Seconds for each token after the first; None with fewer than two."""
        if self.ttft is None or self.tokens < 2:
            return None
        return (self.seconds - self.ttft) / (self.tokens - 1)

    def milliseconds(self, what: str) -> float | None:
        """Its latency, ttft or tpot; None where it has none, or ended in an error."""
        if self.error is not None:
            return None
        seconds = {"latency": self.seconds, "ttft": self.ttft, "tpot": self.tpot}[what]
        return None if seconds is None else seconds * 1000


@dataclass(frozen=True, slots=True)
class Level:
    """The requests of one concurrency.

    Attributes:
        seconds: From the first request sent to the last answer.
    """

    concurrency: int
    samples: tuple[Sample, ...]
    seconds: float


def numbers(levels: Sequence[Level], slos: Sequence[Slo] = ()) -> dict[str, Any]:
    """The numbers of several levels, as if they were one load.

    `goodput` is the answers a second that keep all promises about a single request: an
    answer is good when its latency, ttft and tpot are within the limits named for them.
    """
    samples = [sample for level in levels for sample in level.samples]
    seconds = sum(level.seconds for level in levels)
    answered = [sample for sample in samples if sample.error is None]
    tokens = sum(sample.tokens for sample in answered)
    found: dict[str, Any] = {
        "requests": len(samples),
        "errors": len(samples) - len(answered),
        "error_rate": (len(samples) - len(answered)) / len(samples) if samples else None,
        "tokens": tokens,
        "tokens_estimated": any(sample.is_estimated for sample in answered),
        "tokens_per_second": tokens / seconds if seconds and answered else None,
        "requests_per_second": len(answered) / seconds if seconds and answered else None,
        "goodput": sum(_is_good(sample, slos) for sample in answered) / seconds
        if seconds and answered
        else None,
    }
    for what in _PER_REQUEST:
        times = sorted(time for sample in samples if (time := sample.milliseconds(what)) is not None)
        for percentile in PERCENTILES:
            found[f"{what}_p{percentile}_ms"] = quantile(times, percentile / 100)
    return found


def rounded(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same with four significant digits after the point: more is noise."""
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """A quantile of ordered values; None of none."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def common_errors(samples: Iterable[Sample], most: int = 2) -> str:
    """The errors in words, the frequent ones first."""
    counts: dict[str, int] = {}
    for sample in samples:
        if sample.error is not None:
            counts[sample.error] = counts.get(sample.error, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])[:most]
    return "; ".join(text if count == 1 else f"{count} × {text}" for text, count in ranked)


def _is_good(sample: Sample, slos: Sequence[Slo]) -> bool:
    for slo in slos:
        what, _, rest = slo.metric.partition("_")
        if what in _PER_REQUEST and rest:
            time = sample.milliseconds(what)
            if time is not None and time > slo.limit:
                return False
    return True
