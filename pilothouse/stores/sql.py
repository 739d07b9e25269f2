"""The store on SQLite or PostgreSQL: one code path, chosen by URL.

The event loop never waits for the database. One thread writes, in groups, and
a few read. The driver is synchronous on purpose: one durable append is three
times as fast so as through an async one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import select, update

from pilothouse.contracts import FIRST_LEASE_SECONDS, Appended, Frame, NewRun
from pilothouse.errors import Invalid, Unavailable
from pilothouse.machines import Minute
from pilothouse.model.event import Body
from pilothouse.model.run import Run
from pilothouse.questions import ItemPage, ItemQuery, Reuse, RunPage, RunQuery
from pilothouse.stores.admission import JOB, Batch
from pilothouse.stores.changes import PURGE
from pilothouse.stores.database import READERS, Database
from pilothouse.stores.draft import (
    PIECE_ITEMS,
    BeginDraft,
    Draft,
    ExtendDraft,
    PublishDraft,
    is_given_up,
)
from pilothouse.stores.failure import translated
from pilothouse.stores.line import Line, closed
from pilothouse.stores.migration import migrate
from pilothouse.stores.reader import HIGHEST, Reader
from pilothouse.stores.request import Append, Create, Delete, KeepMinutes, Purge, Renew, Trim
from pilothouse.stores.schema import meta, runs
from pilothouse.stores.writer import Writer

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class SqlStore:
    """The store contract on a database.

    Args:
        url: `sqlite:///path` or `postgresql://…`.

    Raises:
        Invalid: Not such a URL.
    """

    def __init__(self, url: str) -> None:
        self.epoch = ""
        self._database = Database(url)
        self._writer = Writer(self._database)
        self._reader = Reader(self._database)
        self._write_thread = ThreadPoolExecutor(1, "pilothouse-writer")
        self._read_threads = ThreadPoolExecutor(READERS, "pilothouse-reader")
        self._line = Line(self._write_thread, self._writer.serve)
        self._purge: asyncio.Task[None] | None = None
        self._to_purge: list[int] = []
        self._is_open = self._is_closed = False

    async def open(self) -> None:
        """Connect; create or migrate the schema under a lock.

        Raises:
            Unavailable: The database cannot be reached, is damaged, belongs to a newer version,
                or is open in another server.
        """
        await asyncio.get_running_loop().run_in_executor(self._write_thread, self._open)
        self._is_open = True
        self._start_purge()

    async def close(self) -> None:
        """Finish what was accepted and let go of the database."""
        if self._is_closed:
            return
        self._is_open, self._is_closed = False, True
        await self._line.close()
        if self._purge is not None:
            await self._purge
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._read_threads.shutdown)
        await loop.run_in_executor(self._write_thread, self._close)
        self._write_thread.shutdown()

    async def renew_epoch(self) -> str:
        """Tell everybody that the logs are not those they knew: this database was put back from a copy.

        For a store that no server uses yet.

        Raises:
            Conflict: A server is connected to the database.
            Unavailable: The database cannot be written.
        """
        loop = asyncio.get_running_loop()
        try:
            self.epoch = await loop.run_in_executor(self._write_thread, self._writer.renew_epoch)
        except Exception as error:
            raise translated(error) from error
        return self.epoch

    async def create(self, new: NewRun) -> tuple[Run, bool]:
        """Store `run.queued` and the reused items, all or nothing."""
        if new.reuse is None:
            return await self._line.put(Create(new))
        made = await self._line.put(BeginDraft(new))
        if isinstance(made, Run):
            return made, False
        try:
            await self._fill(made, new.reuse)
            run, is_created = await self._line.put(PublishDraft(new, made))
        except BaseException:
            self._give_up(made)
            raise
        if not is_created:
            self._give_up(made)
        return run, is_created

    async def append(
        self,
        run_id: str,
        bodies: Sequence[Body],
        *,
        attempt: int | None = None,
        client_seq: int | None = None,
        lenient: bool = False,
        expected: str | None = None,
        lapsed: bool = False,
        writer: str = JOB,
    ) -> Appended:
        """Append events in one transaction: all, or none."""
        if client_seq is not None and not 0 < client_seq < HIGHEST:
            raise Invalid(f"client_seq {client_seq} is out of range", field="client_seq")
        batch = Batch(run_id, bodies, attempt, client_seq, lenient, expected, writer, lapsed)
        return await self._line.put(Append(batch))

    async def renew(self, run_id: str, attempt: int, seconds: float) -> Run:
        """Prolong the attempt's lease."""
        return await self._line.put(Renew(run_id, attempt, seconds))

    async def get(self, run_id: str) -> Run:
        """The run by its id."""
        return await self._ask(self._reader.get, run_id)

    async def resolve(self, reference: str) -> Run:
        """The run that a user means."""
        return await self._ask(self._reader.resolve, reference)

    async def list(self, query: RunQuery) -> RunPage:
        """Runs newest first."""
        return await self._ask(self._reader.list, query)

    async def waiting(self, kinds: Sequence[str], limit: int) -> Sequence[Run]:
        """Queued runs, the most urgent first."""
        return await self._ask(self._reader.waiting, kinds, limit)

    async def read(
        self, run_id: str, after: int, limit: int = 1000, types: Sequence[str] = (), newest: bool = False
    ) -> Sequence[Frame]:
        """Events with `seq > after`, ascending."""
        return await self._ask(self._reader.read, run_id, after, limit, types, newest)

    async def first_seq(self, run_id: str) -> int:
        """Where the log begins."""
        return await self._ask(self._reader.first_seq, run_id)

    async def trim(self, run_id: str, before: int) -> int:
        """Forget the beginning of a log; others write between the pieces."""
        while await self._line.put(Trim(run_id, before)):
            pass
        return await self.first_seq(run_id)

    async def items(self, run_id: str, query: ItemQuery) -> ItemPage:
        """Items newest first."""
        return await self._ask(self._reader.items, run_id, query)

    async def finished_keys(self, run_id: str) -> Sequence[str]:
        """Keys of all finished items, the failed ones included."""
        return await self._ask(self._reader.finished_keys, run_id)

    async def saved_state(self, run_id: str) -> dict[str, Any] | None:
        """The latest saved state."""
        return await self._ask(self._reader.saved_state, run_id)

    async def acked(self, run_id: str) -> Mapping[str, int]:
        """What each writer was acknowledged."""
        return await self._ask(self._reader.acked, run_id)

    async def expired(self) -> Sequence[Run]:
        """Runs whose lease has run out by the database's clock."""
        return await self._ask(self._reader.expired)

    async def delete(self, run_id: str) -> None:
        """Remove a finished run; its log goes piece by piece, so that nobody waits for it."""
        self._to_purge.append(await self._line.put(Delete(run_id)))
        self._start_purge()

    async def keep_minutes(self, minutes: Sequence[Minute], before: int) -> None:
        """Keep what machines were busy with, and forget the oldest."""
        await self._line.put(KeepMinutes(minutes, before))

    async def minutes(self, host: str, since: int) -> Sequence[Minute]:
        """The kept minutes of a host, oldest first."""
        return await self._ask(self._reader.minutes, host, since)

    async def last_minutes(self) -> Sequence[Minute]:
        """The newest minute of every host, by name."""
        return await self._ask(self._reader.last_minutes)

    async def _fill(self, draft: Draft, reuse: Reuse) -> None:
        """Write all results that a new run begins with."""
        while items := await self._ask(self._reader.reusable, reuse, draft.place, PIECE_ITEMS):
            draft.run = await self._line.put(ExtendDraft(draft, items))
            draft.place = items[-1].seq

    def _give_up(self, draft: Draft) -> None:
        """Nobody will see it: remove what was written of it."""
        self._to_purge.append(draft.number)
        self._start_purge()

    async def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask in a reader's thread."""
        if not self._is_open:
            raise closed()

        def look() -> T:
            answer = question(*args, **kwargs)
            self._database.confirm()
            return answer

        try:
            return await asyncio.get_running_loop().run_in_executor(self._read_threads, look)
        except Exception as error:
            raise translated(error) from error

    def _start_purge(self) -> None:
        if self._to_purge and self._purge is None and self._is_open:
            self._purge = asyncio.create_task(self._purge_all(), name="store-purge")

    async def _purge_all(self) -> None:
        """Whatever a close or an error leaves behind is purged after the next start."""
        try:
            while self._to_purge:
                number = self._to_purge.pop()
                while await self._line.put(Purge(number)):
                    pass
        except Exception as error:  # whoever awaits this closes the store
            if not self._is_closed:
                _log.warning("what is left of deleted runs stays until the next start: %s", error)
        finally:
            self._purge = None

    def _open(self) -> None:
        try:
            self._database.acquire()
            connection = self._writer.connection()
            with connection.begin():
                self.epoch = self._writer.epoch = migrate(connection, self._database)
                noted = connection.execute(
                    select(meta.c.name, meta.c.value).where(meta.c.name.startswith(PURGE))
                )
                is_mine = self._database.is_exclusive
                self._to_purge = [
                    int(name.removeprefix(PURGE)) for name, since in noted if is_mine or is_given_up(since)
                ]
                if self._database.is_exclusive:
                    # Nobody could renew a lease while no server was there, and the clock may be a new one.
                    until = self._database.now(connection) + FIRST_LEASE_SECONDS
                    begun = update(runs).where(runs.c.lease_until.is_not(None))
                    connection.execute(begun.values(lease_until=until))
        except Exception as error:
            self._close()
            told = translated(error)
            if isinstance(told, Unavailable) and self._database.place not in told.message:
                told = Unavailable(f"{self._database.place}: {told.message}", hint=told.hint)
            raise told from error

    def _close(self) -> None:
        self._writer.close()
        self._database.dispose()
