"""What a resume or a retry would do: items kept, repeated and left, and what that will take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pilothouse import clock
from pilothouse.engine.engine import Engine
from pilothouse.errors import Invalid
from pilothouse.model.fold import active_seconds
from pilothouse.model.progress import MIN_ITEMS, MIN_SECONDS
from pilothouse.model.run import Run, Status
from pilothouse.questions import Item, ItemQuery, ItemState

_PAGE = 1000
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
        total: Units in all, where `kept`, `repeated` and `left` count units, since the items of the
            kind are stretches of them: it continues at unit `kept + 1` of these. Else None.
    """

    kept: int
    repeated: int
    left: int | None
    seconds: float | None = None
    cost: float | None = None
    total: int | None = None


async def of_resume(engine: Engine, run: Run) -> Preview:
    """What goes on when the run is resumed, or taken up again after a crash."""
    if ends_at := _ends_at(engine, run):
        preview = await _behind(engine, run, ends_at, run.progress.done)
        if (
            run.status is Status.PAUSED
        ):  # a pause keeps all, and a job without stretches has no item to show for it
            return _in_units(engine, run, preview.kept + preview.repeated, 0)
        return preview
    done, failed, begun = [await _count(engine, run, state) for state in ("done", "failed", "in_flight")]
    kept = max(done + failed, run.progress.done)  # a job may count units smaller than its items
    left = None if run.progress.total is None else max(0, run.progress.total - kept - begun)
    return _forecast(engine, run, kept, begun, left)


async def of_retry(engine: Engine, run: Run, only: Only, until: str | None = None) -> Preview:
    """What a retry would keep and do; with `until`, of the items up to this one.

    Raises:
        Invalid: No finished item is called so, or the items do not follow each other.
    """
    ends_at = _ends_at(engine, run)
    if until is not None:
        end = place_of(await last_item(engine, run, until), ends_at)
        return _in_units(engine, run, end, end)
    if ends_at:
        return _in_units(engine, run, 0, 0) if only == "all" else await _behind(engine, run, ends_at, 0)
    good, bad = [await _count(engine, run, state) for state in ("done", "failed")]
    left = None if run.progress.total is None else max(0, run.progress.total - good - bad)
    if only == "all":
        return _forecast(engine, run, 0, bad, None if left is None else good + left)
    if only == "failed":
        return _forecast(engine, run, good, bad, left)
    return _forecast(engine, run, good + bad, 0, left)


async def last_item(engine: Engine, run: Run, until: str) -> Item:
    """The finished item of this key, or that ends at this unit.

    Raises:
        Invalid: There is none, or the items of the kind do not follow each other.
    """
    ends_at = _ends_at(engine, run)
    if ends_at is None:
        hint = "Leave `from` out; `only` says which items are done again."
        raise Invalid(f"from: a {run.kind} run has no order to go on in", field="from", hint=hint)
    before: int | None = None
    while True:
        page = await engine.store.items(run.id, ItemQuery(limit=_PAGE, before=before, states=("done",)))
        for item in page.items:
            if until in (item.key, str(item.data.get(ends_at))):
                return item
        if (before := page.before) is None:
            hint = f"Name one by its key or its {ends_at}; GET /api/runs/{run.id}/items lists them."
            raise Invalid(
                f"from: run {run.name} has finished no item {until[:80]!r}", field="from", hint=hint
            )


def place_of(item: Item | None, ends_at: str | None) -> int:
    """The unit at which an item ended; 0 for none."""
    place = item.data.get(ends_at or "") if item else None
    return place if isinstance(place, int) else 0


def _ends_at(engine: Engine, run: Run) -> str | None:
    kind = engine.kinds.get(run.kind)
    return kind.ends_at if kind else None


async def _behind(engine: Engine, run: Run, ends_at: str, reached: int) -> Preview:
    """It goes on behind the last finished item; what was reached beyond that is done again."""
    page = await engine.store.items(run.id, ItemQuery(limit=1, states=("done",)))
    end = place_of(page.items[0] if page.items else None, ends_at)
    return _in_units(engine, run, end, reached)


def _in_units(engine: Engine, run: Run, end: int, reached: int) -> Preview:
    total, again = run.progress.total, max(0, reached - end)
    left = None if total is None else max(0, total - end - again)
    return replace(_forecast(engine, run, end, again, left), total=total)


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
