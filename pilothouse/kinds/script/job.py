"""The job of a script: start the command, stand by, and tell how it ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.kinds.bars import Bar, BarReader
from pilothouse.kinds.environment import environment
from pilothouse.kinds.script.command import Command
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import CutOff, Fenced
from pilothouse.sdk.standby import Standby
from pilothouse.sdk.traces import Traces

FENCED_SECONDS = 1.0
CUT_OFF_SECONDS = 5.0
LONGEST_SIGN_SECONDS = 60.0


class ExitCode(PilothouseError):
    """The command ended with an exit code that is not 0."""

    code = "exit_code"


class Signalled(PilothouseError):
    """The command was ended by a signal that nobody here sent."""

    code = "signal"


class Crash(PilothouseError):
    """The script attached itself, and an exception ended it; the details say where, if that is known."""

    code = "crash"


class NotRepeated(PilothouseError):
    """An earlier attempt began the command and did not come to an end."""

    code = "worker_lost"


def run(run: RunHandle) -> None:
    """Run the command once.

    Raises:
        PilothouseError: It cannot be started, or did not end well; the details say how.
    """
    perform(run, run.params, lambda bar: run.progress(bar.done, bar.total))


def perform(run: RunHandle, params: Mapping[str, Any], on_bar: Callable[[Bar], None]) -> None:
    """Run a command once, whatever the kind.

    Args:
        run: The handle.
        params: `command`, `folder`, `environment`, `restart` and `stuck_seconds` as the kind `script` has them.
        on_bar: Told when a progress bar moves, unless the command tells its progress itself.

    Raises:
        PilothouseError: It cannot be started, or did not end well; the details say how.
    """
    traces = Traces(run.folder)
    _check_repeat(params, traces)
    traces.start()
    standby = Standby(run, _sign_seconds(params["stuck_seconds"]))
    standby.catch_up()
    bars = BarReader(lambda bar: None if traces.was_attached else on_bar(bar))

    def heard(text: str, source: str) -> None:
        standby.moved()
        bars.hear(text, source)

    command = Command(
        params["command"],
        Path(params["folder"] or run.folder),
        environment(os.environ, params["environment"]),
        lambda: traces.is_attached,
        heard,
        standby.wake,
    )
    try:
        standby.wait(command)
    except BaseException as reason:
        command.end(_patience(reason))
        raise
    command.drain()
    bars.finish()
    _judge(command, traces.left(), standby)


def _check_repeat(params: Mapping[str, Any], traces: Traces) -> None:
    """A command that knows nothing of the run is begun once: nothing tells how far it came."""
    if traces.was_started and not traces.was_attached and not params["restart"]:
        raise NotRepeated(
            "The command was interrupted, and it is not begun again: nothing tells how far it came.",
            hint="Retry the run, or let it begin again by itself with --restart. "
            "A script that uses `ph.run` goes on where it was.",
        )


def _sign_seconds(stuck_seconds: float | None) -> float:
    """Often enough not to count as stuck, seldom enough not to fill the log."""
    return LONGEST_SIGN_SECONDS if stuck_seconds is None else min(LONGEST_SIGN_SECONDS, stuck_seconds / 10)


def _patience(reason: BaseException) -> float | None:
    """Seconds until SIGKILL. After a cancel the host decides that, with a ladder of its own."""
    if isinstance(reason, Fenced):
        return FENCED_SECONDS
    return CUT_OFF_SECONDS if isinstance(reason, CutOff) else None


def _judge(command: Command, left: dict[str, Any], standby: Standby) -> None:
    code, failure = command.exit_code or 0, left.get("failure")
    match left.get("reason"):
        case "cancelled":
            standby.settle_cancel()
        case "cut_off":
            raise CutOff
    if code == 0:
        standby.settle()
        return
    tail = command.tail or None
    if code < 0:
        raise Signalled(
            f"The command was ended by signal {-code} ({_name(-code)}).",
            hint="A system short of memory kills with signal 9." if code == -signal.SIGKILL else None,
            signal=-code,
            exit_code=None,
            tail=tail,
        )
    if failure:
        raise Crash(
            failure["message"],
            hint=failure.get("hint"),
            where=failure.get("where"),
            exit_code=code,
            tail=failure["tail"],
        )
    raise ExitCode(f"The command ended with exit code {code}.", exit_code=code, tail=tail)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
