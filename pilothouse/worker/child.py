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
from typing import TYPE_CHECKING, Any

from pilothouse import failpoint
from pilothouse.clock import seconds_between
from pilothouse.errors import LeaseLost, PilothouseError, Unavailable
from pilothouse.sdk.assignment import fetch, make_handle
from pilothouse.sdk.console import capture
from pilothouse.sdk.failure import describe, in_print
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.handover import hand_over
from pilothouse.sdk.link import HEARTBEAT_SECONDS, ORPHAN_SECONDS, Link
from pilothouse.sdk.recovery import complete, recover
from pilothouse.sdk.session import EXIT_CUT_OFF
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, Released
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.state import State
from pilothouse.sdk.termination import EXIT_TERMINATED
from pilothouse.worker.cutoff import note_cut_off
from pilothouse.worker.lifeline import (
    EXIT_FENCED,
    dump_on_request,
    leave_when_fenced,
    unwind_on_sigterm,
)

if TYPE_CHECKING:
    from pilothouse.worker.vitals import Vitals

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_NO_ASSIGNMENT = 2
EXIT_LEFT = 3
EXIT_UNHEARD = 6
REASON_SECONDS = 10.0
HAND_OVER_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Environment:
    """What the `PILOTHOUSE_*` variables say."""

    server: str
    token: str
    run_id: str
    attempt: int
    entry: str
    folder: Path
    orphan_seconds: float = ORPHAN_SECONDS

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Environment:
        """Read them.

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
    environment = Environment.read(os.environ)
    dump_on_request(environment.folder / f"stack-{environment.attempt}.txt")
    try:
        given = fetch(
            environment.server,
            environment.token,
            environment.run_id,
            environment.attempt,
            environment.orphan_seconds,
        )
    except LeaseLost:
        return EXIT_FENCED
    except PilothouseError as error:
        print(f"pilothouse: no assignment for {environment.run_id}: {error}", file=sys.stderr)  # noqa: T201
        if not isinstance(error, Unavailable):
            return EXIT_NO_ASSIGNMENT
        note_cut_off(environment.folder, environment.attempt)
        return EXIT_CUT_OFF
    failpoint.reach("child.assigned")
    return Attempt(environment, given).run()


class Attempt:
    """One execution of one run.

    Args:
        environment: What to run, and where.
        given: The server's assignment.
    """

    def __init__(self, environment: Environment, given: dict[str, Any]) -> None:
        run = given["run"]
        environment.folder.mkdir(parents=True, exist_ok=True)
        self._environment = environment
        self._spool = spool = Spool(environment.folder, environment.attempt)
        given = complete(given, spool)
        self._acked = given.get("acked")
        self._link = Link(
            environment.server,
            environment.token,
            environment.run_id,
            environment.attempt,
            heartbeat_seconds=given.get("heartbeat_seconds", HEARTBEAT_SECONDS),
            orphan_seconds=environment.orphan_seconds,
            spool=spool,
        )
        self._handle = make_handle(self._link, given, run["params"], environment.folder)
        self._began_as = State.of(run)
        self._vitals = vitals(self._link, age(run), given.get("sample_seconds"))

    def run(self) -> int:
        """Run the job, send all it said and its last word; returns the exit code."""
        self._link.start(self._began_as, self._handle.params.update)
        leave_when_fenced(self._link)
        restore = capture(self._say)
        unwind_on_sigterm()
        self._vitals.start()
        try:
            word = self._word()
        except Cancelled:  # SIGTERM came while the job's end was being judged
            word = self._stopped()
        finally:
            self._vitals.stop()
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
            note_cut_off(self._environment.folder, self._environment.attempt)
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
            load(self._environment.entry)(self._handle)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._handle.settle(error)

    def _judge(self, error: BaseException) -> LastWord:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return LastWord("run.completed", {}, EXIT_OK)
        failure = describe(error, self._environment.entry)
        print(in_print(error, failure), file=sys.stderr)  # noqa: T201
        return LastWord("run.failed", failure, failure["exit_code"] or EXIT_FAILED)

    def _finish(self, word: LastWord) -> int:
        """Send what is left, then the last word. Keeps trying while the server is away.

        A cancelled job has no last word: the host tells its end once all that it started is gone.
        """
        failpoint.reach("child.word.before")
        self._speak_for_the_dead()
        self._link.flush()
        if word.type is None:
            return word.exit_code
        if not self._is_cancelled():
            if self._link.ask(word.type, word.data, patient=True):
                return word.exit_code
            self._link.wait_until(lambda: self._is_cancelled() or self._is_over(), REASON_SECONDS)
        if self._is_cancelled():
            return EXIT_LEFT
        if self._link.is_cut_off:
            note_cut_off(self._environment.folder, self._environment.attempt)
            return EXIT_CUT_OFF
        return EXIT_FENCED if self._link.is_fenced else EXIT_UNHEARD

    def _speak_for_the_dead(self) -> None:
        """Send what died beside the job could not, in its own name; only what takes too long becomes the job's own."""
        given = self._environment
        where = given.server, given.token, given.run_id, given.attempt, given.folder
        while not hand_over(*where, besides=self._spool.writer):
            if self._link.wait_until(self._is_over, HAND_OVER_SECONDS):
                return
        recover(self._spool, acked=self._acked, is_late=True)

    def _is_over(self) -> bool:
        return self._link.is_fenced or self._link.is_cut_off

    def _is_cancelled(self) -> bool:
        return self._link.state.pending == "cancel"

    def _say(self, source: str, text: str) -> None:
        self._link.put("log", {"level": "info", "source": source, "text": text})


def age(run: Mapping[str, Any]) -> float:
    """Seconds since the run first began, by the server's clock alone."""
    if not run.get("started_at") or not run.get("last_event_at"):
        return 0.0
    return max(0.0, seconds_between(run["started_at"], run["last_event_at"]))


def vitals(link: Link, began_seconds: float, every_seconds: float | None) -> Vitals:
    """What samples the machine; loaded when a job begins, not with this module."""
    from pilothouse.sdk.sampler import SAMPLE_SECONDS
    from pilothouse.worker.vitals import Vitals

    return Vitals(link, began_seconds, SAMPLE_SECONDS if every_seconds is None else every_seconds)


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
