"""The controls: pause, resume, cancel, for one run or for a list of named ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import Field

from pilothouse import failpoint
from pilothouse.engine.control import Wish
from pilothouse.engine.engine import Answer
from pilothouse.engine.preview import of_resume
from pilothouse.errors import PilothouseError
from pilothouse.model.run import Control, Status, Strength
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.moment import moment
from pilothouse.web.runs import Body, answer

router = APIRouter(prefix="/api")

Reason = Annotated[str | None, Field(max_length=500)]


class PauseBody(Body):
    """How to pause: `hold` keeps the process waiting, `release` lets it save and exit.

    `until`: a time, or a duration such as `30m`, after which the run resumes by itself.
    """

    strength: Strength = Strength.HOLD
    until: str | float | None = None
    reason: Reason = None

    @property
    def moment(self) -> str | None:
        """When the pause is to end.

        Raises:
            Invalid: `until` is neither a time nor a duration.
        """
        return None if self.until is None else moment(self.until)


class ResumeBody(Body):
    """Why, if one likes."""

    reason: Reason = None


class CancelBody(Body):
    """`force` ends the process at once; the item in hand is lost."""

    force: bool = False
    reason: Reason = None


class ControlsBody(PauseBody):
    """One control for exactly these runs; an empty list is an error, never `all`.

    `versions`: by run id, the version that its caller has seen; a run that has moved on is left alone.
    """

    control: Control
    run_ids: list[Annotated[str, Field(max_length=512)]] = Field(min_length=1, max_length=1000)
    versions: dict[str, str] = Field(default_factory=dict)
    force: bool = False
    dry_run: bool = False


IfMatch = Annotated[str | None, Header(max_length=100)]


@router.post("/runs/{run}/pause")
async def pause(
    run: TheRun,
    context: Ctx,
    actor: Actor,
    body: PauseBody | None = None,
    dry_run: bool = False,
    if_match: IfMatch = None,
) -> Response:
    """Ask the run to pause after the item in hand."""
    body = body or PauseBody()
    wish = Wish(Control.PAUSE, actor, body.reason, body.strength, until=body.moment, version=seen(if_match))
    return await _ask(context, run.id, wish, dry_run=dry_run)


@router.post("/runs/{run}/resume")
async def resume(
    run: TheRun,
    context: Ctx,
    actor: Actor,
    body: ResumeBody | None = None,
    dry_run: bool = False,
    if_match: IfMatch = None,
) -> Response:
    """Let a paused run go on, or take back a pause that is not yet obeyed."""
    wish = Wish(Control.RESUME, actor, body.reason if body else None, version=seen(if_match))
    return await _ask(context, run.id, wish, dry_run=dry_run)


@router.post("/runs/{run}/cancel")
async def cancel(
    run: TheRun,
    context: Ctx,
    actor: Actor,
    body: CancelBody | None = None,
    dry_run: bool = False,
    if_match: IfMatch = None,
) -> Response:
    """End the run; what is finished is kept."""
    body = body or CancelBody()
    wish = Wish(Control.CANCEL, actor, body.reason, force=body.force, version=seen(if_match))
    return await _ask(context, run.id, wish, dry_run=dry_run)


@router.post("/controls")
async def control_many(body: ControlsBody, context: Ctx, actor: Actor) -> Response:
    """One answer for each run named."""
    wish = Wish(body.control, actor, body.reason, strength=body.strength, force=body.force, until=body.moment)
    answers = []
    for run_id in dict.fromkeys(body.run_ids):
        try:
            run = await context.store.resolve(run_id)
            own = replace(wish, version=body.versions.get(run_id))
            if body.dry_run:
                answers.append(await _foreseen(context, run.id, own))
            else:
                answers.append(answer_of(await context.engine.control(run.id, own)))
        except PilothouseError as error:
            answers.append({"run_id": run_id, "error": error.body()})
    return answer({"answers": answers})


@router.get("/stuck")
async def list_stuck(context: Ctx) -> Response:
    """Runs that are alive and do not move, and queued runs for which there is no host."""
    running = await context.engine.all_with((Status.RUNNING,))
    found = [context.watchdog.stuck(run) for run in running if run.stuck]
    queued = (
        await context.engine.all_with((Status.QUEUED,)) if not context.scheduler.hosts.is_staffed() else []
    )
    return answer(
        {
            "stuck": [
                {
                    "run": one.run.header(),
                    "seconds": round(one.seconds, 1),
                    "limit": one.limit,
                    "cause": one.cause,
                    "version": one.run.version,
                }
                for one in found
            ],
            "waiting": [
                {"run": run.header(), "cause": "waiting for a host: none is connected"}
                for run in queued
                if not run.attached
            ],
        }
    )


def seen(if_match: str | None) -> str | None:
    """The version that an `If-Match` header names; None without one, or for `*`."""
    version = (if_match or "").strip().removeprefix("W/").strip('"')
    return None if version in ("", "*") else version


async def _ask(context: Context, run_id: str, wish: Wish, *, dry_run: bool) -> Response:
    if dry_run:
        return answer(await _foreseen(context, run_id, wish))
    said = await context.engine.control(run_id, wish)
    failpoint.reach("web.control.answer")
    return answer(answer_of(said), 202 if said.accepted else 200)


async def _foreseen(context: Context, run_id: str, wish: Wish) -> dict[str, Any]:
    said, body = await context.engine.foresee(run_id, wish)
    preview = await of_resume(context.engine, said.run)
    return answer_of(said) | {"dry_run": True, "event": body.type if body else None, "preview": preview}


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
