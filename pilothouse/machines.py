"""What hosts' machines were busy with, minute by minute: a part of the store's contract.

It is no truth about a run. It outlives the server, and it is bounded: whoever
keeps new minutes says which old ones go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Minute:
    """What a host's machine was busy with during one minute.

    Attributes:
        host: Its name.
        minute: Minutes since 1970 in UTC.
        facts: What does not change: `cores`, `memory_bytes`, and the `gpus` with `index`, `name`, `memory_bytes`.
        values: The mean of each figure: `cpu_percent`, `memory_bytes`, and for each GPU `gpu0_percent` …
    """

    host: str
    minute: int
    facts: Mapping[str, Any]
    values: Mapping[str, float]


class Machines(Protocol):
    """Keeps minutes. Raises `Unavailable` as every call of a store does."""

    async def keep_minutes(self, minutes: Sequence[Minute], before: int) -> None:
        """Keep minutes in place of those of the same host and time, and forget all older than `before`."""

    async def minutes(self, host: str, since: int) -> Sequence[Minute]:
        """The kept minutes of a host from `since` on, oldest first."""

    async def last_minutes(self) -> Sequence[Minute]:
        """The newest minute of every host, by name."""
