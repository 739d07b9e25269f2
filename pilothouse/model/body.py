"""What all bodies of events have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from pilothouse.clock import is_time


class Body(BaseModel):
    """Base of all bodies: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str


def check_time(time: str | None) -> str | None:
    """Refuse what is no time: whoever waits for it looks much later, and at the pauses of all runs."""
    if time is not None and not is_time(time):
        raise ValueError("must be a time with its offset, such as 2026-01-31T18:00:00Z")
    return time
