"""Run again what is missing: a new run that reuses the finished items of an old one.

Terminal is terminal, so a retry never reopens a run. The reused items are
events of the new log, marked as reused, and the job skips their keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilothouse import ids
from pilothouse.contracts import Item, ItemQuery, ItemState, NewRun
from pilothouse.engine.engine import Engine
from pilothouse.errors import InvalidControl
from pilothouse.model import event as e
from pilothouse.model.run import Run

Only = Literal["failed", "remaining", "all"]
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a retry would do: items kept, failed items repeated, items left that never ran (None: unknown)."""

    kept: int
    repeated: int
    left: int | None


async def preview(engine: Engine, run: Run, only: Only) -> Preview:
    """Count what a retry would keep and do."""
    good = (await engine.store.items(run.id, ItemQuery(limit=1, states=("done",)))).total
    bad = (await engine.store.items(run.id, ItemQuery(limit=1, states=("failed",)))).total
    left = None if run.progress.total is None else max(0, run.progress.total - good - bad)
    if only == "all":
        return Preview(0, bad, None if left is None else good + left)
    if only == "failed":
        return Preview(good, bad, left)
    return Preview(good + bad, 0, left)


async def retry(engine: Engine, run: Run, only: Only, actor: str, name: str | None = None) -> Run:
    """Make a new run with the params of `run`, reusing its finished items.

    Args:
        engine: The engine.
        run: An ended run.
        only: `failed` reuses the good items, `remaining` all finished ones, `all` none.
        actor: Who asks.
        name: Name of the new run; the old one's by default.

    Raises:
        InvalidControl: The run has not ended.
        InvalidParams: The kind no longer takes these params.
    """
    if not run.status.is_terminal:
        raise InvalidControl(
            f"Run {run.name} has not ended; only an ended run can be retried.",
            hint="Cancel it first, or wait.",
            status=run.status,
            allowed=["cancel"],
        )
    states: dict[Only, tuple[ItemState, ...]] = {
        "all": (),
        "failed": ("done",),
        "remaining": ("done", "failed"),
    }
    new = NewRun(
        id=ids.new_run_id(engine.kind(run.kind).prefix),
        kind=run.kind,
        name=name or run.name,
        owner=actor,
        params=engine.validate(run.kind, run.params),
        tags=run.tags,
        priority=run.priority,
        retry_of=run.id,
        reused=await _reused(engine, run.id, states[only]),
    )
    created, _ = await engine.submit(new)
    return created


async def _reused(engine: Engine, run_id: str, states: tuple[ItemState, ...]) -> tuple[e.ItemFinished, ...]:
    """The finished items of these states as events, oldest first."""
    items: list[Item] = []
    before: int | None = None
    while states:
        page = await engine.store.items(run_id, ItemQuery(limit=_PAGE, before=before, states=states))
        items += page.items
        before = page.before
        if before is None:
            break
    return tuple(_finished(item) for item in reversed(items))


def _finished(item: Item) -> e.ItemFinished:
    return e.ItemFinished(
        key=item.key,
        ok=item.state == "done",
        seconds=item.seconds or 0.0,
        error=item.error,
        data=item.data,
        reused=True,
    )
