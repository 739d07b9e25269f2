"""The minutes of hosts' machines in a database: written in the writer's thread, read in a reader's."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, Row, delete, func, select

from pilothouse.machines import Minute
from pilothouse.stores.database import Database
from pilothouse.stores.record import plain
from pilothouse.stores.schema import minutes


def keep(connection: Connection, database: Database, kept: Sequence[Minute], before: int) -> None:
    """Write minutes over those of the same host and time, and remove what is older than `before`."""
    if kept:
        insertion = database.insert(minutes)
        upsert = insertion.on_conflict_do_update(
            index_elements=["host", "minute"],
            set_={"facts": insertion.excluded.facts, "load": insertion.excluded.load},
        )
        connection.execute(upsert, [_row(one) for one in kept])
    connection.execute(delete(minutes).where(minutes.c.minute < before))


def read(connection: Connection, host: str, since: int) -> list[Minute]:
    """A host's minutes from `since` on, oldest first."""
    query = select(minutes).where(minutes.c.host == plain(host), minutes.c.minute >= since)
    return [_minute(row) for row in connection.execute(query.order_by(minutes.c.minute))]


def read_last(connection: Connection) -> list[Minute]:
    """The newest minute of every host, by name."""
    newest = select(minutes.c.host, func.max(minutes.c.minute).label("minute")).group_by(minutes.c.host)
    last = newest.subquery()
    both = (minutes.c.host == last.c.host) & (minutes.c.minute == last.c.minute)
    query = select(minutes).join(last, both).order_by(minutes.c.host)
    return [_minute(row) for row in connection.execute(query)]


def _row(one: Minute) -> dict[str, str | int]:
    host, facts, load = plain(one.host), plain(json.dumps(one.facts)), json.dumps(one.values)
    return {"host": host, "minute": one.minute, "facts": facts, "load": load}


def _minute(row: Row[tuple[str, int, str, str]]) -> Minute:
    return Minute(row.host, row.minute, json.loads(row.facts), json.loads(row.load))
