"""The controls: pause, resume, cancel, for one run or for a list of named ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from pilothouse import failpoint
from pilothouse.engine.control import Wish
from pilothouse.engine.engine import Answer
from pilothouse.errors import PilothouseError
from pilothouse.model.run import Control, Strength
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")

Reason = Annotated[str | None, Field(max_length=500)]


class PauseBody(Body):
    """How to pause: `hold` keeps the process waiting, `release` lets it save and exit."""

    strength: Strength = Strength.HOLD
    reason: Reason = None


class ResumeBody(Body):
    """Nothing to say yet."""

    reason: Reason = None


class CancelBody(Body):
    """`force` ends the process at once; the item in hand is lost."""

    force: bool = False
    reason: Reason = None


class ControlsBody(Body):
    """One control for exactly these runs; an empty list is an error, never `all`."""

    control: Control
    run_ids: list[str] = Field(min_length=1, max_length=1000)
    force: bool = False
    reason: Reason = None


@router.post("/runs/{run}/pause")
async def pause(run: TheRun, context: Ctx, actor: Actor, body: PauseBody | None = None) -> Response:
    """Ask the run to pause after the item in hand."""
    body = body or PauseBody()
    return await _ask(context, run.id, Wish(Control.PAUSE, actor, body.reason, body.strength))


@router.post("/runs/{run}/resume")
async def resume(run: TheRun, context: Ctx, actor: Actor, body: ResumeBody | None = None) -> Response:
    """Let a paused run go on, or take back a pause that is not yet obeyed."""
    return await _ask(context, run.id, Wish(Control.RESUME, actor, body.reason if body else None))


@router.post("/runs/{run}/cancel")
async def cancel(run: TheRun, context: Ctx, actor: Actor, body: CancelBody | None = None) -> Response:
    """End the run; what is finished is kept."""
    body = body or CancelBody()
    return await _ask(context, run.id, Wish(Control.CANCEL, actor, body.reason, force=body.force))


@router.post("/controls")
async def control_many(body: ControlsBody, context: Ctx, actor: Actor) -> Response:
    """One answer for each run named."""
    wish = Wish(body.control, actor, body.reason, force=body.force)
    answers = []
    for run_id in dict.fromkeys(body.run_ids):
        try:
            run = await context.store.resolve(run_id)
            answers.append(answer_of(await context.engine.control(run.id, wish)))
        except PilothouseError as error:
            answers.append({"run_id": run_id, "error": error.body()})
    return answer({"answers": answers})


async def _ask(context: Context, run_id: str, wish: Wish) -> Response:
    said = await context.engine.control(run_id, wish)
    failpoint.reach("web.control.answer")
    return answer(answer_of(said), 202 if said.accepted else 200)


def answer_of(said: Answer) -> dict[str, Any]:
    """What a control answers."""
    waits = said.run.request is not None and not said.run.request.force
    return {
        "run_id": said.run.id,
        "status": said.run.status,
        "pending": said.run.pending,
        "changed": said.changed,
        "event_seq": said.event_seq,
        "effective": "after_current_item" if waits else "immediately",
    }
