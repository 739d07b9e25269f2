"""A run of a kind on a real server, and what its log tells, for the contract of kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil

from pilothouse.sdk.kind import Kind
from pilothouse.testing.stack import Stack

Json = dict[str, Any]
TOO_SHORT = (
    "the run was over, or had begun anew, before it could be steered: give `steered` what makes it longer"
)


class Record:
    """A run of the kind on a real server, and what its log tells.

    Args:
        up: The server.
        kind: What to run.
        params: With what.
    """

    def __init__(self, up: Stack, kind: Kind, params: Json) -> None:
        self.up = up
        self.params = params
        self.id: str = up.api("POST", "/api/runs", {"kind": kind.name, "params": params})["id"]

    @property
    def run(self) -> Json:
        """The run as it is now."""
        return self.up.run(self.id)

    def wait(self, is_reached: Callable[[Json], bool], what: str) -> Json:
        """Wait until the run is as wanted."""
        return self.up.wait(self.id, is_reached, f"{what} of {self.id}")

    def log(self) -> list[Json]:
        """All events."""
        return self.up.log(self.id)

    def items(self) -> list[Json]:
        """What `item.finished` told, oldest first."""
        return [event["data"] for event in self.log() if event["type"] == "item.finished"]

    def repeated(self) -> set[str]:
        """Keys that were begun, or told again, although an attempt before had finished them."""
        finished: set[str] = set()
        earlier: frozenset[str] = frozenset()
        again: set[str] = set()
        for event in self.log():
            match event["type"]:
                case "run.started":
                    earlier = frozenset(finished)
                case "item.started" if event["data"]["key"] in earlier:
                    again.add(event["data"]["key"])
                case "item.finished":
                    if event["data"]["key"] in finished:
                        again.add(event["data"]["key"])
                    finished.add(event["data"]["key"])
        return again

    def control(self, control: str, **more: Any) -> None:
        """Ask for a pause, a resume or a cancel."""
        with self.up.client() as client:
            answer = client.post(f"/api/runs/{self.id}/{control}", json=more)
        assert answer.is_success, f"{TOO_SHORT}\n{answer.text}"

    def cancel(self) -> None:
        """See to it that nothing goes on."""
        if not is_ended(self.run):
            self.control("cancel")
            self.wait(is_ended, "the end")

    def processes(self) -> list[psutil.Process]:
        """The processes of the job."""
        return self.up.jobs(self.id)

    def kill(self) -> None:
        """SIGKILL the job."""
        jobs = self.processes()
        assert jobs, TOO_SHORT
        for job in jobs:
            job.kill()


def is_ended(run: Json) -> bool:
    """Whether a run is over."""
    return run["ended_at"] is not None


def has_moved(run: Json) -> bool:
    """Whether a run has finished an item."""
    return bool(run["progress"]["done"])


def seq_of(log: list[Json], type_: str) -> int:
    """Where the first event of a type stands."""
    return next(int(event["seq"]) for event in log if event["type"] == type_)
