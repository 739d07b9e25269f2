"""Sends what a process that has gone could not, in its own name.

The host does this between the death of a job and its report of it, while the
attempt still owns its run; a job does it before its last word, for what died beside
it. The numbers are the dead process's own, so the server skips what it has and
nothing is doubled. The last lines before a crash, and the results of a run's last
attempt, get into the log this way.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from pilothouse import failpoint
from pilothouse.errors import LeaseLost, PilothouseError, Unavailable
from pilothouse.sdk import record
from pilothouse.sdk.batch import FINAL, Batch, post
from pilothouse.sdk.marks import acknowledge, read_left
from pilothouse.sdk.recovery import Gone, find, held
from pilothouse.sdk.spool import BATCH_BYTES, BATCH_EVENTS
from pilothouse.sdk.wire import Wire

LONGEST_SECONDS = 3.0
CANCEL_SECONDS = 0.5
WIRE_SECONDS = 2.0
_PAUSED = b'{"type":"run.paused"'


def hand_over(
    server: str, token: str, run_id: str, attempt: int, folder: Path, *, besides: str | None = None
) -> bool:
    """Send what the processes of an attempt left behind, for a few seconds at most.

    What does not go out in that time stays for the next attempt. A word on a pause
    is left out, for nobody holds it any more; a line in the log replaces an event
    that the server will never take.

    Args:
        besides: The writer that calls, which sends what is its own by itself.

    Returns:
        False when the server is away and something is left: try again.
    """
    wire = Wire(server, token, WIRE_SECONDS)
    began = time.monotonic()
    try:
        for gone in find(folder):
            if gone.attempt != attempt or gone.writer == besides or not gone.segments:
                continue
            with contextlib.suppress(OSError), held(gone.marks, 0.0) as is_held:
                if is_held and not _send(wire, run_id, gone, began):
                    return True
    except Unavailable:
        return False
    except PilothouseError:  # the attempt is settled, or the server will never take it
        return True
    finally:
        wire.close()
    return True


def _send(wire: Wire, run_id: str, gone: Gone, began: float) -> bool:
    """Send one process's events; False when time ran out."""
    acked = read_left(gone.marks).acked
    for path in gone.paths():
        for batch in _batches(path, acked):
            if not _give(wire, run_id, gone, began, batch):
                return False
            acked = batch.numbers[-1]
        path.unlink(missing_ok=True)
    return True


def _give(
    wire: Wire, run_id: str, gone: Gone, began: float, batch: Batch, *, may_divide: bool = True
) -> bool:
    """Send a batch, or what it is divided into; False when time ran out."""
    failpoint.reach("sdk.handover.before")
    try:
        answer = post(wire, f"/api/runs/{run_id}", batch, gone.attempt, gone.writer)
    except LeaseLost:
        raise
    except FINAL as error:
        if not may_divide:
            raise
        parts = batch.instead(error)
        return all(_give(wire, run_id, gone, began, part, may_divide=len(batch.events) > 1) for part in parts)
    failpoint.reach("sdk.handover.after")
    acknowledge(gone.marks, batch.numbers[-1])
    seconds = CANCEL_SECONDS if answer.get("pending") == "cancel" else LONGEST_SECONDS
    return time.monotonic() - began <= seconds


def _batches(path: Path, acked: int) -> Iterator[Batch]:
    """The events of a file that were not acknowledged, with consecutive numbers."""
    batch, size = Batch(0, []), 0
    for number, event in record.read(path.read_bytes()):
        if number <= acked or event.startswith(_PAUSED):
            continue
        is_next = number == batch.first + len(batch.events)
        if not is_next or len(batch.events) == BATCH_EVENTS or size + len(event) > BATCH_BYTES:
            if batch.events:
                yield batch
            batch, size = Batch(number, []), 0
        batch.events.append(event)
        size += len(event) + 1
        acked = number
    if batch.events:
        yield batch
