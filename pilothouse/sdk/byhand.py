"""A script that somebody started by hand makes a run of its own and executes it itself.

No host claims such a run and nobody can begin it again. So the process says
itself how it ended; when it is killed, its lease runs out and the run has failed.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pilothouse.errors import Forbidden, PilothouseError, Unauthorised, Unavailable
from pilothouse.sdk.assignment import make_handle
from pilothouse.sdk.console import capture
from pilothouse.sdk.encoding import dump
from pilothouse.sdk.failure import describe
from pilothouse.sdk.finding import data_folder, find_server, find_token, recorded_server
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import HEARTBEAT_SECONDS
from pilothouse.sdk.recovery import complete
from pilothouse.sdk.sampler import Sampler, look_at_itself
from pilothouse.sdk.scriptlink import ScriptLink
from pilothouse.sdk.session import EXIT_CANCELLED, FLUSH_SECONDS, Stopped, settled, tell
from pilothouse.sdk.signals import Cancelled
from pilothouse.sdk.spool import Spool
from pilothouse.sdk.state import State
from pilothouse.sdk.termination import EXIT_TERMINATED, Terminated, unwind_on_sigterm
from pilothouse.sdk.wire import Wire, call

QUIET_SECONDS = 3.0
START_SECONDS = 3.0
ANSWER_SECONDS = 10.0
TAKE_OVER_SECONDS = 600.0  # a million results take the server a minute or more
_NO_SCRIPT = frozenset({"", "-", "-c", "-m"})


class ByHand:
    """A run of its own, which this process executes.

    Args:
        name: The run's name; None: the script's.
        params: The script's params.
        tags: The run's tags.
        resume: An ended run whose finished items are reused: a reference, or `@last` for the newest
            of this name.
    """

    def __init__(
        self, name: str | None, params: Mapping[str, Any], tags: Sequence[str], resume: str | None
    ) -> None:
        self._name = name or own_name()
        self._params = dict(params)
        self._tags = list(tags)
        self._resume = resume
        self._data = data_folder()
        self._server = find_server(self._data)
        self._token = find_token(self._data)
        self._restore: Callable[[], None] = lambda: None
        self._leave_sigterm: Callable[[], None] = lambda: None

    def open(self) -> RunHandle:
        """Make the run and begin it; without a server say so, once.

        Raises:
            PilothouseError: The server refuses the run, or there is none and `PILOTHOUSE_REQUIRED` is set.
        """
        try:
            given = self._begin()
        except (Unavailable, Unauthorised, Forbidden) as error:
            if os.environ.get("PILOTHOUSE_REQUIRED", "") not in ("", "0"):
                raise
            return self._go_unrecorded(error)
        run = given["run"]
        folder = self._make_folder(run["id"])
        self._inherit(run["retry_of"], folder)
        spool = Spool(folder, 1, f"script-{os.urandom(4).hex()}")
        given = complete(given, spool, is_heir=True)
        heartbeat_seconds = given.get("heartbeat_seconds", HEARTBEAT_SECONDS)
        self._link = ScriptLink(self._server, self._token, run["id"], spool, tell, heartbeat_seconds)
        self._handle = make_handle(self._link, given, self._params, folder)
        self._link.start(State.of(run))
        every_seconds = float(given.get("sample_seconds") or 0)
        self._sampler = Sampler(self._link, 0.0, every_seconds, lambda: look_at_itself)
        self._sampler.start()
        self._restore = capture(self._log)
        self._leave_sigterm = unwind_on_sigterm()
        tell(f"Run #{run['number']}   {self._server}/runs/{run['id']}")
        return self._handle

    def close(self, error: BaseException | None) -> BaseException | None:
        """Tell how it ended. A last word that the server cannot take yet is waited for."""
        error = settled(self._handle, error)
        self._restore()
        self._sampler.stop()
        try:
            self._say_last(error)
        finally:
            self._link.is_ending = True
            self._link.close()
            self._leave_sigterm()
        if isinstance(error, Terminated):
            return Stopped(EXIT_TERMINATED)
        return Stopped(EXIT_CANCELLED) if isinstance(error, Cancelled) else error

    def _begin(self) -> dict[str, Any]:
        body = {
            "process": f"{socket.gethostname()}:{os.getpid()}",
            "name": self._name,
            "tags": self._tags,
            "params": {"command": command(), "folder": str(Path.cwd()), "params": self._params},
            "reuse": self._reused(),
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": os.urandom(16).hex()}
        patience = TAKE_OVER_SECONDS if body["reuse"] else ANSWER_SECONDS
        return self._call("POST", "/api/attached", dump(body), headers, patience)

    def _reused(self) -> str | None:
        """The id of the run whose items are reused."""
        if self._resume is None:
            return None
        if self._resume != "@last":
            return str(self._call("GET", f"/api/runs/{quote(self._resume, safe='')}")["id"])
        query = urlencode({"kind": "script", "q": self._name, "limit": 200})
        for run in self._call("GET", f"/api/runs?{query}")["runs"]:
            if run["name"] == self._name:
                return str(run["id"])
        tell(f"There is no earlier run named {self._name!r}: nothing is reused.")
        return None

    def _folder(self, run_id: str) -> Path:
        return self._data / "runs" / run_id

    def _make_folder(self, run_id: str) -> Path:
        """The run's folder; a temporary one where the disk gives none: the work matters more."""
        folder = self._folder(run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            folder = _make_temporary_folder()
            tell(f"The run's files are in {folder}, for its own folder cannot be made: {error}")
        return folder

    def _inherit(self, earlier: str | None, folder: Path) -> None:
        """Take what the process of the earlier run could not send before it was killed."""
        if earlier is None:
            return
        for path in self._folder(earlier).glob("spool-*"):
            with suppress(OSError):
                path.rename(folder / path.name)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> dict[str, Any]:
        """One request. Where nothing says that a server runs, it is not waited for."""
        is_known = os.environ.get("PILOTHOUSE_SERVER") or recorded_server(self._data)
        patience = START_SECONDS if is_known else 0.0
        wire = Wire(self._server, self._token, answer_seconds)
        return call(wire, method, path, (lambda: body) if body else None, headers, patience).json()

    def _go_unrecorded(self, error: PilothouseError) -> RunHandle:
        why = "no answer" if isinstance(error, Unavailable) else error.message
        tell(
            f"No Pilothouse server at {self._server} ({why.rstrip('.')}): {self._name!r} runs unrecorded. "
            "Start one: pilothouse up"
        )
        self._link = ScriptLink(self._server, self._token, "", None, tell)
        self._sampler = Sampler(self._link, 0.0, 0.0, lambda: look_at_itself)
        run = {"id": "", "name": self._name, "attempt": 1}
        given: dict[str, Any] = {"run": run, "saved_state": None, "finished": []}
        self._handle = make_handle(self._link, given, self._params, _make_temporary_folder())
        return self._handle

    def _say_last(self, error: BaseException | None) -> None:
        link = self._link
        if not self._flush():
            return
        for _ in range(2):  # a cancel may come just before the last word, which is then another one
            if not link.is_recorded:
                return
            if isinstance(error, KeyboardInterrupt | Terminated):
                self._ask_cancel("SIGTERM" if isinstance(error, Terminated) else "Ctrl+C")
            link.is_ending = True
            link.put(*self._last_word(error))
            if not self._flush() or link.state.pending != "cancel":
                return

    def _last_word(self, error: BaseException | None) -> tuple[str, dict[str, Any]]:
        if isinstance(error, Cancelled | KeyboardInterrupt) or self._link.state.pending == "cancel":
            return "run.cancelled", {"by": self._canceller(), "confirmed_dead": False}
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            return "run.completed", {}
        return "run.failed", describe(error)

    def _ask_cancel(self, reason: str) -> None:
        """A signal is the user's wish, as a click on the page would be."""
        body = dump({"reason": reason})
        with suppress(PilothouseError):
            self._link.call("POST", "/cancel", lambda: body, {"Content-Type": "application/json"})

    def _canceller(self) -> str:
        with suppress(PilothouseError):
            request = self._link.call("GET", "").json().get("request") or {}
            return str(request.get("actor") or "user")
        return "user"

    def _flush(self) -> bool:
        """Wait until the server has everything, and say so when that takes long; False when it does not get it."""
        link = self._link
        if link.flush(QUIET_SECONDS) or not link.is_recorded or link.is_fenced:
            return link.is_recorded and not link.is_fenced
        tell("The server is away. Waiting until it takes the last results; Ctrl+C leaves without.")
        if link.flush(FLUSH_SECONDS):
            return True
        if link.is_recorded and not link.is_fenced:
            tell(
                f"The server has not come back. The last results are kept in {self._handle.folder}; "
                'a run with resume="@last" sends them.'
            )
        return False

    def _log(self, source: str, text: str) -> None:
        self._link.put("log", {"level": "info", "source": source, "text": text})


def _make_temporary_folder() -> Path:
    import tempfile  # a script with a server and a disk need not load it

    return Path(tempfile.mkdtemp(prefix="pilothouse-"))


def own_name() -> str:
    """A name for a script that gives none: its file's."""
    first = sys.argv[0] if sys.argv else ""
    return "script" if first in _NO_SCRIPT else Path(first).stem


def command() -> list[str]:
    """How this process was started, so that a host can start it again."""
    words = [sys.executable or "python", *sys.orig_argv[1:]]
    return [word.encode("utf-8", "replace").decode() for word in words]
