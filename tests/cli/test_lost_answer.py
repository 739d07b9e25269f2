"""Commands whose answer is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from pilothouse.cli.main import app
from pilothouse.model import event as e
from pilothouse.sdk.wire import Answer, Wire
from tests.web.clients import a_job
from tests.web.serving import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server without a host."""
    with running(tmp_path_factory.mktemp("data"), lease_seconds=600) as server:
        yield server


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that made a run, whose answers never came."""
    exchange, calls = Wire._exchange, list[str]()

    def losing(wire: Wire, method: str, path: str, *more: Any) -> Answer:
        answer = exchange(wire, method, path, *more)
        if method == "POST" and answer.status == 201:
            calls.append(path)
            raise ConnectionResetError("the line is cut")
        return answer

    monkeypatch.setattr(Wire, "_exchange", losing)
    return calls


def pilothouse(server: Running, *words: str) -> int:
    """The exit code of a command."""
    return CliRunner().invoke(app, ["--server", server.url, "--data", str(server.data), *words]).exit_code


def test_a_retry_makes_one_run(server: Running, lost: list[str]) -> None:
    job = a_job(server)
    job.say(e.RunFailed(message="it broke"))

    assert pilothouse(server, "retry", job.id) == 0

    with server.client() as api:
        runs = api.get("/api/runs").json()["runs"]
    assert lost == [f"{job.path}/retry"]
    assert len([run for run in runs if run["retry_of"] == job.id]) == 1
