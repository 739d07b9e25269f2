"""A run whose process is there already: made, and begun, by whoever executes it.

No host claims it, and nobody can begin it again: when its process is lost, the
run has failed, and a new one reuses what it finished.
"""

from __future__ import annotations

from pilothouse.contracts import NewRun
from pilothouse.engine.engine import Engine
from pilothouse.errors import Conflict, LeaseLost
from pilothouse.model import event as e
from pilothouse.model.run import Run


async def attach(engine: Engine, new: NewRun, process: str) -> Run:
    """Make an attached run and give its first attempt to the process that asks.

    Asked again with the same idempotency key, it answers the same run.

    Args:
        engine: The engine.
        new: The run, with `attached` set.
        process: Name of the process, unique while it lives.

    Raises:
        LeaseLost: The run has ended, or another process has it.
    """
    run, _ = await engine.submit(new)
    if not run.attempt:
        try:
            run = (await engine.append(run.id, e.RunStarted(attempt=1, host=process))).run
        except Conflict:
            run = await engine.store.get(run.id)
    if run.host != process or run.attempt != 1 or run.status.is_terminal:
        raise LeaseLost(
            f"Run {run.name} is no longer this process's to execute.", status=run.status, attempt=run.attempt
        )
    return run
