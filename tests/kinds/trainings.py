"""A training on a backend that computes alike, for tests of its loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.training import KIND
from pilothouse.kinds.training.backend import ArithmeticBackend
from pilothouse.kinds.training.job import Training
from pilothouse.kinds.training.params import Params
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import Fenced
from tests.sdk.link_server import LinkServer

Begin = Callable[..., RunHandle]
OnStep = Callable[[int], float | None]


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def begin(server: LinkServer, tmp_path: Path) -> Iterator[Begin]:
    """Begins the next attempt of a training in the test's own thread."""
    links: list[Link] = []

    def begin(folder: Path = tmp_path, **params: Any) -> RunHandle:
        if params:
            server.add_run(**KIND.validate(params))
        elif server.status() == "queued":
            server.next_attempt_of_queued()
        else:
            server.next_attempt()
        log = server.log
        link = Link(server.url, "secret", "run_1", log.run.attempt)
        links.append(link)
        handle = RunHandle(
            link,
            id="run_1",
            name="test",
            attempt=log.run.attempt,
            params=dict(log.run.params),
            folder=folder,
            finished=tuple(log.finished),
        )
        link.start(on_live=handle.params.update)
        return handle

    yield begin
    for link in links:
        link.close()


def perform(handle: RunHandle, on_step: OnStep = lambda step: None) -> None:
    """One attempt, to its end or to what ends it."""
    try:
        Training(handle, Params.model_validate(handle.params), ArithmeticBackend(on_step)).run()
    finally:
        handle._link.flush(30)


def hear(handle: RunHandle, control: str, seconds: float = 30.0) -> None:
    """Wait until a job has heard what was asked of it."""
    end = time.monotonic() + seconds
    while handle.pending != control:
        assert time.monotonic() < end, f"waited {seconds} s in vain for {control}"
        time.sleep(0.002)


def losses(server: LinkServer) -> dict[int, float]:
    """The logged losses by step; a step that was done again must have given the same."""
    found: dict[int, float] = {}
    for body in server.bodies("metric"):
        if "loss" in body.values:
            assert found.setdefault(body.step, body.values["loss"]) == body.values["loss"]
    return found


def notes(server: LinkServer, feed: str) -> list[str]:
    return [body.text for body in server.bodies("note") if body.feed == feed]


def rows(server: LinkServer) -> list[str]:
    return [body.data["steps"] for body in server.bodies("item.finished")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    """The losses of 30 steps without an interruption."""
    server = LinkServer()
    folder = tmp_path_factory.mktemp("whole")
    server.add_run(**KIND.validate({"steps": 30, "logging_steps": 3, "save_steps": 10}))
    link = Link(server.url, "secret", "run_1", 1)
    handle = RunHandle(link, id="r", name="t", attempt=1, params=dict(server.log.run.params), folder=folder)
    link.start(on_live=handle.params.update)
    perform(handle)
    link.close()
    server.stop()
    return losses(server)


THIRTY = {"steps": 30, "logging_steps": 3, "save_steps": 10}


def fenced(*_: object) -> None:
    """Another attempt has taken over."""
    raise Fenced
