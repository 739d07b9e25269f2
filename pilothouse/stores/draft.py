"""A run that begins with the results of another: written piece by piece, and seen by nobody before it is whole.

Its events and items lie under a number that no run has yet; the row of the run is written last.
Until then the number is noted as one to purge, so that nothing stays of a draft that is given up,
or whose server dies. No piece holds up the other writers, and no more than one is in memory.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pilothouse.contracts import FIRST_LEASE_SECONDS, NewRun
from pilothouse.errors import Unavailable
from pilothouse.model.run import Run
from pilothouse.questions import Item
from pilothouse.stores import shelf as shelves
from pilothouse.stores.admission import Admission, Entry, begin, start
from pilothouse.stores.request import Request
from pilothouse.stores.transaction import Transaction

PIECE_ITEMS = 1000
LONGEST_SECONDS = 3600.0  # a draft is published within this time, or never
_SPARED = timedelta(seconds=2 * LONGEST_SECONDS)


class Draft:
    """What is known of it.

    Attributes:
        run: The run as it is so far.
        place: `seq` of the item of the earlier run that was taken over last.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.place = 0
        self._began = time.monotonic()

    @property
    def number(self) -> int:
        """The number it will have."""
        return self.run.number

    @property
    def is_late(self) -> bool:
        """True once another server may take it for one that was given up."""
        return time.monotonic() - self._began > LONGEST_SECONDS


class BeginDraft(Request[Draft | Run]):
    """Take a number and write the first event; gives the run instead that the idempotency key has made."""

    def __init__(self, new: NewRun) -> None:
        super().__init__()
        self.makes = self._new = new

    def perform(self, transaction: Transaction) -> Draft | Run:
        """See `Store.create`."""
        known = transaction.known_run(self._new)
        if known is not None:
            return known
        admission = begin(self._new, transaction.next_number(), transaction.epoch)
        transaction.draft(admission, since=datetime.now(UTC).isoformat())
        return Draft(admission.run)


class ExtendDraft(Request[Run]):
    """Write a piece; gives the run as it is then."""

    def __init__(self, draft: Draft, items: Sequence[Item]) -> None:
        super().__init__()
        self.weight = len(items)
        self._draft = draft
        self._items = items

    def perform(self, transaction: Transaction) -> Run:
        """One piece."""
        admission = Admission(Entry(self._draft.run))
        for item in self._items:
            admission.take(shelves.reused(item), None, self._draft.run.created_at)
        transaction.draft(admission)
        return admission.run


class PublishDraft(Request[tuple[Run, bool]]):
    """Write the row of the run, and with it make everything seen."""

    def __init__(self, new: NewRun, draft: Draft) -> None:
        super().__init__()
        self.makes = self._new = new
        self._draft = draft

    def perform(self, transaction: Transaction) -> tuple[Run, bool]:
        """See `Store.create`."""
        known = transaction.known_run(self._new)
        if known is not None:
            return known, False
        if self._draft.is_late or not transaction.has_draft(self._draft.number):
            raise Unavailable("the results could not be taken over in time", hint="Try again.")
        admission = start(Admission(Entry(self._draft.run)), self._new)
        lease = transaction.now() + FIRST_LEASE_SECONDS if admission.is_started else None
        transaction.create(self._new, admission, lease)
        return admission.run, True


def is_given_up(since: str) -> bool:
    """Whether what is noted as to be purged is nobody's any more.

    Args:
        since: When the draft was begun; empty for the log of a deleted run.
    """
    return not since or datetime.now(UTC) - datetime.fromisoformat(since) > _SPARED
