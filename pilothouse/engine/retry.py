"""Run again what is missing: a new run that reuses the finished items of an old one.

Terminal is terminal, so a retry never reopens a run. The reused items are
events of the new log, marked as reused, and the job skips their keys.
"""

from __future__ import annotations

from typing import Any

from pilothouse import ids
from pilothouse.contracts import NewRun
from pilothouse.engine.engine import Engine
from pilothouse.engine.preview import Only, last_item
from pilothouse.errors import InvalidControl
from pilothouse.model.run import Run
from pilothouse.questions import ItemState, Reuse

_REUSED: dict[Only, tuple[ItemState, ...]] = {"all": (), "failed": ("done",), "remaining": ("done", "failed")}


async def renewed(
    engine: Engine,
    run: Run,
    only: Only,
    actor: str,
    *,
    name: str | None = None,
    changes: dict[str, Any] | None = None,
    until: str | None = None,
) -> NewRun:
    """What to submit in order to do again what is missing of `run`.

    Args:
        engine: The engine.
        run: An ended run.
        only: `failed` reuses the good items, `remaining` all finished ones, `all` none.
        actor: Who asks.
        name: Name of the new run; the old one's by default.
        changes: Params that differ from the old run's.
        until: Key of the last item that is reused, or the unit it ended at; of a kind with `ends_at`.

    Raises:
        Invalid: No finished item is called so.
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
    last = await last_item(engine, run, until) if until is not None else None
    states = _REUSED[only] if last is None else ("done",)
    return NewRun(
        id=ids.new_run_id(engine.kind(run.kind).prefix),
        kind=run.kind,
        name=name or run.name,
        owner=actor,
        params=engine.validate(run.kind, run.params | (changes or {})),
        tags=run.tags,
        priority=run.priority,
        retry_of=run.id,
        reuse=Reuse(run.id, states, last.seq if last else None) if states else None,
    )
