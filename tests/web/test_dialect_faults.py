"""WebSockets of the dialects where a run or the store has gone: a close code says it, and nothing is a bug."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NoReturn

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pilothouse.engine.tail import Tails
from pilothouse.errors import NotFound, PilothouseError, Unavailable
from pilothouse.kinds import builtin
from pilothouse.model import event as e
from tests.web.autotune_log import PARAMS
from tests.web.clients import Job, call, until, websocket
from tests.web.serving import COUNTING, Running, running

ASKED = {
    "autotune": PARAMS,
    "synthesis": {"example": "iris", "method": "copula"},
    "training": {"model": "tiny", "dataset": "rows.jsonl"},
}
PATHS = {"autotune": "/api/ws/tasks/{number}", "synthesis": "/ws/{id}", "training": "/ws/training/{id}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The server logs no error of its own."""
    yield
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def a_run_of(server: Running, api: httpx2.Client, kind: str) -> Job:
    """A run of a kind that has begun, and where its socket is."""
    answer = api.post("/api/runs", json={"kind": kind, "params": ASKED[kind]})
    assert answer.status_code == 201, answer.text
    job = Job(server, answer.json()["id"])
    job.say(e.RunStarted(attempt=1))
    job.path = PATHS[kind].format(id=job.id, number=job.run.number)
    return job


def closed_with(server: Running, path: str) -> int:
    """The code with which a socket closes after it was opened."""
    with websocket(server, path) as connection, pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@pytest.mark.parametrize("error", [NotFound("It was deleted."), Unavailable("The database is away.")])
@pytest.mark.parametrize("kind", ASKED)
def test_a_run_that_cannot_be_followed_closes_its_socket_with_a_reason(
    server: Running, api: httpx2.Client, monkeypatch: pytest.MonkeyPatch, kind: str, error: PilothouseError
) -> None:
    job = a_run_of(server, api, kind)

    async def fails(*_: Any) -> NoReturn:
        raise error

    monkeypatch.setattr(Tails, "enter", fails)

    codes = {"NotFound": 4404, "Unavailable": 4503}
    wanted = 1001 if kind == "training" else codes[type(error).__name__]
    assert closed_with(server, job.path) == wanted


def test_a_run_that_is_deleted_while_it_is_told_closes_its_socket(
    server: Running, api: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = a_run_of(server, api, "synthesis")
    store = server.server.context.store
    get = store.get

    async def gone(run_id: str) -> Any:
        raise NotFound("It was deleted.")

    with websocket(server, job.path) as connection:
        for _ in range(2):
            connection.recv()
        until(server, lambda: any(tail.sleeping for tail in server.server.context.tails.all))
        monkeypatch.setattr(store, "get", gone)
        call(server, server.server.context.engine.append(job.id, e.Metric(step=1, values={"x": 1.0})))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                connection.recv()
    monkeypatch.setattr(store, "get", get)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


@pytest.mark.parametrize("number", ["9" * 5000, "0", "1", "²", "100000"])
def test_a_number_that_is_no_experiment_opens_no_socket(server: Running, number: str) -> None:
    with pytest.raises(InvalidStatus) as refusal, websocket(server, f"/api/ws/experiments/{number}"):
        pass

    assert refusal.value.response.status_code == 403
