"""The runs: make, list, read, rename, retry, delete."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from pilothouse.contracts import NewRun
from pilothouse.engine.preview import Only, of_retry
from pilothouse.engine.retry import renewed
from pilothouse.errors import Invalid, TooLarge
from pilothouse.model.run import Status
from pilothouse.questions import RunQuery
from pilothouse.web.context import Actor, Ctx, TheRun

router = APIRouter(prefix="/api")
MAX_PARAMS = 256 * 1024

Before = Annotated[int | None, Query(ge=0, le=2**53)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str | None, Header(max_length=200, alias="Idempotency-Key")]
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=20)]


class Body(BaseModel):
    """Base of all request bodies: an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


class NewRunBody(Body):
    """What to run."""

    kind: str
    name: Name | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    priority: int = Field(default=0, ge=-100, le=100)


class EditBody(Body):
    """What to change of a run."""

    name: Name | None = None
    tags: Tags | None = None
    params: dict[str, Any] | None = None


class RetryBody(Body):
    """Which items to run again: the failed ones and those left, only those left, or all."""

    only: Only = "remaining"
    name: Name | None = None
    set: dict[str, Any] = Field(default_factory=dict, description="Params that differ from the old run's.")
    last: str | None = Field(
        default=None,
        alias="from",
        max_length=512,
        description="Go on behind this finished item, or unit, such as the step of a checkpoint.",
    )


def answer(content: Any, status: int = 200) -> Response:
    """JSON as the rest of the wire writes it: NaN and Infinity by name."""
    return Response(to_json(content, inf_nan_mode="strings"), status, media_type="application/json")


@router.get("/kinds")
async def list_kinds(context: Ctx) -> Response:
    """The declarations of all kinds."""
    return answer({"kinds": [kind.declaration() for kind in context.kinds.values()]})


@router.post("/runs", status_code=201)
async def create_run(
    body: NewRunBody,
    context: Ctx,
    actor: Actor,
    dry_run: bool = False,
    idempotency_key: Key = None,
) -> Response:
    """Make a run; with `dry_run`, only check it. A repeated `Idempotency-Key` answers the run it made."""
    check_size(body.params)
    if dry_run:
        return _checked(context, body)
    new = context.engine.new_run(
        body.kind,
        body.params,
        name=body.name,
        owner=actor,
        tags=tuple(body.tags),
        priority=body.priority,
        idempotency_key=idempotency_key,
    )
    return await _submitted(context, new)


def check_size(params: dict[str, Any]) -> None:
    """Refuse params that are too large, or no JSON.

    Raises:
        Invalid, TooLarge: As it says.
    """
    try:
        size = len(to_json(params))
    except ValueError as error:  # half a surrogate pair, or nested too deep
        raise Invalid(f"params: cannot be written as JSON: {error}", field="params") from None
    if size > MAX_PARAMS:
        raise TooLarge(f"params: {size} bytes", hint=f"At most {MAX_PARAMS}.", field="params")


def _checked(context: Ctx, body: NewRunBody) -> Response:
    params = context.engine.validate(body.kind, body.params)
    kind = context.kinds[body.kind]
    total = kind.total(params) if kind.total else None
    return answer({"params": params, "total": total, "unit": kind.unit, "units": kind.units})


@router.get("/runs")
async def list_runs(
    context: Ctx,
    status: Annotated[list[Status] | None, Query()] = None,
    kind: Annotated[list[str] | None, Query()] = None,
    owner: str | None = None,
    tag: str | None = None,
    q: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Before = None,
) -> Response:
    """Runs newest first, without params."""
    query = RunQuery(tuple(status or ()), tuple(kind or ()), owner, tag, q, limit, before)
    page = await context.store.list(query)
    return answer({"runs": [run.header() for run in page.runs], "total": page.total, "before": page.before})


@router.get("/runs/{run}")
async def show_run(run: TheRun) -> Response:
    """One run, whole. Its `ETag` is the version that a control may name in `If-Match`."""
    shown = answer(run.snapshot())
    shown.headers["etag"] = f'"{run.version}"'
    return shown


@router.patch("/runs/{run}")
async def edit_run(body: EditBody, run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Rename or tag a run, or change its live params."""
    changed = run
    if body.params:
        check_size(body.params)
        changed = await context.engine.change_params(run.id, actor, body.params)
    if body.name is not None or body.tags is not None:
        changed = await context.engine.edit(run.id, actor, body.name, body.tags)
    return answer(changed.snapshot())


@router.delete("/runs/{run}", status_code=204)
async def delete_run(run: TheRun, context: Ctx) -> Response:
    """Remove an ended run with its log and its files."""
    await context.engine.delete(run.id)
    await anyio.to_thread.run_sync(lambda: shutil.rmtree(context.folder(run.id), ignore_errors=True))
    return Response(status_code=204)


@router.post("/runs/{run}/retry", status_code=201)
async def retry_run(
    body: RetryBody,
    run: TheRun,
    context: Ctx,
    actor: Actor,
    dry_run: bool = False,
    idempotency_key: Key = None,
) -> Response:
    """A new run that reuses what this one finished; with `dry_run`, only the counts.

    A repeated `Idempotency-Key` answers the run it made.
    """
    if dry_run:
        return answer(await of_retry(context.engine, run, body.only, body.last))
    check_size(body.set)
    new = await renewed(
        context.engine, run, body.only, actor, name=body.name, changes=body.set, until=body.last
    )
    return await _submitted(context, replace(new, idempotency_key=idempotency_key))


async def _submitted(context: Ctx, new: NewRun) -> Response:
    """The run that was made, or with 200 the one that its idempotency key made before."""
    run, created = await context.engine.submit(new)
    return answer(run.snapshot(), 201 if created else 200)
