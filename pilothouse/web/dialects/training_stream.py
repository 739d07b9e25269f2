"""`WS /ws/training/{job_id}` of dialect 004: one message a second about a job, made once for all who watch it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic_core import to_json
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from pilothouse.engine.tail import Tail
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import NotFound, PilothouseError, Unavailable
from pilothouse.model.run import Run
from pilothouse.web.context import Context
from pilothouse.web.dialects.training import message, only_trainings
from pilothouse.web.live import MAX_REASON, NOT_FOUND_CLOSE, UNAVAILABLE_CLOSE

PULSE_SECONDS = 1.0
TOO_MANY_CLOSE = 4429
_NORMAL, _GOING_AWAY = 1000, 1001


class Pulse:
    """One message a second about a job, made once for all who watch it.

    Attributes:
        message: The newest one.
        number: Grows with each.
        is_over: The job has ended, and the newest message says how.
        is_closed: No more comes: the server stops, or the run was deleted.
        sockets: Who watches.
    """

    def __init__(self, context: Context, run: Run, seconds: float) -> None:
        self.message = message(run)
        self.number = 1
        self.is_over = run.status.is_terminal
        self.is_closed = False
        self.sockets = 0
        self._context = context
        self._run_id = run.id
        self._seconds = seconds
        self._was_over = False
        self._news = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._beat())

    async def after(self, number: int) -> int:
        """Wait for a message newer than the one of this number."""
        while self.number <= number and not self.is_closed:
            await asyncio.shield(self._news)
        return self.number

    def stop(self) -> None:
        """Nobody watches any more."""
        self._task.cancel()

    async def _beat(self) -> None:
        try:
            async with self._context.tails.follow(self._run_id) as tail:
                while not self.is_over:
                    await self._second(tail)
                    if tail.closed:
                        return
                    await self._look()
        except (NotFound, Unavailable):
            return  # deleted; or who comes back finds the store again
        finally:
            self.is_closed = True
            self._wake()

    async def _second(self, tail: Tail) -> None:
        """Wait a second, or until the run or the server ends."""
        loop, watcher = asyncio.get_running_loop(), Watcher()
        end = loop.time() + self._seconds
        while not (tail.closed or watcher.gone or (tail.over and not self._was_over)):
            try:
                async with asyncio.timeout_at(end):
                    await watcher.wait(tail)
            except TimeoutError:
                break
        self._was_over = tail.over
        tail.forget(watcher)

    async def _look(self) -> None:
        try:
            run = await self._context.store.get(self._run_id)
        except Unavailable:
            return
        self.message, self.number, self.is_over = message(run), self.number + 1, run.status.is_terminal
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        if not news.done():
            news.set_result(None)


class TrainingSocket:
    """`WS /ws/training/{job_id}`."""

    def __init__(self, context: Context, seconds: float = PULSE_SECONDS) -> None:
        self._context = context
        self._seconds = seconds
        self._pulses: dict[str, Pulse] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell one client how the job stands, every second, until it ends or the client leaves."""
        await receive()
        try:
            run = await self._context.store.resolve(scope["path_params"]["job_id"])
            only_trainings(run)
        except PilothouseError as error:
            reason = error.message.encode()[:MAX_REASON].decode(errors="ignore")
            code = UNAVAILABLE_CLOSE if isinstance(error, Unavailable) else NOT_FOUND_CLOSE
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return
        await send({"type": "websocket.accept"})
        if (crowd := self._crowd(run)) is not None:
            await send({"type": "websocket.close", "code": TOO_MANY_CLOSE, "reason": crowd})
            return
        scope["headers"].clear()  # they would stay as long as the client
        async with self._pulse(run) as pulse:
            telling = asyncio.create_task(_tell(pulse, run, send))
            leaving = asyncio.create_task(_leave(receive))
            try:
                done, _ = await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # a bug is not swallowed
            finally:
                telling.cancel()
                leaving.cancel()
                await asyncio.gather(telling, leaving, return_exceptions=True)

    def _crowd(self, run: Run) -> str | None:
        """Why one more client would be too many; None where it is not."""
        limit, pulse = self._context.settings.training_clients, self._pulses.get(run.id)
        if limit is None or pulse is None or pulse.sockets < limit:
            return None
        return f"The job has {pulse.sockets} clients, the most that training_clients admits."

    @asynccontextmanager
    async def _pulse(self, run: Run) -> AsyncIterator[Pulse]:
        """The pulse of a run, which beats while anybody watches."""
        pulse = self._pulses.get(run.id)
        if pulse is None or pulse.is_closed:
            pulse = self._pulses[run.id] = Pulse(self._context, run, self._seconds)
        pulse.sockets += 1
        try:
            yield pulse
        finally:
            pulse.sockets -= 1
            if not pulse.sockets:
                pulse.stop()
                if self._pulses.get(run.id) is pulse:
                    del self._pulses[run.id]


async def _tell(pulse: Pulse, run: Run, send: Send) -> None:
    """Send the status at once, then what is new; a client that reads slowly gets the newest only."""
    number = pulse.number
    told = pulse.message if pulse.is_over else message(run)  # no other comes then, and ours may be older
    with contextlib.suppress(RuntimeError, OSError):  # the client closed first
        await _send(send, told)
        while not told["complete"]:
            newest = await pulse.after(number)
            if newest == number:
                break
            number, told = newest, pulse.message
            await _send(send, told)
        await send({"type": "websocket.close", "code": _NORMAL if told["complete"] else _GOING_AWAY})


async def _send(send: Send, told: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": to_json(told, inf_nan_mode="strings").decode()})


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        continue


def stream_routes(context: Context) -> list[BaseRoute]:
    """The dialect's stream."""
    return [WebSocketRoute("/ws/training/{job_id}", TrainingSocket(context))]
