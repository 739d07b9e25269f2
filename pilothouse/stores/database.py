"""The two databases, and all in which they differ.

SQLite has one writer: a lock file keeps a second server away, so the writer
may remember what it wrote, and a monotonic clock serves for the leases. On
PostgreSQL other servers write too: rows are locked, and the clock is its own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    TableValuedAlias,
    UpdateBase,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from pilothouse.errors import Invalid
from pilothouse.stores.file import DatabaseFile
from pilothouse.stores.shelf import as_json, from_text

READERS = 4
BUSY_SECONDS = 10
APPLICATION = "pilothouse-"
PARTING_SECONDS = 1.0
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}

Upsert = postgresql.Insert | sqlite.Insert
Statement = UpdateBase | Callable[["Database"], UpdateBase]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it, and how a row's values become its arguments."""

    sql: str
    arguments: Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Database:
    """One database, by URL.

    Attributes:
        is_exclusive: Nobody else writes to it.
        file: The file of a SQLite database.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise Invalid(f"{url!r} is not a database URL", field="database") from None
        if parsed.drivername not in _DRIVERS or (parsed.drivername == "sqlite" and not parsed.database):
            raise Invalid(
                f"{url!r} is not a database URL that Pilothouse knows",
                hint="Use sqlite:///path, postgresql://… or memory:.",
                field="database",
            )
        self._url = parsed.set(drivername=_DRIVERS[parsed.drivername])
        self.is_exclusive = parsed.drivername == "sqlite"
        self._name = f"{APPLICATION}{secrets.token_hex(4)}"
        self._prepared: dict[Statement, Prepared] = {}
        self.file = DatabaseFile(Path(self._url.database or "")) if self.is_exclusive else None
        self.writer = self._engine(is_writer=True)
        self.reader = self._engine(is_writer=False)

    @property
    def place(self) -> str:
        """Where the database is, without the password."""
        return str(self.file.path) if self.file else self._url.render_as_string()

    def insert(self, table: Table) -> Upsert:
        """An insert that can say what to do on a conflict."""
        return sqlite.insert(table) if self.is_exclusive else postgresql.insert(table)

    def prepared(self, statement: Statement) -> Prepared:
        """A statement compiled for many rows; values go to the driver as they are.

        Args:
            statement: A statement, or a function that makes it for this database. With
                two parameters or more, all of them named.
        """
        if statement not in self._prepared:
            made = statement(self) if callable(statement) else statement
            compiled = made.compile(dialect=self.writer.dialect)
            names = compiled.positiontup
            assert names is not None
            self._prepared[statement] = Prepared(str(compiled), itemgetter(*names))
        return self._prepared[statement]

    def each(self, values: ColumnElement[str]) -> TableValuedAlias:
        """The elements of a JSON array as rows with one column, `value`."""
        unfold = func.json_each if self.is_exclusive else func.json_array_elements
        return unfold(values).table_valued("value")

    def now(self, connection: Connection) -> float:
        """Seconds on the clock that leases compare."""
        if self.is_exclusive:
            return time.monotonic()
        seconds: float = connection.execute(
            select(func.date_part("epoch", func.clock_timestamp()))
        ).scalar_one()
        return seconds

    def others(self, connection: Connection) -> int:
        """How many connections other servers have; those that just left get a moment to be gone.

        Called without a transaction. Nobody else has a SQLite file open.
        """
        if self.is_exclusive:
            return 0
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND starts_with(application_name, :any) AND application_name <> :mine"
        )
        end = time.monotonic() + PARTING_SECONDS
        while True:
            with connection.begin():
                asked = connection.execute(query, {"any": APPLICATION, "mine": self._name})
                count: int = asked.scalar_one()
            if not count or time.monotonic() > end:
                return count
            time.sleep(0.05)

    def acquire(self) -> None:
        """Take a SQLite file for this server, and look whether it is whole.

        Raises:
            Unavailable: Another server has it open, it is damaged, or its folder cannot be written.
        """
        if self.file is not None:
            self.file.acquire()
            self.file.prepare()

    def watch(self) -> None:
        """Remember which SQLite file the writer opened."""
        if self.file is not None:
            self.file.watch()

    def confirm(self) -> None:
        """Make sure that the SQLite file is still the one that was opened.

        Raises:
            Unavailable: It was replaced, removed or cut short.
        """
        if self.file is not None:
            self.file.confirm()

    def dispose(self) -> None:
        """Close every connection and let others in."""
        self.writer.dispose()
        self.reader.dispose()
        if self.file is not None:
            self.file.release()

    def _engine(self, *, is_writer: bool) -> Engine:
        options: dict[str, Any] = {"json_serializer": as_json, "json_deserializer": from_text}
        options |= {"pool_size": 1 if is_writer else READERS, "max_overflow": 0}
        if self.is_exclusive:
            connect: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
            engine = create_engine(self._url, connect_args=connect, **options)
            _prepare_sqlite(engine, is_writer=is_writer)
            return engine
        if not is_writer:
            options["isolation_level"] = "REPEATABLE READ"  # a page, its total and its head belong together
        limits = f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
        durable = "-c synchronous_commit=on"  # whatever the cluster, the database or the role says
        connect = {
            "connect_timeout": BUSY_SECONDS,
            "options": f"{limits} {durable}",
            "application_name": self._name,
        }
        return create_engine(self._url, connect_args=connect, paramstyle="format", **options)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None for any other.

    Raises:
        Invalid: The URL names no file.
    """
    if urlsplit(url).scheme.partition("+")[0] != "sqlite":
        return None
    file = Database(url).file
    return file.path if file else None


def _prepare_sqlite(engine: Engine, *, is_writer: bool) -> None:
    """Begin transactions ourselves: Python's own way begins them too late and too weak."""
    begin = "BEGIN IMMEDIATE" if is_writer else "BEGIN"
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=4000"]

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas if is_writer else ["query_only=ON", "cache_size=-16384"]:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
