"""Tells somebody elsewhere when a long run has ended: once per run and channel, as its log says.

The bus says which runs have news. At the start the newest ended runs are looked
through as well: a server that died may not have told of them.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pilothouse import clock
from pilothouse.contracts import EVERY_RUN
from pilothouse.engine.engine import Engine
from pilothouse.engine.notification import (
    Channel,
    Letter,
    Numbers,
    Standing,
    Undelivered,
    compose,
    is_last,
    standing,
    trial,
)
from pilothouse.errors import NotFound
from pilothouse.model import event as e
from pilothouse.model.run import TERMINAL, Run, Status
from pilothouse.questions import RunQuery

FRESH_SECONDS = 86_400.0
_PAGE = 200
_PAGES = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ends are told.

    Attributes:
        statuses: How the run ended.
        seconds: It took so long at least, from its start.
    """

    statuses: frozenset[Status]
    seconds: float


class Notifier:
    """Looks at the runs that have news, and tells of those that ended.

    Args:
        engine: The engine; its bus is listened to.
        channels: Who is told.
        wanted: Of which ends.
        page: Address of the page, such as `http://127.0.0.1:8420`.
        numbers: A run's metrics as people read them, with their labels.
        now: The time, as events tell it.
    """

    def __init__(
        self,
        engine: Engine,
        channels: Sequence[Channel],
        wanted: Wanted,
        page: str,
        numbers: Callable[[Run], Numbers] = lambda run: (),
        now: Callable[[], str] = clock.now,
    ) -> None:
        self.channels = tuple(channels)
        self.wanted = wanted
        self._engine = engine
        self._page = page.rstrip("/")
        self._numbers = numbers
        self._now = now
        self._me = secrets.token_hex(4)
        self._news: dict[str, None] = {EVERY_RUN: None}
        self._untold: dict[str, Run] = {}
        if self.channels:
            engine.bus.subscribe(lambda run_id: self._news.update({run_id: None}))

    async def look(self) -> None:
        """Tell what is due now; what fails is tried again at a later look."""
        news, self._news = self._news, {}
        try:
            for run in await self._ended(news):
                self._untold[run.id] = run
        except BaseException:
            self._news = news | self._news
            raise
        for run in list(self._untold.values()):
            if await self._is_told(run):
                del self._untold[run.id]

    async def try_out(self) -> dict[str, Undelivered | None]:
        """Send a test through every channel; what went wrong, by the channel's name."""
        letter = trial(self._page)
        return {
            channel.name: await self._sent(channel, letter, secrets.token_hex(8)) for channel in self.channels
        }

    async def _ended(self, news: dict[str, None]) -> list[Run]:
        """Those of the runs with news that have ended, as wanted."""
        runs: list[Run] = []
        for run_id in news.keys() - {EVERY_RUN}:
            try:
                runs.append(await self._engine.store.get(run_id))
            except NotFound:
                continue  # deleted
        if EVERY_RUN in news:
            runs += await self._newest_ended()
        return [run for run in runs if self._is_wanted(run)]

    async def _newest_ended(self) -> list[Run]:
        runs: list[Run] = []
        before: int | None = None
        for _ in range(_PAGES):
            query = RunQuery(statuses=tuple(TERMINAL), limit=_PAGE, before=before)
            page = await self._engine.store.list(query)
            runs += page.runs
            before = page.before
            if before is None:
                break
        return runs

    def _is_wanted(self, run: Run) -> bool:
        if run.status not in self.wanted.statuses or run.started_at is None or run.ended_at is None:
            return False
        if clock.seconds_between(run.started_at, run.ended_at) < self.wanted.seconds:
            return False
        return clock.seconds_between(run.ended_at, self._now()) < FRESH_SECONDS

    async def _is_told(self, run: Run) -> bool:
        """Whether nothing is left to be told of a run; makes the tries that are due."""
        stands = [await self._tell(run, channel) for channel in self.channels]
        return all(stand.is_over for stand in stands)

    async def _tell(self, run: Run, channel: Channel) -> Standing:
        try:
            stand = await self._standing(run, channel)
            if stand.is_over or stand.due_seconds > 0:
                return stand
            round_ = stand.round
            await self._note(run, channel, "sending", round_)
            claimed = await self._standing(run, channel)
            if claimed.is_over or claimed.round != round_ + 1 or claimed.claimed_by != self._me:
                return claimed  # another server was first
            failure = await self._sent(
                channel, compose(run, f"{self._page}/runs/{run.id}", self._numbers(run)), run.id
            )
            if failure is None:
                await self._note(run, channel, "sent", round_)
                return Standing(is_over=True)
            await self._note(run, channel, "failed", round_, failure.message)
            return Standing(is_over=is_last(round_), round=round_)
        except NotFound:  # deleted meanwhile
            return Standing(is_over=True)

    async def _standing(self, run: Run, channel: Channel) -> Standing:
        frames = await self._engine.store.read(run.id, 0, types=("run.notified",))
        return standing(frames, channel.name, self._now())

    async def _sent(self, channel: Channel, letter: Letter, key: str) -> Undelivered | None:
        try:
            await channel.send(letter, key)
        except Undelivered as failure:
            return failure
        except Exception:
            _log.exception("a letter could not be sent by %s", channel.name)
            return Undelivered("The letter could not be sent; the server's log has the details.")
        return None

    async def _note(
        self, run: Run, channel: Channel, state: e.Delivery, round_: int, detail: str | None = None
    ) -> None:
        body = e.RunNotified(
            channel=channel.name,
            address=channel.address,
            state=state,
            round=round_,
            by=self._me,
            detail=detail,
        )
        await self._engine.append(run.id, body)
