"""Dialect 003, against the rows of its document: lists, and what is not there."""

from __future__ import annotations

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pilothouse.model import event as e
from tests.web.autotune_log import begun, done, failed, job, server, task_of
from tests.web.clients import Job, websocket
from tests.web.serving import Running

__all__ = ["job", "server"]


@pytest.mark.rows("S4.52", "S4.63", "S4.65")
def test_tasks_are_listed_newest_first_with_progress_and_best_score(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    job.say(*begun(1), done(1), e.Metric(step=1, values={"best_score": 2.45}))

    page = api.get("/api/tasks").json()

    first = page["tasks"][0]
    assert (first["task_id"], first["run_id"], first["task_name"]) == (task_of(job), job.id, "tuning")
    assert (first["status"], first["progress"], first["best_score"]) == ("running", 33.3, 2.45)
    assert page["total"] >= 1
    assert {task["task_id"] for task in page["tasks"]} >= {task_of(job)}


@pytest.mark.rows("S4.54", "S4.61", "S4.64")
def test_experiments_are_listed_in_their_order_with_the_one_in_hand(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    job.say(*begun(1), done(1), *begun(2), failed(2), *begun(3))
    deploying = api.get(f"/api/tasks/{task_of(job)}/experiments").json()
    job.say(e.PhaseStarted(name="Benchmark"))
    benchmarking = api.get(f"/api/tasks/{task_of(job)}/experiments").json()

    assert [each["status"] for each in deploying["experiments"]] == ["success", "failed", "deploying"]
    assert benchmarking["experiments"][2]["status"] == "benchmarking"
    assert deploying["experiments"][0] == {
        "id": task_of(job) * 100_000 + 1,
        "experiment_id": task_of(job) * 100_000 + 1,
        "task_id": task_of(job),
        "number": 1,
        "status": "success",
        "parameters": {"order": 1},
        "metrics": {"tokens_per_second": 408.2, "latency_p95_ms": 61.5},
        "objective_score": 2.45,
        "elapsed_time": 123.45,
        "error_message": None,
    }
    assert deploying["experiments"][1]["error_message"] == "The server ended.\nCUDA out of memory"
    assert deploying["experiments"][2]["parameters"] == {"order": 3}


@pytest.mark.parametrize("what", ["nobody", "0", "-1", "99999999999999999999", "x"])
def test_what_does_not_exist_is_not_here(server: Running, api: httpx2.Client, job: Job, what: str) -> None:
    statuses = [
        api.get(path).status_code
        for path in (f"/api/tasks/{what}/experiments", f"/api/ws/tasks/{what}/subscribers")
    ]
    for path in (f"/api/ws/tasks/{what}", f"/api/ws/experiments/{what}"):
        with pytest.raises((InvalidStatus, ConnectionClosed)), websocket(server, path) as connection:
            connection.recv()

    assert statuses == [404, 404]


@pytest.mark.parametrize("number", [0, 4, 99_999])
def test_an_experiment_that_will_not_be_is_not_here(server: Running, job: Job, number: int) -> None:
    path = f"/api/ws/experiments/{task_of(job) * 100_000 + number}"

    with pytest.raises((InvalidStatus, ConnectionClosed)), websocket(server, path) as connection:
        connection.recv()


def test_what_is_no_task_is_not_here(server: Running, api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()

    assert api.get(f"/api/tasks/{other['number']}/experiments").status_code == 404
    with (
        pytest.raises((InvalidStatus, ConnectionClosed)),
        websocket(server, f"/api/ws/tasks/{other['number']}") as connection,
    ):
        connection.recv()
