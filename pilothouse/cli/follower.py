"""A run as its log tells it, across lost connections.

A lost connection is taken up again from the last event seen, for as long as it
takes: there is no last attempt. The waits are random between nothing and a limit
that grows, so that many who lost the same server do not come back at once.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from pilothouse.cli.client import EXIT_OF_HTTP, OTHER, SILENCE_SECONDS, Client, CliError
from pilothouse.errors import PilothouseError, Unavailable
from pilothouse.sdk.wire import UNREACHABLE

ROWS = 8
LOOK_SECONDS = 0.5
CAPS = (1.0, 3.0, 5.0, 10.0, 20.0, 30.0)
LOSSES = frozenset({"gap", "reset"})
TURNS = frozenset(
    {
        "run.started", "run.paused", "run.resumed", "run.interrupted", "run.stuck", "run.recovered",
        "run.cancel_overdue", "control.requested", "control.withdrawn",
    }
)  # fmt: skip


def wait_seconds(tries: int, chance: Callable[[], float] = random.random) -> float:
    """How long to wait before the next try.

    Args:
        tries: Failures since it last went well, 1 or more.
        chance: Uniform between 0 and 1.

    Returns:
        Seconds, uniform between 0 and the cap of this try: 1, 3, 5, 10, 20, then 30 for ever.
    """
    return CAPS[min(max(tries, 1), len(CAPS)) - 1] * chance()


class Follower:
    """A run as its log tells it, event by event.

    Args:
        client: The server.
        run: The run.
        timeout: Seconds after which `events` ends; None follows for as long as it takes.
        after: The place to begin at.

    Attributes:
        run: As last seen.
        rows: The newest finished items.
        lost: There is no connection at the moment.
        note: What of the log is gone, in a sentence; None while nothing is.
    """

    def __init__(
        self, client: Client, run: dict[str, Any], timeout: float | None = None, after: int = 0
    ) -> None:
        self._end = math.inf if timeout is None else time.monotonic() + timeout
        self.client = client
        self.run = run
        self.rows: deque[dict[str, Any]] = deque(maxlen=ROWS)
        self.lost = False
        self.note: str | None = None
        self._looked = time.monotonic()
        self._after = after
        self._epoch: str | None = None
        self._tries = 0
        self._told_wait: float | None = None

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event and service frame until the run has ended, then one last look at the run.

        Raises:
            CliError: The server refuses.
        """
        while True:
            try:
                for line in self.client.events(self.run["id"], self._place(), self._patience()):
                    if line.startswith(b"data: "):
                        event = json.loads(line[6:])
                        self._take(event)
                        yield event
                    if time.monotonic() > self._end:
                        return
                self._look(force=True)
                if self.run["ended_at"] and self._after >= self.run["head"]:
                    return
            except (Unavailable, *UNREACHABLE):
                if time.monotonic() > self._end:
                    return  # a quiet run, and the time is over
                self.lost = True
                yield {"type": "lost"}
            except PilothouseError as error:
                code = EXIT_OF_HTTP.get(error.http_status, OTHER)
                raise CliError(error.message, *filter(None, [error.hint]), exit_code=code) from None
            if not self._wait():
                return

    def _patience(self) -> float:
        """Seconds to listen to silence: not beyond the time that was set."""
        return max(0.01, min(SILENCE_SECONDS, self._end - time.monotonic()))

    def _wait(self) -> bool:
        """Wait before the next try; False when there is no time for one."""
        self._tries += 1
        wait = wait_seconds(self._tries) if self._told_wait is None else self._told_wait
        self._told_wait = None
        left = self._end - time.monotonic()
        time.sleep(max(0.0, min(wait, left)))
        return wait < left

    def _place(self) -> str:
        return f"{self._epoch}-{self._after}" if self._epoch else str(self._after)

    def _take(self, event: dict[str, Any]) -> None:
        data = event.get("data", {})
        match event["type"]:
            case "hello":
                self._tries, self.lost = 0, False
                self._epoch = data["epoch"]
            case "bye":
                self._told_wait = data["retry_ms"] / 1000
            case "gap":
                self._after = data["to"]
                self.note = loss_sentence(event)
            case "reset":
                self._after = 0
                self.rows.clear()
                self.note = loss_sentence(event)
                self._look(force=True)
            case "item.finished":
                self.rows.append(data)
        if "seq" in event:
            self._after = event["seq"]
            self._look(force=event["type"] in TURNS)

    def _look(self, *, force: bool) -> None:
        """Ask for the folded run, at most twice a second."""
        if force or time.monotonic() - self._looked > LOOK_SECONDS:
            with contextlib.suppress(CliError):
                self.run = self.client.run(self.run["id"])
            self._looked = time.monotonic()


def loss_sentence(frame: dict[str, Any]) -> str:
    """What a `gap` or `reset` means, in a sentence."""
    data = frame["data"]
    if frame["type"] == "reset":
        return f"The log is not the one it was: {data['reason']}. It is read anew."
    if data["from"] == data["to"]:
        return f"Event {data['to']} is no longer kept."
    return f"Events {data['from']}–{data['to']} are no longer kept."
