"""What callers ask of the writer: each knows what it needs and how it is done within a transaction."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from pilothouse.contracts import FIRST_LEASE_SECONDS, Appended, NewRun
from pilothouse.errors import PilothouseError
from pilothouse.machines import Minute
from pilothouse.model.run import Run
from pilothouse.stores import reference as references
from pilothouse.stores.admission import Batch, admit, begin, fence, has_lease, start
from pilothouse.stores.transaction import Transaction

T = TypeVar("T")


class Request(ABC, Generic[T]):
    """One request and its outcome, which is told after the commit.

    Attributes:
        run_ids: The runs it touches.
        makes: The run that it makes.
        weight: About how many events it writes.
    """

    run_ids: tuple[str, ...] = ()
    makes: NewRun | None = None
    weight = 1

    def __init__(self) -> None:
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._outcome: T | None = None
        self._error: BaseException | None = None

    @abstractmethod
    def perform(self, transaction: Transaction) -> T:
        """Change the transaction, or raise and leave it as it was."""

    def attempt(self, transaction: Transaction) -> None:
        """Perform, and keep the outcome or the refusal."""
        self._error = None
        try:
            self._outcome = self.perform(transaction)
        except PilothouseError as error:
            self._error = error

    def fail(self, error: BaseException) -> None:
        """Nothing was written, because of this."""
        self._error = error

    def settle(self) -> None:
        """Tell the caller, who may have left. Called in the event loop."""
        if self.future.done():
            return
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._outcome)  # type: ignore[arg-type]


class Create(Request[tuple[Run, bool]]):
    """Make a run."""

    def __init__(self, new: NewRun) -> None:
        super().__init__()
        self.makes = self._new = new

    def perform(self, transaction: Transaction) -> tuple[Run, bool]:
        """See `Store.create`."""
        known = transaction.known_run(self._new)
        if known is not None:
            return known, False
        admission = start(begin(self._new, transaction.next_number(), transaction.epoch), self._new)
        lease = transaction.now() + FIRST_LEASE_SECONDS if admission.is_started else None
        transaction.create(self._new, admission, lease)
        return admission.run, True


class Append(Request[Appended]):
    """Append events."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch
        self.run_ids = (batch.run_id,)
        self.weight = len(batch.bodies)

    def perform(self, transaction: Transaction) -> Appended:
        """See `Store.append`."""
        run_id = self.batch.run_id
        entry = transaction.entry(run_id)
        admission = admit(entry, self.batch, transaction.finished(self.batch), transaction.now)
        is_started = admission.is_started
        lease = transaction.now() + FIRST_LEASE_SECONDS if is_started else entry.lease_until
        transaction.change(admission, lease)
        return admission.appended()


class Renew(Request[Run]):
    """Prolong a lease."""

    def __init__(self, run_id: str, attempt: int, seconds: float) -> None:
        super().__init__()
        self.run_ids = (run_id,)
        self._attempt = attempt
        self._seconds = seconds

    def perform(self, transaction: Transaction) -> Run:
        """See `Store.renew`."""
        run = transaction.entry(self.run_ids[0]).run
        fence(run, self._attempt)
        if has_lease(run):
            transaction.renew(run.id, transaction.now() + self._seconds)
        return run


class Delete(Request[int]):
    """Forget a run; gives its number, whose log is to be purged."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_ids = (run_id,)

    def perform(self, transaction: Transaction) -> int:
        """See `Store.delete`."""
        run = transaction.entry(self.run_ids[0]).run
        if not run.status.is_terminal:
            raise references.alive(run)
        transaction.delete(run.id)
        return run.number


class Trim(Request[bool]):
    """Forget a piece of a log's beginning; gives False when there is no more to forget."""

    weight = 1000

    def __init__(self, run_id: str, before: int) -> None:
        super().__init__()
        self.run_ids = (run_id,)
        self._before = before

    def perform(self, transaction: Transaction) -> bool:
        """One piece."""
        return transaction.trim(transaction.entry(self.run_ids[0]).run, self._before)


class Purge(Request[bool]):
    """Remove a piece of a deleted run's log; gives False when nothing is left."""

    weight = 1000

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def perform(self, transaction: Transaction) -> bool:
        """One piece."""
        return transaction.purge(self._number)


class KeepMinutes(Request[None]):
    """Keep what machines were busy with, and forget the oldest."""

    def __init__(self, minutes: Sequence[Minute], before: int) -> None:
        super().__init__()
        self._minutes = minutes
        self._before = before

    def perform(self, transaction: Transaction) -> None:
        """See `Machines.keep_minutes`."""
        transaction.keep_minutes(self._minutes, self._before)
