"""Dialect 004: training jobs, as the reference document speaks of them; `/api/training/…`.

Nothing is stored for it: every answer is made from the run as the log tells it.
`training_stream.py` sends the same to who listens.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from pilothouse.clock import now
from pilothouse.engine.control import Wish
from pilothouse.errors import NotFound
from pilothouse.model.fold import active_seconds
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Control, Run, Status
from pilothouse.web import artifacts
from pilothouse.web.context import Actor, Context, Ctx, TheRun
from pilothouse.web.controls import answer_of
from pilothouse.web.runs import Name, answer, check_size

router = APIRouter(prefix="/api/training", tags=["dialect 004"])

KIND = "training"
MODEL = "model.zip"
TERMINATED = "Training process terminated unexpectedly"
_LOGGED = (
    "log",
    "note",
    "run.started",
    "run.paused",
    "run.resumed",
    "run.completed",
    "run.failed",
    "run.cancelled",
)
_PAGE = 1_000


class ExecuteBody(BaseModel):
    """The model and the dataset; further params of the kind are taken as they are."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    name: Name | None = None
    model_name: str = Field(min_length=1)
    dataset_path: str = Field(min_length=1)

    def params(self) -> dict[str, Any]:
        """The params of the kind."""
        return {**(self.model_extra or {}), "model": self.model_name, "dataset": self.dataset_path}


@router.post("/execute", status_code=201)
async def execute(body: ExecuteBody, context: Ctx, actor: Actor) -> Response:
    """Start a training job."""
    params = body.params()
    check_size(params)
    new = context.engine.new_run(KIND, params, name=body.name, owner=actor)
    run, _ = await context.engine.submit(new)
    return answer(described(run), 201)


@router.get("/status/{run}")
async def status(run: TheRun) -> Response:
    """A job now, for who polls."""
    only_trainings(run)
    return answer(described(run))


@router.post("/{run}/pause")
async def pause(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Save a checkpoint at the end of the current step, and wait."""
    return await _control(
        context, run, Wish(Control.PAUSE, actor), "Pausing after current step, with a checkpoint"
    )


@router.post("/{run}/resume")
async def resume(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Go on from there."""
    return await _control(context, run, Wish(Control.RESUME, actor), "Resuming")


@router.post("/{run}/cancel")
async def cancel(run: TheRun, context: Ctx, actor: Actor) -> Response:
    """Stop; the checkpoints are kept."""
    return await _control(context, run, Wish(Control.CANCEL, actor), "Cancelling; checkpoints are kept")


async def _control(context: Context, run: Run, wish: Wish, message: str) -> Response:
    only_trainings(run)
    said = await context.engine.control(run.id, wish)
    body = answer_of(said) | {"job_id": run.id, "message": message}
    return answer(body, 202 if said.accepted else 200)


@router.get("/{run}/download/model")
async def download_model(run: TheRun, context: Ctx) -> Response:
    """The trained model as a zip, whole or in ranges."""
    only_trainings(run)
    if MODEL not in (await context.files.listing(run.id)).present:
        hint = f"Its checkpoints are at /api/runs/{run.id}/artifacts."
        raise NotFound(f"Job {run.name} has saved no model: it is {run.status}.", hint=hint)
    return await artifacts.download(MODEL, run, context)


@router.get("/{run}/download/logs")
async def download_logs(run: TheRun, context: Ctx) -> Response:
    """The job's lines so far, as one text file."""
    only_trainings(run)
    headers = {
        "content-disposition": f'attachment; filename="{run.id}.log"',
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return StreamingResponse(_lines(context, run), headers=headers, media_type="text/plain; charset=utf-8")


async def _lines(context: Context, run: Run) -> AsyncIterator[str]:
    """A page of the log at a time, so that memory stays flat however long it is."""
    after = 0
    while frames := await context.store.read(run.id, after, _PAGE, _LOGGED):
        yield "".join(_line(json.loads(frame.data)) for frame in frames)
        after = frames[-1].seq


def _line(event: dict[str, Any]) -> str:
    data = event["data"]
    if event["type"] == "log":
        what, text = f"{data['level']} {data['source']}", data["text"]
    elif event["type"] == "note":
        what, text = f"note {data['feed']}", data["text"]
    else:
        what, text = event["type"].replace(".", " "), data.get("message") or ""
    return f"{event['time']} {what}: {text}\n"


def only_trainings(run: Run) -> None:
    """Raises:
    NotFound: The run is of another kind.
    """
    if run.kind != KIND:
        raise NotFound(f"Run {run.name} is a {run.kind}, not a training job.")


# What is said of a job


def described(run: Run) -> dict[str, Any]:
    """A job for who polls: the message of the stream, with the times of its life."""
    return message(run) | {
        "name": run.name,
        "is_paused": run.status is Status.PAUSED,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "error": error(run),
    }


def message(run: Run) -> dict[str, Any]:
    """A job as the stream tells it; completion and error messages hold the fields of progress as well."""
    done, total = run.progress.done, run.progress.total
    told: dict[str, Any] = {
        "job_id": run.id,
        "status": run.status,
        "progress": math.floor(done * 1000 / total) / 10 if total else 0.0,
        **_epochs(run),
        "current_step": done,
        "total_steps": total,
        "loss": _number(run, "loss"),
        "eval_loss": _number(run, "eval_loss"),
        "samples_per_second": _number(run, "samples_per_second"),
        "gpu_memory_allocated_gb": _gpu_memory(run),
        "gpu_utilization_percent": _number(run, "gpu_utilization_percent", "system/gpu0_percent"),
        "eta_seconds": _eta(run),
        "timestamp": now(),
        "complete": run.status.is_terminal,
    }
    if not run.status.is_terminal:
        return told
    last = {"final_loss": told["loss"], "completed_at": run.ended_at, "error": error(run)}
    return told | last | ({"progress": 100.0} if run.status is Status.COMPLETED else {})


def error(run: Run) -> str | None:
    """Why it failed; a process that is gone without a word, in the document's."""
    if run.failure is None:
        return None
    return TERMINATED if run.failure.reason == "worker_lost" else run.failure.message


def _epochs(run: Run) -> dict[str, int | None]:
    total, epoch = _number(run, "total_epochs"), _number(run, "epoch")
    if total is None:
        return {"current_epoch": None if epoch is None else math.floor(epoch) + 1, "total_epochs": None}
    return {"current_epoch": min(int(total), math.floor(epoch or 0.0) + 1), "total_epochs": int(total)}


def _gpu_memory(run: Run) -> float | None:
    """What torch has allocated; else what the machine says of its first GPU."""
    allocated = _number(run, "gpu_memory_allocated_gb")
    used = _number(run, "system/gpu0_memory_bytes")
    return allocated if allocated is not None or used is None else round(used / 1e9, 3)


def _number(run: Run, *names: str) -> float | None:
    """The first of these metrics that is there and a number."""
    found = (run.metrics.get(name) for name in names)
    return next((value for value in found if isinstance(value, int | float)), None)


def _eta(run: Run) -> float | None:
    if run.status is not Status.RUNNING:
        return None
    seconds = eta_seconds(run.progress, active_seconds(run, now()))
    return None if seconds is None else round(seconds, 1)
