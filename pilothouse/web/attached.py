"""Runs that a script makes for itself, where no host started it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import Field

from pilothouse.engine.attach import attach
from pilothouse.engine.retry import renewed
from pilothouse.web.context import Actor, Ctx
from pilothouse.web.link import assigned
from pilothouse.web.runs import Body, Name, Tags, answer, check_size

router = APIRouter(prefix="/api")


class AttachBody(Body):
    """What the calling process executes.

    `process` names it, uniquely while it lives. `reuse` is an ended run whose good items count as done.
    """

    process: str = Field(min_length=1, max_length=200)
    kind: str = "script"
    name: Name | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    reuse: str | None = None


@router.post("/attached", status_code=201)
async def attach_process(
    body: AttachBody,
    context: Ctx,
    actor: Actor,
    idempotency_key: Annotated[str, Header(max_length=200)],
) -> Response:
    """Make a run that the caller executes, begin its first attempt, and answer all that this needs.

    A repeated `Idempotency-Key` answers the run it made.
    """
    check_size(body.params)
    engine = context.engine
    if body.reuse is None:
        new = engine.new_run(body.kind, body.params, name=body.name, owner=actor)
    else:
        earlier = await context.store.resolve(body.reuse)
        new = await renewed(engine, earlier, "failed", actor, name=body.name, changes=body.params)
    tags = tuple(body.tags) or new.tags
    new = replace(new, process=body.process, idempotency_key=idempotency_key, tags=tags)
    return answer(await assigned(context, await attach(engine, new)), 201)
