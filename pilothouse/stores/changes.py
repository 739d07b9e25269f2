"""What a transaction writes at its end, gathered first and written in few statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    update,
)

from pilothouse.model.run import Run
from pilothouse.stores import shelf as shelves
from pilothouse.stores.admission import Admission, Entry
from pilothouse.stores.database import Database, Statement, Upsert
from pilothouse.stores.record import item_row, new_run_row, run_row, state_row
from pilothouse.stores.schema import events, items, meta, runs
from pilothouse.stores.shelf import Shelf, as_json

LAST_NUMBER = "last_number"
PURGE = "purge:"


def _parameters(table: Table) -> dict[str, BindParameter[Any]]:
    return {column.name: bindparam(column.name) for column in table.c}


_THIS_RUN = runs.c.number == bindparam("this")
_CHANGEABLE = ("name", "status", "pending", "attempt", "head", "acked", "lease_until", "tags", "state")
_INSERT_EVENTS = insert(events).values(_parameters(events))
_UPDATE_RUN = update(runs).where(_THIS_RUN).values({name: bindparam(name) for name in _CHANGEABLE})
_UPDATE_STATE = (
    update(runs).where(_THIS_RUN).values({name: bindparam(name) for name in ("head", "acked", "state")})
)
_UPDATE_PARAMS = update(runs).where(_THIS_RUN).values(params=bindparam("params"))
_UPDATE_LEASE = update(runs).where(_THIS_RUN).values(lease_until=bindparam("lease_until"))


@dataclass(slots=True)
class Changes:
    """Everything that a group of requests changes.

    Attributes:
        new: Digest of the idempotency key by id of a new run.
        runs: The runs that changed, the new ones included, as they are now.
        moved: Ids of runs of which more than the state changed.
        params: Ids of runs whose params changed.
        leases: New leases by run number.
        deleted: Runs to forget.
        events: Rows of new events.
        shelves: What the new events say of items, by run.
        numbers: The numbers of these runs.
        drafts: When each run of which only pieces are written was begun, by number.
        last_number: The highest run number, None when no run was made.
    """

    new: dict[str, str | None] = field(default_factory=dict)
    runs: dict[str, Entry] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    params: set[str] = field(default_factory=set)
    leases: dict[int, float] = field(default_factory=dict)
    deleted: list[Run] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    drafts: dict[int, str] = field(default_factory=dict)
    last_number: int | None = None

    def add(self, admission: Admission, entry: Entry) -> None:
        """Take the events of an admission, and the run after it."""
        run = entry.run
        self.runs[run.id] = entry
        if run.id in self.moved:
            self.leases.pop(run.number, None)  # its row carries the lease
        self.tell(admission)

    def tell(self, admission: Admission) -> None:
        """Take the events of an admission."""
        run = admission.run
        self.numbers[run.id] = run.number
        shelf = self.shelves.setdefault(run.id, {})
        told = zip(admission.events, admission.frames, admission.numbers, strict=True)
        for event, frame, number in told:
            self.events.append(
                {
                    "run": run.number,
                    "seq": frame.seq,
                    "attempt": None if number is None else run.attempt,
                    "client_seq": number,
                    "writer": admission.writer,
                    "type": frame.type,
                    "frame": frame.data,
                }
            )
            shelves.put(shelf, event, run.attempt)

    def write(self, connection: Connection, database: Database) -> None:
        """Write it all."""
        self._write_runs(connection, database)
        _write_rows(connection, database, _INSERT_EVENTS, self.events)
        self._write_items(connection, database)
        if self.drafts:
            noted = [{"name": f"{PURGE}{number}", "value": since} for number, since in self.drafts.items()]
            connection.execute(insert(meta), noted)
        if self.deleted:
            numbers = [run.number for run in self.deleted]
            connection.execute(delete(runs).where(runs.c.number.in_(numbers)))
            todo = [{"name": f"{PURGE}{number}", "value": ""} for number in numbers]
            connection.execute(insert(meta), todo)

    def _write_runs(self, connection: Connection, database: Database) -> None:
        new = [new_run_row(self.runs[run_id], key) for run_id, key in self.new.items()]
        if new:
            connection.execute(insert(runs), new)
        if self.last_number is not None:
            counter = update(meta).where(meta.c.name == LAST_NUMBER).values(value=str(self.last_number))
            connection.execute(counter)
        changed = [entry for run_id, entry in self.runs.items() if run_id not in self.new]
        moved = [run_row(entry) for entry in changed if entry.run.id in self.moved]
        still = [state_row(entry) for entry in changed if entry.run.id not in self.moved]
        _write_rows(connection, database, _UPDATE_RUN, moved)
        _write_rows(connection, database, _UPDATE_STATE, still)
        params = [entry.run for entry in changed if entry.run.id in self.params]
        rows = [{"this": run.number, "params": as_json(run.params)} for run in params]
        _write_rows(connection, database, _UPDATE_PARAMS, rows)
        leases = [{"this": number, "lease_until": lease} for number, lease in self.leases.items()]
        _write_rows(connection, database, _UPDATE_LEASE, leases)

    def _write_items(self, connection: Connection, database: Database) -> None:
        started: list[dict[str, Any]] = []
        finished: list[dict[str, Any]] = []
        for run_id, shelf in self.shelves.items():
            number = self.numbers[run_id]
            for item in shelf.values():
                rows = started if item.state == "in_flight" else finished
                rows.append(item_row(number, item))
        _write_rows(connection, database, _put_started, started)
        _write_rows(connection, database, _put_finished, finished)


def _write_rows(
    connection: Connection, database: Database, statement: Statement, rows: list[dict[str, Any]]
) -> None:
    """Write many rows with a statement that is compiled once; the driver gets plain tuples."""
    if rows:
        prepared = database.prepared(statement)
        connection.exec_driver_sql(prepared.sql, [prepared.arguments(row) for row in rows])


def _put_started(database: Database) -> Upsert:
    """A start counts; it does not undo a result."""
    insertion = database.insert(items).values(_parameters(items))
    new = insertion.excluded
    is_in_flight = items.c.state == literal_column("'in_flight'")
    fresh = {
        name: case((is_in_flight, new[name]), else_=items.c[name])
        for name in ("seq", "attempt", "label", "time")
    }
    return insertion.on_conflict_do_update(
        index_elements=[items.c.run, items.c.key],
        set_={"starts": items.c.starts + new.starts, **fresh},
    )


def _put_finished(database: Database) -> Upsert:
    """A result replaces what was there."""
    insertion = database.insert(items).values(_parameters(items))
    new = insertion.excluded
    names = ("state", "seq", "attempt", "seconds", "error", "data", "time", "possible_duplicate")
    return insertion.on_conflict_do_update(
        index_elements=[items.c.run, items.c.key],
        set_={
            "starts": items.c.starts + new.starts,
            "label": func.coalesce(new.label, items.c.label),
            **{name: new[name] for name in names},
        },
    )
