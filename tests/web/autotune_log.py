"""Autotuning tasks that a test plays: a server with them, and the events of their logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.model.run import Control
from tests.web.clients import Job, Json
from tests.web.serving import COUNTING, Running, running

PARAMS: Json = {
    "space": [{"name": "order", "values": [1, 2, 3]}],
    "strategy": "grid",
    "load": {"concurrencies": [2], "requests": 8},
}
PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")
CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A task that has begun: three experiments, none done."""
    answer = api.post("/api/runs", json={"kind": "autotune", "name": "tuning", "params": PARAMS})
    job = Job(server, answer.json()["id"])
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=3))
    return job


def task_of(job: Job) -> int:
    return job.run.number


def begun(number: int) -> list[e.Body]:
    """An experiment is deployed."""
    return [
        e.StateSaved(state={"number": number, "point": {"order": number}}),
        e.ItemStarted(key=str(number), label=f"#{number} order={number}"),
        e.PhaseStarted(name="Deploy"),
    ]


def loaded(requests: int) -> list[e.Body]:
    """It is under load."""
    values = {
        "load/experiment": 1.0,
        "load/requests": float(requests),
        "load/of": 8.0,
        "load/concurrency": 2.0,
    }
    return [e.Metric(step=requests, values={**values, "load/errors": 0.0, "load/tokens_per_second": 250.0})]


def done(number: int, score: float | None = 2.45, **more: Any) -> e.ItemFinished:
    """It is measured."""
    point = {"number": number, "params": {"order": number}, "param_order": number, "point": f"order={number}"}
    data = {
        "outcome": "measured",
        "score": score,
        "tokens_per_second": 408.2,
        "latency_p95_ms": 61.5,
        **point,
    }
    return e.ItemFinished(key=str(number), seconds=123.45, data=data | more)


def failed(number: int) -> e.ItemFinished:
    """It could not be."""
    data = {
        "number": number,
        "params": {"order": number},
        "outcome": "failed",
        "output": "CUDA out of memory",
    }
    return e.ItemFinished(key=str(number), ok=False, seconds=3.0, error="The server ended.", data=data)


def told(connection: ClientConnection, count: int) -> list[Json]:
    """The next messages."""
    return [json.loads(message) for message in islice(connection, count)]


def rest(connection: ClientConnection) -> list[Json]:
    """All messages until it closes."""
    return [json.loads(message) for message in connection]
