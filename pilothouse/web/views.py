"""The read models of a log: items, metrics, who did what, who watches."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from pilothouse.contracts import ItemQuery, ItemState
from pilothouse.errors import Invalid
from pilothouse.model.downsample import Point, downsample
from pilothouse.web.context import Ctx, TheRun
from pilothouse.web.runs import Before, answer

router = APIRouter(prefix="/api")
_PAGE = 5_000
_AUDIT = (
    "run.queued", "run.started", "run.paused", "run.resumed", "run.completed", "run.failed",
    "run.cancelled", "run.interrupted", "run.edited", "control.requested", "control.withdrawn",
    "params.changed",
)  # fmt: skip


@router.get("/runs/{run}/items")
async def list_items(
    run: TheRun,
    context: Ctx,
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    before: Before = None,
    state: Annotated[list[ItemState] | None, Query()] = None,
    q: str | None = None,
    where: str | None = None,
) -> Response:
    """Items newest first; `where` is a JSON object of item fields that must be equal."""
    query = ItemQuery(limit, before, tuple(state or ()), parse_where(where), q)
    page = await context.store.items(run.id, query)
    items = [asdict(item) for item in page.items]
    return answer({"items": items, "total": page.total, "head": page.head, "before": page.before})


def parse_where(text: str | None) -> dict[str, Any]:
    """A flat JSON object of scalars.

    Raises:
        Invalid: Anything else.
    """
    if not text:
        return {}
    try:
        where = json.loads(text)
    except (ValueError, RecursionError):
        where = None
    if not isinstance(where, dict) or any(isinstance(value, dict | list) for value in where.values()):
        raise Invalid('where: must be a JSON object such as {"model": "a"}', field="where")
    return where


@router.get("/runs/{run}/metrics")
async def list_metrics(
    run: TheRun,
    context: Ctx,
    names: str | None = None,
    points: Annotated[int, Query(ge=3, le=2000)] = 1000,
) -> Response:
    """The run's metrics as series of (step, value), thinned so that they look the same."""
    wanted = set(names.split(",")) if names else None
    series: dict[str, list[Point]] = {}
    after = 0
    while frames := await context.store.read(run.id, after, _PAGE, ("metric",)):
        for frame in frames:
            data = json.loads(frame.data)["data"]
            for name, value in data["values"].items():
                if wanted is None or name in wanted:
                    series.setdefault(name, []).append((data["step"], value))
        after = frames[-1].seq
    thinned = {name: downsample(sorted(line, key=lambda p: p[0]), points) for name, line in series.items()}
    return answer({"series": thinned, "head": max(run.head, after)})


@router.get("/runs/{run}/audit")
async def audit(run: TheRun, context: Ctx) -> Response:
    """Who did what, oldest first."""
    frames = await context.store.read(run.id, 0, _PAGE, _AUDIT)
    return Response(b'{"events":[%b]}' % b",".join(f.data for f in frames), media_type="application/json")


@router.get("/runs/{run}/watchers")
async def watchers(run: TheRun, context: Ctx) -> Response:
    """How many follow this run on this server."""
    return answer({"watchers": context.tails.watchers(run.id)})
