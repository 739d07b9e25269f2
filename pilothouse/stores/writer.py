"""The one who writes: a thread, a connection that stays open, one transaction per group.

Everything here runs in the writer's thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pilothouse import failpoint
from pilothouse.errors import Conflict
from pilothouse.stores.admission import Entry
from pilothouse.stores.database import Database
from pilothouse.stores.epoch import renew_epoch
from pilothouse.stores.failure import is_passing, translated
from pilothouse.stores.line import Group
from pilothouse.stores.request import Append
from pilothouse.stores.transaction import Transaction

KEPT_RUNS = 512


class Writer:
    """Serves groups of requests.

    Attributes:
        known: The runs it wrote last, as they are; used only where nobody else writes.
    """

    def __init__(self, database: Database) -> None:
        self.epoch = ""
        self.known: OrderedDict[str, Entry] = OrderedDict()
        self._database = database
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            self._connection = self._database.writer.connect()
            self._database.watch()
        return self._connection

    def serve(self, group: Group) -> None:
        """Do a group in one transaction.

        When the database fails, all of it is undone and everybody is told to try
        again. When one request's data are at fault, each is done by itself, so
        that it fails alone.
        """
        try:
            self._commit(group)
        except Exception as error:
            self._recover()
            if len(group) == 1 or is_passing(error):
                for request in group:
                    request.fail(translated(error))
                return
            for request in group:
                self.serve([request])

    def renew_epoch(self) -> str:
        """See `SqlStore.renew_epoch`."""
        connection = self.connection()
        others = self._database.others(connection)
        if others:
            raise Conflict(
                f"{others} other connections of Pilothouse use {self._database.place}",
                hint="Stop every server of this database first.",
            )
        with connection.begin():
            self.epoch = renew_epoch(connection)
        self.known.clear()
        return self.epoch

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit(self, group: Group) -> None:
        connection = self.connection()
        with connection.begin():
            transaction = Transaction(connection, self._database, self.epoch, self.known)
            transaction.prepare(
                (run_id for request in group for run_id in request.run_ids),
                (request.batch for request in group if isinstance(request, Append)),
                (request.makes for request in group if request.makes is not None),
            )
            for request in group:
                request.attempt(transaction)
            failpoint.reach("store.flush.before")
            transaction.flush()
            failpoint.reach("store.commit.before")
        failpoint.reach("store.commit.after")
        self._database.confirm()
        if self._database.is_exclusive:
            self._remember(transaction.entries)

    def _remember(self, entries: Mapping[str, Entry | None]) -> None:
        for run_id, entry in entries.items():
            self.known.pop(run_id, None)
            if entry is not None:
                self.known[run_id] = entry
        while len(self.known) > KEPT_RUNS:
            self.known.popitem(last=False)

    def _recover(self) -> None:
        """Forget what may be wrong; a connection that is broken is opened again by the next group."""
        self.known.clear()
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction():
                connection.rollback()
            is_broken = connection.invalidated or not self._database.is_exclusive
        except SQLAlchemyError:
            is_broken = True
        if is_broken:
            self._connection = None
            connection.invalidate()
            connection.close()
