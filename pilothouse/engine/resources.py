"""What the machine of a host was busy with during the last hour, in memory.

A host tells its newest sample with every claim. One in ten seconds is kept, under
this server's clock. It is no truth about a run; `history.py` lets it outlive the server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT_SECONDS = 3_600.0
APART_SECONDS = 10.0
SLACK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a machine.

    Attributes:
        time: When the server heard of it, as events tell the time.
        seen: The same in monotonic seconds.
        values: `cpu_percent`, `memory_bytes`, and for each GPU `gpu0_percent`, `gpu0_memory_bytes` …
    """

    time: str
    seen: float
    values: Mapping[str, float]


@dataclass(slots=True)
class Resources:
    """The last hour of one host.

    Attributes:
        facts: What does not change: `cores`, `memory_bytes`, and the `gpus` with `index`, `name`, `memory_bytes`.
        samples: Oldest first.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    samples: deque[Sample] = field(default_factory=deque)

    def note(self, facts: Mapping[str, Any], sample: Sample) -> None:
        """Take a sample in; one that came too soon after its forerunner gives way."""
        self.facts = facts
        samples = self.samples
        if len(samples) > 1 and samples[-1].seen - samples[-2].seen < APART_SECONDS - SLACK_SECONDS:
            samples.pop()
        samples.append(sample)
        while sample.seen - samples[0].seen > KEPT_SECONDS:
            samples.popleft()
