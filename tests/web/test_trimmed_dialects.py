"""A client of a dialect that comes after the log was trimmed: every result that is kept, and right numbers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from tests.web.autotune_log import PARAMS, begun, done, failed, rest, told
from tests.web.clients import Job, Stream, call, websocket
from tests.web.serving import COUNTING, Running, running
from tests.web.test_benchmark_dialect import BODY, a_result, an_error


@pytest.fixture(scope="module", params=["memory:", "sqlite"])
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A server with the kinds that ship, on each store."""
    data = tmp_path_factory.mktemp("data")
    database = f"sqlite:///{data}/p.db" if request.param == "sqlite" else "memory:"
    kinds = {**builtin(), "counting": COUNTING}
    with running(data, kinds, database=database, lease_seconds=600) as server:
        yield server


def trim(job: Job) -> None:
    """Forget all but the last event."""
    call(job.server, job.server.server.context.store.trim(job.id, job.run.head))


def test_a_tuning_run_tells_its_results_and_counts_them(server: Running, api: httpx2.Client) -> None:
    job = Job(server, api.post("/tuning/runs", json=BODY).json()["id"])
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=60))
    job.say(*(a_result(number) for number in range(30)), an_error(30))
    job.notes(3)
    trim(job)

    with Stream(server, f"/tuning/runs/{job.id}/stream") as stream:
        messages = stream.messages()
        known = [next(messages) for _ in range(32)]
        job.say(a_result(31))
        new = next(messages)

    assert [message["type"] for message in known] == ["connected", *["existing_result"] * 31]
    assert [message["data"]["id"] for message in known[1:]] == [f"t{number}" for number in range(31)]
    assert (known[-1]["data"]["failed"], known[-1]["data"]["error"]) == (True, "timeout")
    assert new["progress"] == {"completed": 32, "total": 60, "failed": 1, "percentage": 53}


def test_an_autotuning_task_tells_its_experiments_and_knows_the_best(
    server: Running, api: httpx2.Client
) -> None:
    answer = api.post("/api/runs", json={"kind": "autotune", "name": "tuning", "params": PARAMS})
    job = Job(server, answer.json()["id"])
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=3))
    job.say(*begun(1), done(1, 2.0), *begun(2), failed(2))
    job.notes(3)
    trim(job)
    job.say(*begun(3), done(3, 5.0), e.RunCompleted())

    with websocket(server, f"/api/ws/tasks/{job.run.number}") as connection:
        messages = rest(connection)
    with websocket(server, f"/api/ws/experiments/{job.run.number * 100_000 + 1}") as connection:
        (first,) = told(connection, 1)

    assert [message["type"] for message in messages] == [
        "task_started",
        "experiment_completed",
        "task_progress",
        "experiment_failed",
        "task_progress",
        "experiment_started",
        "experiment_completed",
        "task_progress",
        "task_completed",
    ]
    end = messages[-1]["data"]
    assert (end["completed_experiments"], end["failed_experiments"], end["total_experiments"]) == (3, 1, 3)
    assert (end["best_score"], end["best_experiment_id"]) == (2.0, job.run.number * 100_000 + 1)
    assert end["elapsed_time"] is not None
    assert (first["type"], first["data"]["objective_score"]) == ("experiment_completed", 2.0)


def test_the_experiment_in_hand_is_still_known(server: Running, api: httpx2.Client) -> None:
    answer = api.post("/api/runs", json={"kind": "autotune", "name": "tuning", "params": PARAMS})
    job = Job(server, answer.json()["id"])
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=3), *begun(1))
    job.notes(3)
    trim(job)
    job.say(e.PhaseStarted(name="Benchmark"))

    with websocket(server, f"/api/ws/tasks/{job.run.number}") as connection:
        _, started, measured, _ = told(connection, 4)

    assert (started["type"], started["data"]["parameters"]) == ("experiment_started", {"order": 1})
    assert (measured["type"], measured["data"]["parameters"]) == ("experiment_progress", {"order": 1})
