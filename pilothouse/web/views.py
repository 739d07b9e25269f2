"""The read models of a log: items, metrics, who did what, who watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from pilothouse.contracts import Frame
from pilothouse.engine.judgement import judge, judgements
from pilothouse.errors import Invalid
from pilothouse.model.aside import Verdict
from pilothouse.model.downsample import Point, downsample
from pilothouse.questions import ItemQuery, ItemState
from pilothouse.web.context import Actor, Ctx, TheRun
from pilothouse.web.runs import Before, Body, answer

router = APIRouter(prefix="/api")
HELD_POINTS = 40_000  # of a series, while its log is read; twenty times what is drawn
_PAGE = 5_000
_AUDIT = (
    "run.queued", "run.started", "run.paused", "run.resumed", "run.completed", "run.failed",
    "run.cancelled", "run.interrupted", "run.edited", "control.requested", "control.withdrawn",
    "params.changed", "item.judged",
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
    judged = await judgements(context.engine, run.id)
    items = [asdict(item) | {"judged": judged.get(item.key)} for item in page.items]
    return answer({"items": items, "total": page.total, "head": page.head, "before": page.before})


class JudgementBody(Body):
    """What to say of which items; null takes it back."""

    keys: list[str] = Field(min_length=1)
    verdict: Verdict | None


@router.post("/runs/{run}/judgements")
async def judge_items(body: JudgementBody, run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Keep, drop or flag finished items by hand; the last word counts. Also after the run's end."""
    seq = await judge(context.engine, run.id, body.keys, body.verdict, actor)
    return answer({"keys": body.keys, "verdict": body.verdict, "by": actor, "seq": seq})


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
        await asyncio.to_thread(_gather, frames, wanted, series)
        after = frames[-1].seq
    thinned = await asyncio.to_thread(_thin, series, points)
    return answer({"series": thinned, "head": max(run.head, after)})


def _gather(frames: Sequence[Frame], wanted: Set[str] | None, series: dict[str, list[Point]]) -> None:
    """Add the points of a page to their series; a long one is thinned at once, so that memory stays flat."""
    for frame in frames:
        data = json.loads(frame.data)["data"]
        for name, value in data["values"].items():
            if wanted is None or name in wanted:
                series.setdefault(name, []).append((data["step"], value))
    long = {name: line for name, line in series.items() if len(line) > HELD_POINTS}
    series |= _thin(long, HELD_POINTS // 2)


def _thin(series: Mapping[str, list[Point]], points: int) -> dict[str, list[Point]]:
    return {name: downsample(sorted(line, key=lambda p: p[0]), points) for name, line in series.items()}


@router.get("/runs/{run}/audit")
async def audit(run: TheRun, context: Ctx) -> Response:
    """Who did what, oldest first; the last 5,000 events of this sort."""
    frames = await context.store.read(run.id, 0, _PAGE, _AUDIT, newest=True)
    return Response(b'{"events":[%b]}' % b",".join(f.data for f in frames), media_type="application/json")


@router.get("/runs/{run}/watchers")
async def watchers(run: TheRun, context: Ctx) -> Response:
    """How many follow this run on this server."""
    return answer({"watchers": context.tails.watchers(run.id)})
