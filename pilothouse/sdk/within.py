"""A script that `pilothouse run -- …` started takes part in the run of its command.

It is one more writer of the attempt. The run's controls reach it, and it obeys
them at its own safepoints; the end of its block is not the end of the run, which
is the end of the command.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pilothouse.errors import LeaseLost
from pilothouse.sdk.assignment import VARIABLES, fetch, make_handle
from pilothouse.sdk.failure import describe
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import HEARTBEAT_SECONDS, ORPHAN_SECONDS, Link
from pilothouse.sdk.recovery import complete
from pilothouse.sdk.session import EXIT_CANCELLED, EXIT_CUT_OFF, FLUSH_SECONDS, Stopped, settled
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, Released
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.state import State
from pilothouse.sdk.termination import EXIT_TERMINATED, Terminated, unwind_on_sigterm
from pilothouse.sdk.traces import Traces


class Within:
    """Attached to the run whose command this process belongs to.

    Args:
        environ: The variables that the run's job gave to the command.
        params: The script's own params; those of the run outrank them.
    """

    def __init__(self, environ: Mapping[str, str], params: Mapping[str, Any]) -> None:
        self._server, self._token, self._run_id, attempt, folder = (environ[name] for name in VARIABLES)
        self._attempt = int(attempt)
        self._folder = Path(folder)
        self._params = params
        self._orphan_seconds = float(environ.get("PILOTHOUSE_ORPHAN_SECONDS") or ORPHAN_SECONDS)
        self._traces = Traces(self._folder)

    def open(self) -> RunHandle:
        """Take up the attempt's state.

        Raises:
            Stopped: The attempt is no longer the run's.
            PilothouseError: The server was away for too long, or refuses.
        """
        self._traces.attach()
        try:
            return self._attach()
        except BaseException as error:
            self._traces.leave("ended")
            if isinstance(error, LeaseLost):
                raise Stopped(EXIT_CANCELLED) from None
            raise

    def close(self, error: BaseException | None) -> BaseException | None:
        """Leave the run to its command, whose exit code decides."""
        error = settled(self._handle, error)
        reason, instead = _judge(error)
        try:
            self._link.flush(FLUSH_SECONDS)
        finally:
            self._link.close()
            self._restore()
            self._traces.leave(reason, describe(error) if isinstance(error, Exception) else None)
        return instead

    def _attach(self) -> RunHandle:
        given = fetch(self._server, self._token, self._run_id, self._attempt, self._orphan_seconds)
        spool = Spool(self._folder, self._attempt, f"attached-{os.getpid()}-{os.urandom(2).hex()}")
        given, run = complete(given, spool), given["run"]
        self._link = Link(
            self._server,
            self._token,
            self._run_id,
            self._attempt,
            heartbeat_seconds=given.get("heartbeat_seconds", HEARTBEAT_SECONDS),
            orphan_seconds=self._orphan_seconds,
            writer=spool.writer,
            spool=spool,
        )
        params = {**self._params, **run["params"].get("params", {})}
        self._handle = make_handle(self._link, given, params, self._folder)
        self._link.start(State.of(run))
        self._restore = unwind_on_sigterm()
        return self._handle


def _judge(error: BaseException | None) -> tuple[str, BaseException | None]:
    """What the command's job is told, and what goes on upwards."""
    match error:
        case Terminated():
            return "ended", Stopped(EXIT_TERMINATED)
        case Cancelled():
            return "cancelled", Stopped(EXIT_CANCELLED)
        case Fenced() | Released():
            return "ended", Stopped(EXIT_CANCELLED)
        case CutOff():
            return "cut_off", Stopped(EXIT_CUT_OFF)
        case Exception():
            return "failed", error
        case _:
            return "ended", error
