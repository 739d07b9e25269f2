"""The command line's view of a server: one connection, errors as exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pilothouse.errors import PilothouseError
from pilothouse.sdk.finding import data_folder, find_server, find_token
from pilothouse.sdk.wire import UNREACHABLE, Answer, Wire

OK = 0
OTHER = 1
USAGE = 2
RUN_FAILED = 3
RUN_CANCELLED = 4
STILL_WAITING = 5
NO_SERVER = 6
NO_SUCH_RUN = 7
NOT_POSSIBLE = 8
STUCK = 9
NOT_ALLOWED = 10
INTERRUPTED = 130

SILENCE_SECONDS = 40.0
TOLD_ERRORS = 10  # of one refusal, behind the first

EXIT_OF_STATUS = {"completed": OK, "failed": RUN_FAILED, "cancelled": RUN_CANCELLED}
EXIT_OF_HTTP = {
    401: NOT_ALLOWED,
    403: NOT_ALLOWED,
    404: NO_SUCH_RUN,
    409: NOT_POSSIBLE,
    412: NOT_POSSIBLE,
    422: USAGE,
    413: USAGE,
}


class CliError(Exception):
    """Something that ends a command.

    Attributes:
        lines: What to print on stderr: what happened, then the ways out.
        exit_code: The command's exit code.
    """

    def __init__(self, *lines: str, exit_code: int = OTHER) -> None:
        super().__init__(lines[0])
        self.lines = lines
        self.exit_code = exit_code


class Client:
    """Calls to one server.

    Args:
        server: Base URL; None looks into the environment, then into the data folder.
        data: The data folder, which holds the token and a running server's address.
    """

    def __init__(self, server: str | None = None, data: Path | None = None) -> None:
        self.data = data_folder(data)
        self.server = find_server(self.data, server)
        self._wire = Wire(self.server, find_token(self.data), timeout=60.0)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET as JSON."""
        return self.call("GET", path + _query(query))

    def post(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """POST as JSON."""
        return self.call("POST", path + _query(query), {} if body is None else body)

    def make(self, path: str, body: Any, key: str | None = None) -> dict[str, Any]:
        """POST that makes a run; its key makes one of it when the connection is lost and it is sent twice."""
        return self.raw("POST", path, body, {"Idempotency-Key": key or os.urandom(16).hex()}).json()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One call.

        Raises:
            CliError: With the exit code that fits the refusal.
        """
        answer = self.raw(method, path, body)
        return answer.json()

    def raw(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One call, with the answer's bytes."""
        data = None if body is None else json.dumps(body).encode()
        typed = {} if data is None else {"Content-Type": "application/json"}
        try:
            answer = self._wire.request(method, path, data, {**typed, **(headers or {})})
        except UNREACHABLE as error:
            raise self.unreachable(error) from None
        if not answer.is_ok:
            raise refusal(answer)
        return answer

    def events(self, run_id: str, after: str, silence: float = SILENCE_SECONDS) -> Iterator[bytes]:
        """The lines of a run's event stream after a place, `<epoch>-<seq>` or `<seq>`.

        Args:
            run_id: The run.
            after: The place.
            silence: Seconds without a byte after which the connection counts as lost.

        Raises:
            OSError, HTTPException: The connection is lost.
        """
        wire = Wire(self.server, find_token(self.data), timeout=silence)
        yield from wire.lines(f"/api/runs/{quote(run_id)}/events?after={after}")

    def pieces(self, path: str, start: int, size: int) -> Iterator[bytes]:
        """A file from a place on, in pieces of at most so many bytes.

        Raises:
            CliError: The server refuses.
            OSError, HTTPException: The connection is lost.
        """
        wire = Wire(self.server, find_token(self.data), timeout=SILENCE_SECONDS)
        try:
            yield from wire.pieces(path, start, size)
        except PilothouseError as error:
            lines = [error.message, *([error.hint] if error.hint else [])]
            code = EXIT_OF_HTTP.get(error.http_status, OTHER)
            raise CliError(*lines, exit_code=code) from None

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        self._wire.close()

    def run(self, reference: str) -> dict[str, Any]:
        """The run by id, unique beginning, number, name or `@last`."""
        if "/" in reference:  # only a name has one, and no path can carry it
            reference = self._named(reference)
        return self.get(f"/api/runs/{quote(reference, safe='@')}")

    def _named(self, name: str) -> str:
        """The id of the one run of this name."""
        runs = self.get("/api/runs", q=name, limit=200)["runs"]
        ids = [str(run["id"]) for run in runs if run["name"] == name]
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise CliError(f"No run is called {name}.", "List them:  pilothouse ls", exit_code=NO_SUCH_RUN)
        several = f"{len(ids)} runs are called {name}; name one by its id:"
        raise CliError(several, *ids[:5], exit_code=NO_SUCH_RUN)

    def is_up(self) -> bool:
        """Whether a Pilothouse server answers at this address."""
        try:
            answer = self._wire.request("GET", "/api/health")
        except UNREACHABLE:
            return False
        return answer.is_ok and answer.json().get("status") == "ok"

    def unreachable(self, error: BaseException) -> CliError:
        """No server: what to do."""
        why = (
            "connection refused"
            if isinstance(error, ConnectionRefusedError)
            else str(error) or type(error).__name__
        )
        return CliError(
            f"No Pilothouse server at {self.server} ({why}).",
            "Start one:         pilothouse up",
            "Use another one:   pilothouse --server URL …   or set PILOTHOUSE_SERVER",
            exit_code=NO_SERVER,
        )


def refusal(answer: Answer) -> CliError:
    """A refused call in words, with the exit code that fits."""
    error = answer.json().get("error", {})
    lines = [str(error.get("message") or f"The server answered {answer.status}.")]
    further = error.get("errors", [])[1:]
    lines += [f"{each['field']}: {each['message']}" for each in further[:TOLD_ERRORS]]
    if len(further) > TOLD_ERRORS:
        lines.append(f"… and {len(further) - TOLD_ERRORS:,} more")
    if error.get("hint"):
        lines.append(str(error["hint"]))
    code = NO_SUCH_RUN if error.get("code") == "ambiguous" else EXIT_OF_HTTP.get(answer.status, OTHER)
    return CliError(*lines, exit_code=code)


def _query(query: dict[str, Any]) -> str:
    pairs = []
    for name, value in query.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [f"{name}={quote(str(each))}" for each in values if each is not None]
    return "?" + "&".join(pairs) if pairs else ""
