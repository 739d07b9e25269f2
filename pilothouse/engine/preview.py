"""What a resume or a retry would do: items kept, repeated and left, and what that will take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilothouse import clock
from pilothouse.contracts import ItemQuery, ItemState
from pilothouse.engine.engine import Engine
from pilothouse.model.fold import active_seconds
from pilothouse.model.progress import MIN_ITEMS, MIN_SECONDS
from pilothouse.model.run import Run

Only = Literal["failed", "remaining", "all"]


@dataclass(frozen=True, slots=True)
class Preview:
    """A forecast.

    Attributes:
        kept: Finished items whose results stay.
        repeated: Items that were begun or had failed and are done again.
        left: Items that never ran; None: unknown.
        seconds: How long `repeated` and `left` will take, at the pace so far; None: unknown.
        cost: What they will cost, where the kind counts money; None: unknown.
    """

    kept: int
    repeated: int
    left: int | None
    seconds: float | None = None
    cost: float | None = None


async def of_resume(engine: Engine, run: Run) -> Preview:
    """What goes on when the run is resumed, or taken up again after a crash."""
    done, failed, begun = [await _count(engine, run, state) for state in ("done", "failed", "in_flight")]
    kept = done + failed
    left = None if run.progress.total is None else max(0, run.progress.total - kept - begun)
    return _forecast(engine, run, kept, begun, left)


async def of_retry(engine: Engine, run: Run, only: Only) -> Preview:
    """What a retry would keep and do."""
    good, bad = [await _count(engine, run, state) for state in ("done", "failed")]
    left = None if run.progress.total is None else max(0, run.progress.total - good - bad)
    if only == "all":
        return _forecast(engine, run, 0, bad, None if left is None else good + left)
    if only == "failed":
        return _forecast(engine, run, good, bad, left)
    return _forecast(engine, run, good + bad, 0, left)


async def _count(engine: Engine, run: Run, state: ItemState) -> int:
    return (await engine.store.items(run.id, ItemQuery(limit=1, states=(state,)))).total


def _forecast(engine: Engine, run: Run, kept: int, repeated: int, left: int | None) -> Preview:
    fresh = run.progress.done - run.progress.reused
    active = active_seconds(run, clock.now())
    if left is None or fresh < MIN_ITEMS or active < MIN_SECONDS:
        return Preview(kept, repeated, left)
    share = (repeated + left) / fresh
    spent = run.metrics.get(engine.cost_metric(run) or "")
    cost = round(spent * share, 6) if isinstance(spent, int | float) else None
    return Preview(kept, repeated, left, round(active * share, 1), cost)
