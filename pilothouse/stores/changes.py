"""What a transaction writes at its end, gathered first and written in few statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, update

from pilothouse.model.run import Run
from pilothouse.stores import shelf as shelves
from pilothouse.stores.admission import Admission, Entry
from pilothouse.stores.database import Database, Upsert
from pilothouse.stores.record import item_row, new_run_row, run_row
from pilothouse.stores.schema import events, items, meta, runs
from pilothouse.stores.shelf import Shelf, as_json

LAST_NUMBER = "last_number"
PURGE = "purge:"

_THIS_RUN = runs.c.number == bindparam("this")
_CHANGEABLE = ("name", "status", "pending", "attempt", "head", "acked", "lease_until", "tags", "state")
_UPDATE_RUN = update(runs).where(_THIS_RUN).values({name: bindparam(name) for name in _CHANGEABLE})
_UPDATE_PARAMS = update(runs).where(_THIS_RUN).values(params=bindparam("params"))
_UPDATE_LEASE = update(runs).where(_THIS_RUN).values(lease_until=bindparam("lease_until"))


@dataclass(slots=True)
class Changes:
    """Everything that a group of requests changes.

    Attributes:
        new: Digest of the idempotency key by id of a new run.
        runs: The runs that changed, the new ones included, as they are now.
        params: Ids of runs whose params changed.
        leases: New leases by run number.
        deleted: Runs to forget.
        events: Rows of new events.
        shelves: What the new events say of items, by run.
        last_number: The highest run number, None when no run was made.
    """

    new: dict[str, str | None] = field(default_factory=dict)
    runs: dict[str, Entry] = field(default_factory=dict)
    params: set[str] = field(default_factory=set)
    leases: dict[int, float] = field(default_factory=dict)
    deleted: list[Run] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    last_number: int | None = None

    def add(self, admission: Admission, entry: Entry) -> None:
        """Take the events of an admission, and the run after it."""
        run = entry.run
        self.runs[run.id] = entry
        self.leases.pop(run.number, None)
        shelf = self.shelves.setdefault(run.id, {})
        told = zip(admission.events, admission.frames, admission.numbers, strict=True)
        for event, frame, number in told:
            self.events.append(
                {
                    "run": run.number,
                    "seq": frame.seq,
                    "attempt": None if number is None else run.attempt,
                    "client_seq": number,
                    "type": frame.type,
                    "frame": frame.data,
                }
            )
            shelves.put(shelf, event, run.attempt)

    def write(self, connection: Connection, database: Database) -> None:
        """Write it all."""
        self._write_runs(connection)
        if self.events:
            connection.execute(insert(events), self.events)
        self._write_items(connection, database)
        if self.deleted:
            numbers = [run.number for run in self.deleted]
            connection.execute(delete(runs).where(runs.c.number.in_(numbers)))
            todo = [{"name": f"{PURGE}{number}", "value": ""} for number in numbers]
            connection.execute(insert(meta), todo)

    def _write_runs(self, connection: Connection) -> None:
        new = [new_run_row(self.runs[run_id], key) for run_id, key in self.new.items()]
        if new:
            connection.execute(insert(runs), new)
            counter = update(meta).where(meta.c.name == LAST_NUMBER).values(value=str(self.last_number))
            connection.execute(counter)
        changed = [entry for run_id, entry in self.runs.items() if run_id not in self.new]
        if changed:
            connection.execute(_UPDATE_RUN, [run_row(entry) for entry in changed])
        params = [entry.run for entry in changed if entry.run.id in self.params]
        if params:
            rows = [{"this": run.number, "params": as_json(run.params)} for run in params]
            connection.execute(_UPDATE_PARAMS, rows)
        if self.leases:
            leases = [{"this": number, "lease_until": lease} for number, lease in self.leases.items()]
            connection.execute(_UPDATE_LEASE, leases)

    def _write_items(self, connection: Connection, database: Database) -> None:
        started: list[dict[str, Any]] = []
        finished: list[dict[str, Any]] = []
        for run_id, shelf in self.shelves.items():
            number = self.runs[run_id].run.number
            for item in shelf.values():
                rows = started if item.state == "in_flight" else finished
                rows.append(item_row(number, item))
        insertion = database.insert(items)
        if started:
            connection.execute(_put_started(insertion), started)
        if finished:
            connection.execute(_put_finished(insertion), finished)


def _put_started(insertion: Upsert) -> Upsert:
    """A start counts; it does not undo a result."""
    new = insertion.excluded
    is_in_flight = items.c.state == "in_flight"
    fresh = {
        name: case((is_in_flight, new[name]), else_=items.c[name])
        for name in ("seq", "attempt", "label", "time")
    }
    return insertion.on_conflict_do_update(
        index_elements=[items.c.run, items.c.key],
        set_={"starts": items.c.starts + new.starts, **fresh},
    )


def _put_finished(insertion: Upsert) -> Upsert:
    """A result replaces what was there."""
    new = insertion.excluded
    names = ("state", "seq", "attempt", "seconds", "error", "data", "time")
    return insertion.on_conflict_do_update(
        index_elements=[items.c.run, items.c.key],
        set_={
            "starts": items.c.starts + new.starts,
            "label": func.coalesce(new.label, items.c.label),
            **{name: new[name] for name in names},
        },
    )
