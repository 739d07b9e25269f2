"""Facts beside a run's own life: they change nothing of its state, and may come after its end."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pilothouse.model.body import Body

Delivery = Literal["sending", "sent", "failed"]
Verdict = Literal["keep", "drop", "flag"]


class RunNotified(Body):
    """Somebody elsewhere is told how the run ended; comes after the end, twice or more for each channel.

    `round`: which try; each is claimed (`sending`) before it is made. `by`: the server that makes it.
    """

    type: Literal["run.notified"] = "run.notified"
    channel: str
    address: str
    state: Delivery
    round: int = Field(ge=1)
    by: str
    detail: str | None = None


class ItemJudged(Body):
    """A person says of a finished item: keep, drop or flag; None takes it back. The last word counts."""

    type: Literal["item.judged"] = "item.judged"
    key: str = Field(min_length=1, max_length=512)
    verdict: Verdict | None
    actor: str
