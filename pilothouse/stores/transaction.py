"""One transaction of the writer: load the runs it touches, let requests change them, write it all.

Requests work on values in memory; nothing is written before `flush`. That is
why a refused request cannot spoil the others of its group. Trims, purges, drafts that become
runs and the minutes of machines alone write at once: nothing of them is refused after the first row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Connection,
    Integer,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    update,
)

from pilothouse.contracts import NewRun
from pilothouse.errors import Conflict
from pilothouse.machines import Minute
from pilothouse.model.run import Run
from pilothouse.stores import load
from pilothouse.stores import reference as references
from pilothouse.stores import shelf as shelves
from pilothouse.stores.admission import IDEMPOTENCY_WINDOW, Admission, Batch, Entry
from pilothouse.stores.changes import LAST_NUMBER, PURGE, Changes
from pilothouse.stores.database import Database
from pilothouse.stores.record import RUN_COLUMNS, entry_of, idempotency_key, is_moved, plain
from pilothouse.stores.schema import events, items, meta, runs
from pilothouse.stores.trimming import METRIC, STATE, TRIMMED, TRIMMED_AT_ONCE, surplus

PURGED_AT_ONCE = 5000


class Transaction:
    """What one group of requests reads and writes.

    Args:
        connection: A connection on which a transaction has begun.
        database: The database behind it.
        epoch: The database's epoch.
        known: Runs whose state is known without looking; empty where others write too.

    Attributes:
        entries: The runs it touches, as they are now; None for those that do not exist.
    """

    def __init__(
        self, connection: Connection, database: Database, epoch: str, known: Mapping[str, Entry]
    ) -> None:
        self.epoch = epoch
        self.entries: dict[str, Entry | None] = {}
        self._connection = connection
        self._database = database
        self._known = known
        self._changes = Changes()
        self._finished: dict[str, set[str]] = {}
        self._by_idempotency: dict[str, str] = {}
        self._now: float | None = None

    def prepare(self, run_ids: Iterable[str], batches: Iterable[Batch], new: Iterable[NewRun]) -> None:
        """Load what the requests will ask for. Rows are locked in one order, so servers never deadlock."""
        self._load(set(run_ids))
        asked = list(batches)
        self._load_finished({(batch.run_id, key) for batch in asked for key in batch.finished_keys()})
        self._load_newcomers(asked)
        made = list(new)
        if made:
            query = select(meta.c.value).where(meta.c.name == LAST_NUMBER).with_for_update()
            self._changes.last_number = int(self._connection.execute(query).scalar_one())
            self._load_known({key for one in made if (key := idempotency_key(one))})
            self._load({one.id for one in made})

    def entry(self, run_id: str) -> Entry:
        """A run that was loaded.

        Raises:
            NotFound: There is none.
        """
        entry = self.entries.get(run_id)
        if entry is None:
            raise references.unknown(run_id)
        return entry

    def finished(self, batch: Batch) -> set[str]:
        """Keys of the batch that have a result already, in the database or in this transaction."""
        stored = self._finished.get(batch.run_id, set())
        shelf = self._changes.shelves.get(batch.run_id)
        return stored | shelves.finished(shelf, batch.finished_keys()) if shelf else stored

    def known_run(self, new: NewRun) -> Run | None:
        """The run of the same idempotency key.

        Raises:
            Conflict: There is none, and there is a run with this id.
        """
        run_id = self._by_idempotency.get(idempotency_key(new) or "")
        if run_id and (entry := self.entries.get(run_id)):
            return entry.run
        if self.entries.get(new.id) is not None:
            raise Conflict(f"there is a run {new.id} already")
        return None

    def next_number(self) -> int:
        """A number that no run has had."""
        assert self._changes.last_number is not None
        self._changes.last_number += 1
        return self._changes.last_number

    def now(self) -> float:
        """Seconds on the database's clock; one moment for the whole transaction."""
        if self._now is None:
            self._now = self._database.now(self._connection)
        return self._now

    def create(self, new: NewRun, admission: Admission, lease_until: float | None) -> None:
        """Keep a new run and the beginning of its log."""
        key = self._changes.new[new.id] = idempotency_key(new)
        if key is not None:
            self._by_idempotency[key] = new.id
        self.entries[new.id] = entry = admission.entry(lease_until)
        self._changes.add(admission, entry)

    def draft(self, admission: Admission, since: str | None = None) -> None:
        """Write a piece of a run that nobody sees yet; with `since`, the first one."""
        if since is not None:
            self._changes.drafts[admission.run.number] = since
        self._changes.tell(admission)

    def has_draft(self, number: int) -> bool:
        """Whether a draft is there; from now on it is none."""
        noted = delete(meta).where(meta.c.name == f"{PURGE}{number}")
        return self._connection.execute(noted).rowcount == 1

    def change(self, admission: Admission, lease_until: float | None) -> None:
        """Keep what an append comes to."""
        before = self.entry(admission.run.id)
        if not admission.events and admission.acked == before.acked.get(admission.writer, 0):
            return
        self.entries[before.run.id] = after = admission.entry(lease_until)
        if is_moved(before, after):
            self._changes.moved.add(after.run.id)
        if after.run.params is not before.run.params:
            self._changes.params.add(after.run.id)
        self._changes.add(admission, after)

    def renew(self, run_id: str, lease_until: float) -> None:
        """Prolong a lease."""
        before = self.entry(run_id)
        self.entries[run_id] = after = Entry(before.run, before.acked, lease_until)
        if run_id in self._changes.runs:
            self._changes.runs[run_id] = after
            self._changes.moved.add(run_id)
        else:
            self._changes.leases[after.run.number] = lease_until

    def delete(self, run_id: str) -> None:
        """Forget a run; its log is purged piece by piece, later."""
        self._changes.deleted.append(self.entry(run_id).run)
        self.entries[run_id] = None

    def purge(self, number: int) -> bool:
        """Remove a piece of a deleted run's log. Returns False when nothing is left."""
        is_left = False
        for table in (events, items):
            query = select(func.min(table.c.seq)).where(table.c.run == number)
            first = self._connection.execute(query).scalar_one()
            if first is not None:
                piece = table.c.seq < first + PURGED_AT_ONCE
                self._connection.execute(delete(table).where(table.c.run == number, piece))
                is_left = True
        if not is_left:
            self._connection.execute(delete(meta).where(meta.c.name == f"{PURGE}{number}"))
        return is_left

    def trim(self, run: Run, before: int) -> bool:
        """Remove a piece of a log's beginning. Returns False when nothing is left to remove."""
        number = run.number
        log = select(func.max(events.c.seq)).where(events.c.run == number).scalar_subquery()
        first, last = self._connection.execute(select(runs.c.first, log).where(runs.c.number == number)).one()
        goal = min(before, last)
        end = min(goal, first + TRIMMED_AT_ONCE)
        if end <= first:
            return False
        self._remove(number, first, end)
        self._connection.execute(update(runs).where(runs.c.number == number).values(first=end))
        return bool(end < goal)

    def _remove(self, number: int, first: int, end: int) -> None:
        here = events.c.run == number
        state = select(func.max(events.c.seq)).where(here, events.c.type == STATE)
        kept = self._connection.execute(state).scalar()
        piece = delete(events).where(here, events.c.seq >= first, events.c.seq < end)
        self._connection.execute(piece.where(events.c.type.in_(TRIMMED - {STATE})))
        older = [here, events.c.type == STATE, events.c.seq < end]
        self._connection.execute(delete(events).where(*older, events.c.seq != kept))
        drawn = select(events.c.seq).where(here, events.c.type == METRIC, events.c.seq < end)
        gone = surplus(self._connection.execute(drawn.order_by(events.c.seq)).scalars().all())
        if gone:
            self._connection.execute(delete(events).where(here, events.c.seq.in_(gone)))

    def keep_minutes(self, minutes: Sequence[Minute], before: int) -> None:
        """See `Machines.keep_minutes`."""
        load.keep(self._connection, self._database, minutes, before)

    def flush(self) -> None:
        """Write everything."""
        self._changes.write(self._connection, self._database)

    def _load(self, run_ids: set[str]) -> None:
        self.entries |= {id_: self._known[id_] for id_ in run_ids - self.entries.keys() if id_ in self._known}
        missing = run_ids - self.entries.keys()
        if not missing:
            return
        self.entries |= dict.fromkeys(missing)
        wanted = select(*RUN_COLUMNS).where(runs.c.id.in_(missing)).order_by(runs.c.number)
        for row in self._connection.execute(wanted.with_for_update()):
            entry = entry_of(row)
            self.entries[entry.run.id] = entry

    def _load_finished(self, keys: set[tuple[str, str]]) -> None:
        """Find out which of these (run, key) have a result: one question for the whole group."""
        asked = {
            (entry.run.number, plain(key)): (run_id, key)
            for run_id, key in keys
            if (entry := self.entries[run_id]) is not None
        }
        if not asked:
            return
        pair = self._database.each(bindparam("pairs", list(asked), JSON)).c.value
        query = select(items.c.run, items.c.key).where(
            items.c.run == cast(pair.op("->>")(literal_column("0")), Integer),
            items.c.key == cast(pair.op("->>")(literal_column("1")), Text),
            items.c.state != "in_flight",
        )
        for row in self._connection.execute(query):
            run_id, key = asked[row.run, row.key]
            self._finished.setdefault(run_id, set()).add(key)

    def _load_newcomers(self, batches: Iterable[Batch]) -> None:
        """Ask the log how far writers had come of which the rows of their runs say nothing any more."""
        for batch in batches:
            entry = self.entries[batch.run_id]
            if entry is None or not batch.is_newcomer(entry):
                continue
            same = [events.c.run == entry.run.number, events.c.attempt == batch.attempt]
            same += [events.c.writer == batch.writer, events.c.client_seq.is_not(None)]
            number = self._connection.execute(select(func.max(events.c.client_seq)).where(*same)).scalar()
            if number:
                acked = {batch.writer: number, **entry.acked}
                self.entries[batch.run_id] = Entry(entry.run, acked, entry.lease_until)

    def _load_known(self, keys: set[str]) -> None:
        """Find the runs of idempotency keys; the row of the last number, locked before, orders the makers."""
        if not keys:
            return
        since = (datetime.now(UTC) - IDEMPOTENCY_WINDOW).isoformat(timespec="milliseconds")
        query = (
            select(runs.c.idempotency, runs.c.id)
            .where(runs.c.idempotency.in_(keys), runs.c.created_at >= since)
            .order_by(runs.c.number)
        )
        self._by_idempotency = {row.idempotency: row.id for row in self._connection.execute(query)}
        self._load(set(self._by_idempotency.values()))
