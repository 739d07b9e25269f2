"""Dialect 003, against the rows of its document: the WebSockets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.autotune_log import (
    CANCEL,
    PAUSE,
    begun,
    done,
    failed,
    job,
    loaded,
    rest,
    server,
    task_of,
    told,
)
from tests.web.clients import Job, Json, until, websocket
from tests.web.serving import Running

__all__ = ["job", "server"]


@pytest.mark.rows("S4.14", "S4.24", "S4.27", "S4.79", "S4.80", "S4.82", "S4.83")
def test_a_task_tells_that_it_has_started(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        (started,) = told(connection, 1)

    assert list(started) == ["type", "task_id", "timestamp", "message", "data"]
    assert (started["type"], started["task_id"], started["message"]) == (
        "task_started",
        task_of(job),
        "Task started",
    )
    assert isinstance(started["timestamp"], float) and started["timestamp"] > 1.7e9
    assert started["data"]["status"] == "running"


@pytest.mark.rows("S4.18", "S4.19", "S4.22", "S4.23", "S4.28", "S4.29")
def test_an_experiment_tells_its_deployment_and_its_benchmark(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        job.say(*begun(1))
        (started,) = told(connection, 1)
        job.say(e.PhaseStarted(name="Warm-up"), e.PhaseStarted(name="Benchmark"), *loaded(0), *loaded(6))
        benchmark = told(connection, 4)

    assert started["type"] == "experiment_started"
    assert started["experiment_id"] == task_of(job) * 100_000 + 1
    assert started["data"] == {"status": "deploying", "parameters": {"order": 1}}
    assert [message["type"] for message in benchmark] == [
        "experiment_progress",
        "benchmark_started",
        "benchmark_progress",
        "benchmark_progress",
    ]
    assert benchmark[0]["data"] == {"status": "benchmarking", "parameters": {"order": 1}}
    assert benchmark[1]["data"]["load"]["concurrencies"] == [2]
    assert benchmark[3]["data"]["progress"] == 75.0
    assert (benchmark[3]["data"]["requests_completed"], benchmark[3]["data"]["tokens_per_second"]) == (
        6,
        250.0,
    )


@pytest.mark.rows("S4.15", "S4.20", "S4.30", "S4.31", "S4.81", "S4.84", "S4.85", "S4.86", "S4.87")
def test_a_finished_experiment_is_told_with_its_numbers_and_then_the_progress(
    server: Running, job: Job
) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        job.say(*begun(3), done(3))
        _, completed, progress = told(connection, 3)

    assert list(completed) == ["type", "task_id", "experiment_id", "timestamp", "message", "data"]
    assert (completed["type"], completed["message"]) == ("experiment_completed", "Experiment 3 success")
    assert completed["data"] == {
        "status": "success",
        "parameters": {"order": 3},
        "metrics": {"tokens_per_second": 408.2, "latency_p95_ms": 61.5},
        "objective_score": 2.45,
        "elapsed_time": 123.45,
        "error_message": None,
    }
    assert progress["type"] == "task_progress"
    assert progress["data"] == {
        "status": "running",
        "progress": 33.3,
        "completed_experiments": 1,
        "successful_experiments": 1,
        "failed_experiments": 0,
        "total_experiments": 3,
        "best_score": 2.45,
        "best_experiment_id": task_of(job) * 100_000 + 3,
    }


@pytest.mark.rows("S4.21", "S4.30", "S4.31")
def test_a_failed_experiment_is_told_with_its_reason_and_counted(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        job.say(*begun(1), failed(1), done(2, None, outcome="stopped early", reason="too slow"))
        _, broken, progress, stopped, _ = told(connection, 5)

    assert (broken["type"], broken["data"]["status"]) == ("experiment_failed", "failed")
    assert broken["data"]["error_message"] == "The server ended.\nCUDA out of memory"
    assert broken["data"]["objective_score"] is None
    assert (progress["data"]["failed_experiments"], progress["data"]["best_score"]) == (1, None)
    assert (stopped["type"], stopped["data"]["status"]) == ("experiment_completed", "stopped_early")
    assert stopped["data"]["error_message"] == "too slow"


@pytest.mark.rows("S4.16", "S4.32")
def test_a_completed_task_is_told_with_a_summary_and_the_stream_ends(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        job.say(*begun(1), done(1, 4.0), *begun(2), done(2, 2.0), *begun(3), failed(3), e.RunCompleted())
        last = rest(connection)[-1]
        code = connection.close_code

    assert (last["type"], code) == ("task_completed", 1000)
    assert last["data"].pop("elapsed_time") >= 0
    assert last["data"] == {
        "status": "completed",
        "progress": 100.0,
        "completed_experiments": 3,
        "successful_experiments": 2,
        "failed_experiments": 1,
        "total_experiments": 3,
        "best_score": 2.0,
        "best_experiment_id": task_of(job) * 100_000 + 2,
        "error_message": None,
    }


@pytest.mark.rows("S4.17")
@pytest.mark.parametrize(
    ("ends", "status"),
    [([e.RunFailed(message="no optuna")], "failed"), ([CANCEL, e.RunCancelled(by="ada")], "cancelled")],
)
def test_a_task_that_does_not_complete_is_told_as_failed(
    server: Running, job: Job, ends: list[e.Body], status: str
) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        job.say(*ends)
        last = rest(connection)[-1]

    assert (last["type"], last["data"]["status"]) == ("task_failed", status)
    assert last["data"]["error_message"]


@pytest.mark.rows("S4.15")
def test_pauses_and_interruptions_are_progress_and_no_end(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        job.say(
            PAUSE,
            e.RunPaused(),
            e.RunResumed(actor="ada"),
            e.RunInterrupted(reason="x"),
            e.RunStarted(attempt=2),
        )
        turned = told(connection, 4)

    assert {message["type"] for message in turned} == {"task_progress"}
    assert [message["data"]["status"] for message in turned] == ["paused", "running", "pending", "running"]


@pytest.mark.rows("S4.92")
def test_who_comes_late_gets_the_history_first(server: Running, job: Job) -> None:
    job.say(*begun(1), done(1))
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        early = told(connection, 4)
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        late = told(connection, 4)

    assert [message["type"] for message in late] == [
        "task_started",
        "experiment_started",
        "experiment_completed",
        "task_progress",
    ]
    assert late == early


@pytest.mark.rows("S4.25")
def test_an_experiments_socket_tells_of_that_experiment_alone(server: Running, job: Job) -> None:
    number = task_of(job) * 100_000

    with websocket(server, f"/api/ws/experiments/{number + 2}") as connection:
        job.say(
            *begun(1),
            done(1),
            *begun(2),
            e.PhaseStarted(name="Benchmark"),
            *loaded(8),
            done(2),
            e.RunCompleted(),
        )
        messages = rest(connection)

    assert {message["experiment_id"] for message in messages} == {number + 2}
    assert [message["type"] for message in messages] == [
        "experiment_started",
        "experiment_progress",
        "benchmark_started",
        "benchmark_progress",
        "experiment_completed",
    ]


@pytest.mark.rows("S4.9", "S4.10", "S4.26", "S4.73", "S4.77")
def test_subscribers_are_counted_while_they_follow(server: Running, api: httpx2.Client, job: Job) -> None:
    path = f"/api/ws/tasks/{task_of(job)}"

    with websocket(server, path) as one, websocket(server, path) as other:
        told(one, 1), told(other, 1)
        both = api.get(f"{path}/subscribers").json()
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)

    assert both == {"task_id": task_of(job), "subscribers": 2}
    assert api.get(f"{path}/subscribers").json()["subscribers"] == 0


@pytest.mark.rows("S4.8", "S4.73")
def test_many_sockets_of_a_task_get_the_same_and_none_loses_an_event(server: Running, job: Job) -> None:
    def watch() -> list[Json]:
        with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
            return rest(connection)

    with ThreadPoolExecutor(8) as pool:
        watching = [pool.submit(watch) for _ in range(8)]
        until(server, lambda: server.server.context.tails.watchers(job.id) == 8)
        for number in range(0, 600, 100):
            job.say(*(done(n) for n in range(number + 1, number + 101)))
        job.say(e.RunCompleted())
        seen = [each.result() for each in watching]

    assert all(messages == seen[0] for messages in seen)
    assert sum(message["type"] == "experiment_completed" for message in seen[0]) == 600


@pytest.mark.rows("S4.42")
def test_a_client_may_send_and_only_a_ping_is_answered(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        for message in ("hello", '{"type": "subscribe"}', b"\x00", "ping"):
            connection.send(message)
        answer = connection.recv()

    assert answer == "pong"


@pytest.mark.rows("S4.24")
def test_who_leaves_is_forgotten(server: Running, job: Job) -> None:
    for _ in range(20):
        with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
            told(connection, 1)

    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


def test_a_quiet_socket_beats(server: Running, job: Job) -> None:
    with websocket(server, f"/api/ws/tasks/{task_of(job)}") as connection:
        told(connection, 1)
        tail = server.server.context.tails.all[0]
        until(server, lambda: bool(tail.sleeping))
        server.loop.call_soon_threadsafe(tail.beat)

        assert told(connection, 1) == [{"type": "heartbeat"}]
