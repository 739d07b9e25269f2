"""The epoch: which life of a database its logs belong to.

A database that was put back from a copy has forgotten what came after it. It
gets a new epoch, so that nobody takes its events for those they knew.
"""

from __future__ import annotations

from pydantic_core import from_json
from sqlalchemy import Connection, bindparam, select, update

from pilothouse.ids import new_epoch
from pilothouse.stores.schema import events, meta, runs
from pilothouse.stores.shelf import as_json, from_text

EPOCH = "epoch"
_PAGE = 500


def renew_epoch(connection: Connection) -> str:
    """Give a database a new epoch, in a transaction that has begun.

    Every run says it too, in its row and in the first event of its log, so that
    whoever folds the log gets the same.
    """
    epoch = new_epoch()
    connection.execute(update(meta).where(meta.c.name == EPOCH).values(value=epoch))
    last = 0
    while numbers := _rename_runs(connection, epoch, last):
        _rename_first_events(connection, epoch, numbers)
        last = numbers[-1]
    return epoch


def renamed(frame: bytes, epoch: str) -> bytes:
    """The first event of a log, with another epoch."""
    event = from_json(frame)
    return as_json(event | {"data": event["data"] | {EPOCH: epoch}}).encode()


def _rename_runs(connection: Connection, epoch: str, after: int) -> list[int]:
    page = select(runs.c.number, runs.c.state).where(runs.c.number > after).order_by(runs.c.number)
    found = connection.execute(page.limit(_PAGE)).all()
    if found:
        change = update(runs).where(runs.c.number == bindparam("this")).values(state=bindparam("told"))
        rows = [{"this": row.number, "told": as_json(from_text(row.state) | {EPOCH: epoch})} for row in found]
        connection.execute(change, rows)
    return [row.number for row in found]


def _rename_first_events(connection: Connection, epoch: str, numbers: list[int]) -> None:
    first = select(events.c.run, events.c.frame).where(events.c.run.in_(numbers), events.c.seq == 1)
    rows = [{"this": row.run, "told": renamed(row.frame, epoch)} for row in connection.execute(first)]
    if rows:
        here = events.c.run == bindparam("this"), events.c.seq == 1
        connection.execute(update(events).where(*here).values(frame=bindparam("told")), rows)
