"""The clients of a training job: let in, served side by side, told each update, and let go."""

from __future__ import annotations

import ast
import asyncio
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.web.dialects import training_stream
from pilothouse.web.dialects.training import _PAGE
from pilothouse.web.dialects.training_stream import TOO_MANY_CLOSE, TrainingSocket
from tests.house.rows import ROOT
from tests.web.clients import Job, Json, call, until, websocket
from tests.web.serving import Running, running

MANY = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    with running(tmp_path_factory.mktemp("data"), builtin(), lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A training that has begun: 100 steps, none done."""
    body = {"model_name": "tiny", "dataset_path": "tickets", "steps": 100}
    job = Job(server, api.post("/api/training/execute", json=body).json()["job_id"])
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=100))
    return job


class Client:
    """A client of the stream, in the server's loop; it takes one message and no more while `takes` is clear."""

    def __init__(self, job: Job) -> None:
        self.messages: list[Any] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self._left = asyncio.Event()
        self._is_new = True
        self._job = job

    async def watch(self, socket: TrainingSocket) -> None:
        """Connect, and stay until `leave`."""
        scope = {"type": "websocket", "path_params": {"job_id": self._job.id}, "headers": []}
        await socket(scope, self._receive, self._send)

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def _receive(self) -> Any:
        if self._is_new:
            self._is_new = False
            return {"type": "websocket.connect"}
        await self._left.wait()
        return {"type": "websocket.disconnect"}

    async def _send(self, message: Any) -> None:
        self.messages.append(message)
        await self.takes.wait()


@pytest.mark.rows("S5.5", "S5.61", "S5.63", "S5.82")
def test_many_clients_share_one_reader_and_one_that_takes_nothing_holds_up_nobody(
    server: Running, job: Job
) -> None:
    async def serve() -> tuple[list[Client], Client, int, int]:
        socket = TrainingSocket(server.server.context, 0.01)
        clients, stalled = [Client(job) for _ in range(MANY)], Client(job)
        stalled.takes.clear()
        async with asyncio.timeout(20):
            serving = [asyncio.create_task(client.watch(socket)) for client in (*clients, stalled)]
            while not all(len(client.messages) >= 5 for client in clients):  # noqa: ASYNC110
                await asyncio.sleep(0)
            readers = server.server.context.tails.watchers(job.id)
            for client in (*clients, stalled):
                client.leave()
            stalled.takes.set()
            await asyncio.gather(*serving)
        return clients, stalled, readers, len(socket._pulses)

    clients, stalled, readers, beating = call(server, serve())

    assert {client.messages[0]["type"] for client in clients} == {"websocket.accept"}, "no number is too many"
    assert len(stalled.messages) < 5 <= min(len(client.messages) for client in clients)
    assert readers == 1, "a client more costs the store nothing"
    assert beating == 0
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


@pytest.mark.rows("S5.64")
def test_a_server_may_limit_the_clients_of_a_job(tmp_path: Path) -> None:
    with running(tmp_path, builtin(), training_clients=1) as server, server.client() as api:
        body = {"model_name": "tiny", "dataset_path": "tickets"}
        path = f"/ws/training/{api.post('/api/training/execute', json=body).json()['job_id']}"
        with websocket(server, path) as first:
            first.recv()
            with websocket(server, path) as second, pytest.raises(ConnectionClosed) as refused:
                second.recv()
        until(server, lambda: not server.server.context.tails.watchers(path.rpartition("/")[2]))
        with websocket(server, path) as third:
            told = json.loads(third.recv())

    assert refused.value.rcvd is not None
    assert (refused.value.rcvd.code, "training_clients" in refused.value.rcvd.reason) == (
        TOO_MANY_CLOSE,
        True,
    )
    assert told["status"] == "queued"


@pytest.mark.rows("S5.15", "S5.86")
def test_each_update_is_in_the_next_message_and_is_what_the_database_holds(
    api: httpx2.Client, job: Job
) -> None:
    kept: list[Json] = []
    shown: list[Json] = []
    with websocket(job.server, f"/ws/training/{job.id}") as connection:
        connection.recv()
        for step, loss in ((10, 2.5), (20, 1.25)):
            job.say(e.ProgressTold(done=step), e.Metric(step=step, values={"loss": loss}))
            shown.append(json.loads(connection.recv()))
            kept.append(api.get(f"/api/runs/{job.id}").json())

    assert [(told["current_step"], told["loss"]) for told in shown] == [(10, 2.5), (20, 1.25)]
    assert [(run["progress"]["done"], run["metrics"]["loss"]) for run in kept] == [(10, 2.5), (20, 1.25)]


@pytest.mark.rows("S5.17", "S5.71")
def test_who_opens_no_websocket_can_poll_a_job_to_its_end(api: httpx2.Client, job: Job) -> None:
    told = [api.get(f"/api/training/status/{job.id}").json()]
    job.say(e.ProgressTold(done=50), e.Metric(step=50, values={"loss": 0.5}))
    told.append(api.get(f"/api/training/status/{job.id}").json())
    job.say(e.RunCompleted())
    told.append(api.get(f"/api/training/status/{job.id}").json())

    assert [(one["status"], one["progress"], one["loss"], one["complete"]) for one in told] == [
        ("running", 0.0, None, False),
        ("running", 50.0, 0.5, False),
        ("completed", 100.0, 0.5, True),
    ]


def test_long_logs_are_sent_page_by_page_and_whole(api: httpx2.Client, job: Job) -> None:
    lines = [e.Log(level="info", source="trainer", text=f"step {number}") for number in range(_PAGE + 50)]
    for first in range(0, len(lines), 500):
        job.say(*lines[first : first + 500])

    with api.stream("GET", f"/api/training/{job.id}/download/logs") as answer:
        text = "".join(answer.iter_text())

    assert "content-length" not in answer.headers
    assert text.count("info trainer: step ") == len(lines)
    assert text.endswith(f"step {_PAGE + 49}\n")


def test_a_new_job_goes_on_from_a_chosen_checkpoint(api: httpx2.Client, job: Job) -> None:
    ends = (20, 40, 60)
    job.say(*[e.ItemFinished(key=f"step-{end:06d}", seconds=1, data={"step": end}) for end in ends])
    job.say(e.RunFailed(message="bad"))
    retry = f"/api/runs/{job.id}/retry"

    preview = api.post(f"{retry}?dry_run=1", json={"from": "step-000040"}).json()
    made = api.post(retry, json={"from": "40", "set": {"learning_rate": 0.001}}).json()
    unknown = api.post(retry, json={"from": "41"})

    items = api.get(f"/api/runs/{made['id']}/items").json()["items"]
    assert (preview["kept"], preview["left"], preview["total"]) == (40, 60, 100)
    assert [item["key"] for item in items] == ["step-000040", "step-000020"]
    assert (made["retry_of"], made["params"]["learning_rate"]) == (job.id, 0.001)
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (422, "from")


@pytest.mark.rows("S5.2")
def test_the_websocket_needs_no_package_beside_those_that_the_server_stands_on() -> None:
    tree = ast.parse(Path(training_stream.__file__).read_text())
    imported = {
        str(each.module).partition(".")[0] for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = " ".join(project["dependencies"])

    foreign = imported - set(sys.stdlib_module_names) - {"pilothouse"}

    assert foreign == {"pydantic_core", "starlette"}
    assert "fastapi" in needed, "which brings both"
