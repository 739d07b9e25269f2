"""Reading: each method is one read transaction, on a connection of the readers' pool.

Everything here runs in a reader's thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json
from sqlalchemy import CompoundSelect, Connection, ScalarSelect, Select, func, select, union_all

from pilothouse.contracts import Frame
from pilothouse.machines import Minute
from pilothouse.model.run import Run, Status
from pilothouse.questions import Item, ItemPage, ItemQuery, Reuse, RunPage, RunQuery
from pilothouse.stores import load
from pilothouse.stores import reference as references
from pilothouse.stores.admission import KEPT_ATTEMPTS, MAX_WRITERS
from pilothouse.stores.condition import has_prefix, item_conditions, run_conditions, run_number
from pilothouse.stores.database import Database
from pilothouse.stores.record import ITEM_COLUMNS, RUN_COLUMNS, item_of, name_key, plain, run_of
from pilothouse.stores.schema import events, items, runs
from pilothouse.stores.trimming import STATE

HIGHEST = 2**53


class Reader:
    """The questions that a store answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, run_id: str) -> Run:
        """See `Store.get`."""
        with self._database.reader.begin() as connection:
            row = connection.execute(select(*RUN_COLUMNS).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise references.unknown(run_id)
        return run_of(row)

    def resolve(self, reference: str) -> Run:
        """See `Store.resolve`."""
        newest = select(*RUN_COLUMNS).order_by(runs.c.number.desc()).limit(references.SHOWN + 1)
        number = references.number_in(reference)
        wanted: list[Select[Any]] = [newest.where(runs.c.id == reference)]
        if reference == references.LAST:
            wanted.append(newest.limit(1))
        if number is not None and number < 2**31:
            wanted.append(newest.where(runs.c.number == number))
        wanted.append(newest.where(runs.c.name == name_key(reference)))
        if reference:
            wanted.append(newest.where(has_prefix(runs.c.id, reference)))
        with self._database.reader.begin() as connection:
            for query in wanted:
                run = references.choose(reference, [run_of(row) for row in connection.execute(query)])
                if run is not None:
                    return run
        raise references.unknown(reference)

    def minutes(self, host: str, since: int) -> Sequence[Minute]:
        """See `Machines.minutes`."""
        with self._database.reader.begin() as connection:
            return load.read(connection, host, since)

    def last_minutes(self) -> Sequence[Minute]:
        """See `Machines.last_minutes`."""
        with self._database.reader.begin() as connection:
            return load.read_last(connection)

    def list(self, query: RunQuery) -> RunPage:
        """See `Store.list`."""
        conditions = run_conditions(query)
        page = select(*RUN_COLUMNS).where(*conditions).order_by(runs.c.number.desc()).limit(query.limit + 1)
        if query.before is not None:
            page = page.where(runs.c.number < min(query.before, 2**31 - 1))
        with self._database.reader.begin() as connection:
            total = connection.execute(select(func.count(runs.c.number)).where(*conditions)).scalar_one()
            found = [run_of(row) for row in connection.execute(page)]
        before = found[query.limit - 1].number if query.limit and len(found) > query.limit else None
        return RunPage(tuple(found[: query.limit]), total, before)

    def read(
        self, run_id: str, after: int, limit: int, types: Sequence[str], newest: bool
    ) -> Sequence[Frame]:
        """See `Store.read`."""
        number = select(runs.c.number).where(runs.c.id == run_id).scalar_subquery()
        order = events.c.seq.desc() if newest else events.c.seq
        query = select(events.c.seq, events.c.type, events.c.frame).where(events.c.run == number)
        query = query.order_by(order).limit(limit)
        if types:
            query = query.where(events.c.seq.in_(_seqs(number, after, limit, types, newest)))
        else:
            first = select(runs.c.first).where(runs.c.id == run_id).scalar_subquery()
            query = query.where(events.c.seq > min(after, HIGHEST), events.c.seq >= first)
        with self._database.reader.begin() as connection:
            frames = [Frame(seq, type_, data) for seq, type_, data in connection.execute(query)]
            if not frames:
                _head(connection, run_id)
        return frames[::-1] if newest else frames

    def first_seq(self, run_id: str) -> int:
        """See `Store.first_seq`."""
        with self._database.reader.begin() as connection:
            first = connection.execute(select(runs.c.first).where(runs.c.id == run_id)).scalar()
        if first is None:
            raise references.unknown(run_id)
        return int(first)

    def items(self, run_id: str, query: ItemQuery) -> ItemPage:
        """See `Store.items`."""
        with self._database.reader.begin() as connection:
            number, head = _head(connection, run_id)
            conditions = [items.c.run == number, *item_conditions(query)]
            order = items.c.seq.desc() if query.after is None else items.c.seq
            page = select(*ITEM_COLUMNS).where(*conditions).order_by(order).limit(query.limit + 1)
            if query.before is not None:
                page = page.where(items.c.seq < min(query.before, HIGHEST))
            if query.after is not None:
                page = page.where(items.c.seq > min(query.after, HIGHEST))
                found = [item_of(row) for row in connection.execute(page)]
                return ItemPage(tuple(found[: query.limit]), 0, head, None)
            total = connection.execute(
                select(func.count()).select_from(items).where(*conditions)
            ).scalar_one()
            found = [item_of(row) for row in connection.execute(page)]
        before = found[query.limit - 1].seq if query.limit and len(found) > query.limit else None
        return ItemPage(tuple(found[: query.limit]), total, head, before)

    def reusable(self, reuse: Reuse, after: int, limit: int) -> Sequence[Item]:
        """The next finished items that another run begins with, oldest first."""
        with self._database.reader.begin() as connection:
            number, _ = _head(connection, reuse.run_id)
            query = select(*ITEM_COLUMNS).where(items.c.run == number, items.c.seq > after)
            query = query.where(items.c.state.in_(reuse.states))
            if reuse.until is not None:
                query = query.where(items.c.seq <= min(reuse.until, HIGHEST))
            return [item_of(row) for row in connection.execute(query.order_by(items.c.seq).limit(limit))]

    def waiting(self, kinds: Sequence[str], limit: int) -> Sequence[Run]:
        """See `Store.waiting`."""
        wait, urgency = run_number("wait_seconds"), run_number("priority")
        queued = runs.c.status == Status.QUEUED.value, runs.c.kind.in_([plain(kind) for kind in kinds])
        query = select(*RUN_COLUMNS).where(*queued).order_by(urgency.desc(), runs.c.number)
        with self._database.reader.begin() as connection:
            found = [*connection.execute(query.where(wait == 0).limit(limit))]
            found += connection.execute(query.where(wait > 0))
        return sorted(map(run_of, found), key=lambda run: (-run.priority, run.number))

    def finished_keys(self, run_id: str) -> Sequence[str]:
        """See `Store.finished_keys`."""
        with self._database.reader.begin() as connection:
            number, _ = _head(connection, run_id)
            query = select(items.c.key).where(items.c.run == number, items.c.state != "in_flight")
            return list(connection.execute(query).scalars())

    def saved_state(self, run_id: str) -> dict[str, Any] | None:
        """See `Store.saved_state`."""
        frames = self.read(run_id, 0, 1, (STATE,), newest=True)
        state: dict[str, Any] | None = from_json(frames[0].data)["data"]["state"] if frames else None
        return state

    def acked(self, run_id: str) -> Mapping[str, int]:
        """See `Store.acked`."""
        with self._database.reader.begin() as connection:
            asked = select(runs.c.number, runs.c.attempt, runs.c.acked).where(runs.c.id == run_id)
            row = connection.execute(asked).one_or_none()
            if row is None:
                raise references.unknown(run_id)
            numbers: Mapping[str, int] = from_json(row.acked)
            places = Counter(name.partition("/")[0] if "/" in name else row.attempt for name in numbers)
            if places and max(places.values()) >= MAX_WRITERS:  # some may have given theirs to newcomers
                return {**_acked_by_log(connection, row.number, row.attempt), **numbers}
            return numbers

    def expired(self) -> Sequence[Run]:
        """See `Store.expired`."""
        with self._database.reader.begin() as connection:
            now = self._database.now(connection)
            query = select(*RUN_COLUMNS).where(runs.c.lease_until < now).order_by(runs.c.number)
            return [run_of(row) for row in connection.execute(query)]


def _acked_by_log(connection: Connection, number: int, attempt: int) -> dict[str, int]:
    """How far every writer of the last attempts has come, as far as the log tells."""
    same = (
        events.c.run == number,
        events.c.attempt >= attempt - KEPT_ATTEMPTS,
        events.c.client_seq.is_not(None),
    )
    last = func.max(events.c.client_seq)
    query = select(events.c.attempt, events.c.writer, last).where(*same)
    found = connection.execute(query.group_by(events.c.attempt, events.c.writer))
    return {writer if each == attempt else f"{each}/{writer}": told for each, writer, told in found}


def _seqs(
    number: ScalarSelect[int], after: int, limit: int, types: Sequence[str], newest: bool
) -> CompoundSelect[Any]:
    """Where events of these types are, type by type: only so does SQLite use the index of types."""
    found = []
    for type_ in dict.fromkeys(types):
        same = events.alias()
        query = select(same.c.seq).where(
            same.c.run == number, same.c.type == type_, same.c.seq > min(after, HIGHEST)
        )
        ordered = query.order_by(same.c.seq.desc() if newest else same.c.seq).limit(limit)
        found.append(select(ordered.subquery().c.seq))
    return union_all(*found)


def _head(connection: Connection, run_id: str) -> tuple[int, int]:
    """A run's number and the last `seq` of its log."""
    row = connection.execute(select(runs.c.number, runs.c.head).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise references.unknown(run_id)
    return row.number, row.head
