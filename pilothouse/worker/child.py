"""The process that runs one attempt: `python -m pilothouse.worker.child`.

It fetches the assignment, calls the entry with a handle, and says one last word
to the log: completed or failed. Without a last word (a cancel, a kill, a lost
attempt, a host that died) the server decides once the process tree is gone.

It reads `PILOTHOUSE_SERVER`, `PILOTHOUSE_TOKEN`, `PILOTHOUSE_RUN_ID`,
`PILOTHOUSE_ATTEMPT`, `PILOTHOUSE_ENTRY` (`module:function`), `PILOTHOUSE_FOLDER` and
`PILOTHOUSE_ORPHAN_SECONDS`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pilothouse import failpoint
from pilothouse.errors import LeaseLost, PilothouseError
from pilothouse.sdk.console import capture
from pilothouse.sdk.failure import describe, in_print
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import HEARTBEAT_SECONDS, ORPHAN_SECONDS, Link, State
from pilothouse.sdk.recovery import complete, recover
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, Released
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.wire import Wire, call
from pilothouse.worker.lifeline import (
    EXIT_FENCED,
    dump_on_request,
    leave_when_fenced,
    unwind_on_sigterm,
)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_NO_ASSIGNMENT = 2
EXIT_LEFT = 3
EXIT_CUT_OFF = 5
EXIT_UNHEARD = 6
EXIT_TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Order:
    """What the environment says."""

    server: str
    token: str
    run_id: str
    attempt: int
    entry: str
    folder: Path
    orphan_seconds: float = ORPHAN_SECONDS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Order:
        """Read the `PILOTHOUSE_*` variables.

        Raises:
            KeyError, ValueError: One is missing or no number.
        """
        return cls(
            environ["PILOTHOUSE_SERVER"],
            environ["PILOTHOUSE_TOKEN"],
            environ["PILOTHOUSE_RUN_ID"],
            int(environ["PILOTHOUSE_ATTEMPT"]),
            environ["PILOTHOUSE_ENTRY"],
            Path(environ["PILOTHOUSE_FOLDER"]),
            float(environ.get("PILOTHOUSE_ORPHAN_SECONDS") or ORPHAN_SECONDS),
        )


@dataclass(frozen=True, slots=True)
class LastWord:
    """How the job ended: the event to send, None to leave without one, and the exit code."""

    type: str | None
    data: dict[str, Any]
    exit_code: int


def main() -> int:
    """Run the attempt that the environment names; returns the exit code."""
    order = Order.from_environment(os.environ)
    dump_on_request(order.folder / f"stack-{order.attempt}.txt")
    try:
        given = call(
            Wire(order.server, order.token, 30.0),
            "GET",
            f"/api/runs/{order.run_id}/assignment?attempt={order.attempt}",
            patience_seconds=order.orphan_seconds,
        ).json()
    except LeaseLost:
        return EXIT_FENCED
    except PilothouseError as error:
        print(f"pilothouse: no assignment for {order.run_id}: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_NO_ASSIGNMENT
    failpoint.reach("child.assigned")
    return Attempt(order, given).run()


class Attempt:
    """One execution of one run.

    Args:
        order: What to run.
        given: The server's assignment.
    """

    def __init__(self, order: Order, given: dict[str, Any]) -> None:
        run = given["run"]
        order.folder.mkdir(parents=True, exist_ok=True)
        self._order = order
        self._spool = spool = Spool(order.folder, order.attempt)
        given = complete(given, spool)
        self._link = Link(
            order.server,
            order.token,
            order.run_id,
            order.attempt,
            heartbeat_seconds=given.get("heartbeat_seconds", HEARTBEAT_SECONDS),
            orphan_seconds=order.orphan_seconds,
            spool=spool,
        )
        self._handle = RunHandle(
            self._link,
            id=order.run_id,
            name=run["name"],
            attempt=order.attempt,
            params=run["params"],
            folder=order.folder,
            saved_state=given["saved_state"],
            finished=given["finished"],
            in_flight=given["in_flight"],
            root=given.get("root"),
        )
        request = run.get("request") or {}
        self._began_as = State(run["status"], run["pending"], request.get("strength") or run.get("strength"))

    def run(self) -> int:
        """Run the job, send all it said and its last word; returns the exit code."""
        self._link.start(self._began_as, self._handle.params.update)
        leave_when_fenced(self._link)
        restore = capture(self._say)
        unwind_on_sigterm()
        try:
            word = self._word()
        except Cancelled:  # SIGTERM came while the job's end was being judged
            word = self._stopped()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the last word goes out; SIGKILL is the limit
            restore()
        code = self._finish(word)
        failpoint.reach("child.word.after")
        self._link.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return code

    def _word(self) -> LastWord:
        """Call the entry and judge its end. A cancel outranks whatever the job made of it."""
        try:
            self._call_entry()
        except Cancelled:
            return self._stopped()
        except Released:
            return LastWord(None, {}, EXIT_LEFT)
        except Fenced:
            return LastWord(None, {}, EXIT_FENCED)
        except CutOff:
            return LastWord(None, {}, EXIT_CUT_OFF)
        except BaseException as error:
            return self._judge(error)
        return LastWord("run.completed", {}, EXIT_OK)

    def _stopped(self) -> LastWord:
        """By a cancel, or by a SIGTERM that nobody asked for: then a later attempt goes on."""
        if self._is_cancelled():
            return LastWord(None, {}, EXIT_LEFT)
        return LastWord(None, {}, EXIT_TERMINATED)

    def _call_entry(self) -> None:
        self._handle.safepoint()
        failpoint.reach("child.entry.before")
        error: BaseException | None = None
        try:
            load(self._order.entry)(self._handle)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._handle.settle(error)

    def _judge(self, error: BaseException) -> LastWord:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return LastWord("run.completed", {}, EXIT_OK)
        failure = describe(error, self._order.entry)
        print(in_print(error, failure), file=sys.stderr)  # noqa: T201
        return LastWord("run.failed", failure, failure["exit_code"] or EXIT_FAILED)

    def _finish(self, word: LastWord) -> int:
        """Send what is left, then the last word. Keeps trying while the server is away.

        A cancelled job has no last word: the host tells its end once all that it started is gone.
        """
        failpoint.reach("child.word.before")
        recover(self._spool, is_late=True)  # what died beside the job, and could not send it
        self._link.flush()
        if word.type is None:
            return word.exit_code
        if not self._is_cancelled():
            if self._link.ask(word.type, word.data, patient=True):
                return word.exit_code
            self._link.wait_until(lambda: self._is_cancelled() or self._link.is_fenced, 10.0)
        if self._is_cancelled():
            return EXIT_LEFT
        return EXIT_FENCED if self._link.is_fenced else EXIT_UNHEARD

    def _is_cancelled(self) -> bool:
        return self._link.state.pending == "cancel"

    def _say(self, source: str, text: str) -> None:
        self._link.put("log", {"level": "info", "source": source, "text": text})


def load(entry: str) -> Callable[[RunHandle], object]:
    """The function that `module:function` names.

    Raises:
        ImportError, AttributeError: There is none.
    """
    module, _, name = entry.partition(":")
    function: Callable[[RunHandle], object] = getattr(import_module(module), name)
    return function


def leave(code: int) -> None:
    """End the process. After a last word Python shuts down as usual; else at once, whatever still hangs."""
    if code in (EXIT_OK, EXIT_FAILED):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
