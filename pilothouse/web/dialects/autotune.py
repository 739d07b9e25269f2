"""Dialect 003: autotuning tasks, as the reference document speaks of them.

`/api/tasks…` and the WebSockets of a task and of one experiment. Nothing is stored
for it: every message is made from the one log by `autotune_story.py`, so one who
comes late gets the whole history first, on whichever server.
"""

from __future__ import annotations

import contextlib
import json
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Response
from pydantic_core import to_json
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from pilothouse.contracts import Store
from pilothouse.engine.segment import Gap, Segment
from pilothouse.engine.tail import Tail
from pilothouse.errors import NotFound, PilothouseError
from pilothouse.model.run import Run, Status
from pilothouse.questions import Item, ItemQuery, RunQuery
from pilothouse.transports.websocket import GOING_AWAY, NORMAL, SocketPusher
from pilothouse.web.context import Context, Ctx
from pilothouse.web.dialects.autotune_story import (
    EXPERIMENTS,
    KIND,
    Story,
    error_of,
    experiment_id,
    measured,
    percentage,
    status_of,
)
from pilothouse.web.dialects.trimmed import remembered
from pilothouse.web.live import NOT_FOUND_CLOSE, close
from pilothouse.web.runs import answer

router = APIRouter(prefix="/api", tags=["dialect 003"])

_PAGE = 5_000
_MOST_DIGITS = 15
_STATUSES = {Status.QUEUED: "pending"}


@router.get("/tasks")
async def list_tasks(context: Ctx) -> Response:
    """All tasks, newest first, at most 200."""
    page = await context.store.list(RunQuery(kinds=(KIND,), limit=200))
    return answer({"tasks": [task(run) for run in page.runs], "total": page.total})


@router.get("/tasks/{task_id}/experiments")
async def list_experiments(task_id: str, context: Ctx) -> Response:
    """The experiments of a task, in their order; the one in hand is the last."""
    run = await _task(context, task_id)
    page = await context.store.items(run.id, ItemQuery(limit=_PAGE))
    point = await _begun(context, run)
    found = [_experiment(run, item, point) for item in page.items if item.key.isdecimal()]
    found.sort(key=lambda each: each["experiment_id"])
    return answer({"task_id": run.number, "experiments": found, "total": page.total})


@router.get("/ws/tasks/{task_id}/subscribers")
async def count_watchers(task_id: str, context: Ctx) -> Response:
    """How many follow a task on this server."""
    run = await _task(context, task_id)
    return answer({"task_id": run.number, "subscribers": context.tails.watchers(run.id)})


async def _task(context: Context, reference: str) -> Run:
    run = await context.store.resolve(reference)
    if run.kind != KIND:
        raise NotFound(f"Run {run.name} is a {run.kind}, not an autotuning task.")
    return run


def task(run: Run) -> dict[str, Any]:
    """A task in the document's words."""
    best = run.metrics.get("best_score")
    return {
        "task_id": run.number,
        "id": run.number,
        "run_id": run.id,
        "task_name": run.name,
        "status": _STATUSES.get(run.status, str(run.status)),
        "progress": percentage(run.progress.done, run.progress.total),
        "total_experiments": run.progress.total,
        "completed_experiments": run.progress.done,
        "successful_experiments": run.progress.done - run.progress.failed,
        "failed_experiments": run.progress.failed,
        "best_score": best if isinstance(best, int | float) else None,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.ended_at,
        "error_message": run.failure.message if run.failure else None,
    }


async def _begun(context: Context, run: Run) -> dict[str, Any]:
    """The number and parameters of the experiment that was begun last."""
    frames = await context.store.read(run.id, 0, 1, ("state.saved",), True)
    state: dict[str, Any] = json.loads(frames[0].data)["data"]["state"] if frames else {}
    return state


def _experiment(run: Run, item: Item, begun: dict[str, Any]) -> dict[str, Any]:
    number, data = int(item.key), item.data
    in_hand = "benchmarking" if run.phase and run.phase.name == "Benchmark" else "deploying"
    is_over = item.state != "in_flight"
    point = begun.get("point", {}) if begun.get("number") == number else {}
    return {
        "id": experiment_id(run.number, number),
        "experiment_id": experiment_id(run.number, number),
        "task_id": run.number,
        "number": number,
        "status": status_of(data, ok=item.state == "done") if is_over else in_hand,
        "parameters": data.get("params") or point,
        "metrics": measured(data) if is_over else None,
        "objective_score": data.get("score"),
        "elapsed_time": item.seconds,
        "error_message": error_of(item.error, data),
    }


class TaskSocket:
    """`WS /api/ws/tasks/{task_id}` and `WS /api/ws/experiments/{experiment_id}`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell one client the task so far, then what happens, until it ends."""
        await receive()
        try:
            run, number = await self._find(scope["path_params"])
        except NotFound as error:
            reason = error.message[:120]
            await send({"type": "websocket.close", "code": NOT_FOUND_CLOSE, "reason": reason})
            return
        await send({"type": "websocket.accept"})
        scope["headers"].clear()  # they would stay as long as the watcher
        try:
            async with self._context.tails.follow(run.id) as tail:
                pusher = TaskPusher(tail, send, self._context.store, Story(run.number), number)
                pusher.wake()
                try:
                    await _listen(receive, send)
                finally:
                    pusher.close()
        except PilothouseError as error:  # it was deleted, or the store has gone
            await close(send, error)

    async def _find(self, names: dict[str, str]) -> tuple[Run, int | None]:
        """The task, and the number of the experiment where only one is wanted.

        Raises:
            NotFound: There is none.
        """
        if "task_id" in names:
            return await _task(self._context, names["task_id"]), None
        wanted = names["experiment_id"]
        if len(wanted) > _MOST_DIGITS or not wanted.isdecimal() or not int(wanted) % EXPERIMENTS:
            raise NotFound(f"There is no experiment {wanted[:80]}.")
        number, experiment = divmod(int(wanted), EXPERIMENTS)
        run = await _task(self._context, str(number))
        if run.progress.total is not None and experiment > run.progress.total:
            raise NotFound(f"Task {number} has {run.progress.total} experiments, and no number {experiment}.")
        return run, experiment


class TaskPusher(SocketPusher):
    """Writes the document's messages, one each.

    Args:
        number: Only this experiment; None: the whole task.
    """

    __slots__ = ("_number", "_store", "_story")

    def __init__(self, tail: Tail, send: Send, store: Store, story: Story, number: int | None) -> None:
        super().__init__(tail, 0, send)
        self._store = store
        self._story = story
        self._number = number

    async def put(self, segment: Segment, after: int) -> int:
        """The messages that the events make; most make none."""
        frames = segment.after(after)
        for frame in frames:
            if self.gone:
                break
            await self._tell_of(json.loads(frame))
        return after + len(frames)

    async def skip(self, lost: Gap) -> None:
        """What is still known of the events that are gone: later messages count it."""
        async with aclosing(remembered(self._store, self._tail.run_id, lost)) as pages:
            async for events in pages:
                for event in events:
                    if not self.gone:
                        await self._tell_of(event)

    async def keep_alive(self) -> None:
        """A message that the document does not know: JavaScript sees no pings."""
        await self._say({"type": "heartbeat"})

    async def end(self, *, over: bool) -> None:
        """Close; a client that comes back gets everything again."""
        code = NORMAL if over else GOING_AWAY
        try:
            await self._send({"type": "websocket.close", "code": code})
        except (RuntimeError, OSError):
            self.gone = True  # the client closed first

    async def _tell_of(self, event: dict[str, Any]) -> None:
        for message in self._story.messages(event):
            if self._number is None or message.get("number") == self._number:
                await self._say(message)

    async def _say(self, message: dict[str, Any]) -> None:
        text = to_json({name: value for name, value in message.items() if name != "number"})
        await self._send({"type": "websocket.send", "text": text.decode()})


async def _listen(receive: Receive, send: Send) -> None:
    """Answer `ping`, leave all else alone, until the client leaves or the stream has ended."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if (message.get("text") or "").strip() == "ping":
            with contextlib.suppress(OSError, RuntimeError):  # it has left: receive says so
                await send({"type": "websocket.send", "text": "pong"})


def stream_routes(context: Context) -> list[BaseRoute]:
    """The dialect's WebSockets."""
    socket = TaskSocket(context)
    return [
        WebSocketRoute("/api/ws/tasks/{task_id}", socket),
        WebSocketRoute("/api/ws/experiments/{experiment_id}", socket),
    ]
