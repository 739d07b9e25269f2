"""A run whose process is there already: made, and begun, by whoever executes it.

No host claims it, and nobody can begin it again: when its process is lost, the
run has failed, and a new one reuses what it finished. Nobody can end its process
from here either: one that does not obey a cancel is told of, and left alone.
"""

from __future__ import annotations

import contextlib

from pilothouse import clock
from pilothouse.contracts import COOPERATIVE_SECONDS, TERMINATE_SECONDS, NewRun
from pilothouse.engine.engine import Engine
from pilothouse.errors import Conflict, LeaseLost, NotFound
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status

OVERDUE_SECONDS = COOPERATIVE_SECONDS + TERMINATE_SECONDS
OVERDUE_TEXT = (
    "The script has not obeyed the cancel. No host can end it, since it was started by hand: "
    "end its process where it runs ({host})."
)


async def attach(engine: Engine, new: NewRun) -> Run:
    """Make a run whose first attempt belongs to the process that asks.

    Asked again with the same idempotency key, it answers the same run.

    Args:
        engine: The engine.
        new: The run, with its `process`.

    Raises:
        LeaseLost: The run has ended, or another process has it.
    """
    run, _ = await engine.submit(new)
    if run.host != new.process or run.attempt != 1 or run.status.is_terminal:
        raise LeaseLost(
            f"Run {run.name} is no longer this process's to execute.", status=run.status, attempt=run.attempt
        )
    return run


async def tell_overdue(engine: Engine) -> None:
    """Say once of each cancelled run whose own process has not obeyed in time that it has not."""
    for run in await engine.all_with((Status.RUNNING, Status.PAUSED)):
        if not run.attached or run.pending is not Control.CANCEL or run.survivors is not None:
            continue
        if run.request and clock.seconds_between(run.request.time, clock.now()) >= OVERDUE_SECONDS:
            text = e.Log(level="error", source="server", text=OVERDUE_TEXT.format(host=run.host))
            with contextlib.suppress(Conflict, NotFound):  # it has just ended
                await engine.append(run.id, e.RunCancelOverdue(survivors=1), text, attempt=run.attempt)
