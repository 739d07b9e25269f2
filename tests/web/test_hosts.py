"""The host's calls: runs to start, attempts to end, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.model.run import Control
from tests.web.clients import Job, a_job, a_run, raw, until
from tests.web.serving import Running, running


@pytest.fixture
def server(tmp_path: Any) -> Iterator[Running]:
    """A server with an empty queue of its own."""
    with running(tmp_path, lease_seconds=600) as server:
        yield server


def claim(api: httpx2.Client, slots: int = 1, *attempts: Job, wait: float = 0) -> Any:
    """What a host named lab is told."""
    alive = [{"run_id": job.id, "attempt": job.attempt} for job in attempts]
    answer = api.post("/api/hosts/lab/claim", json={"slots": slots, "running": alive, "wait": wait})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(api: httpx2.Client, job: Job, **how: Any) -> str:
    """The status of a run after its process has ended."""
    body = {"run_id": job.id, "attempt": job.attempt} | how
    return str(api.post("/api/hosts/lab/ended", json=body).json()["status"])


def test_a_run_is_given_to_one_host_with_all_it_needs_to_start(server: Running, api: httpx2.Client) -> None:
    job = a_run(server)

    first, second = claim(api), api.post("/api/hosts/b/claim", json={"slots": 1}).json()

    assert first == {
        "orders": [
            {
                "run_id": job.id,
                "attempt": 1,
                "kind": "counting",
                "entry": "tests.jobs.counting:run",
                "folder": str(server.server.context.folder(job.id)),
            }
        ],
        "stop": [],
    }
    assert second == {"orders": [], "stop": []}
    assert (job.run.status, job.run.host) == ("running", "lab")


def test_a_claim_that_waits_is_answered_by_a_submit(server: Running, api: httpx2.Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(claim, api, 1, wait=20)
        until(server, lambda: "lab" in server.server.context.scheduler.hosts)
        job = a_run(server)
        answered = waiting.result(10)

    assert [order["run_id"] for order in answered["orders"]] == [job.id]


def test_a_claim_that_waits_is_answered_by_a_cancel(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    with ThreadPoolExecutor(1) as pool, server.client() as second:
        waiting = pool.submit(claim, second, 0, job, wait=20)
        until(server, lambda: "lab" in server.server.context.scheduler.hosts)
        api.post(f"{job.path}/cancel", json={"force": True})
        answered = waiting.result(10)

    assert answered == {"orders": [], "stop": [{"run_id": job.id, "force": True}]}


def test_a_host_that_hangs_up_while_it_waits_takes_nothing(server: Running, api: httpx2.Client) -> None:
    body = b'{"slots": 1, "wait": 20}'
    head = (
        f"POST /api/hosts/lab/claim HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    raw(server, head.encode() + body, timeout=0.3)
    until(server, lambda: not server.server.context.engine.doorbell._ears)

    job = a_run(server)

    assert job.run.status == "queued"
    assert [order["run_id"] for order in claim(api)["orders"]] == [job.id]


def test_the_end_of_a_process_is_settled(server: Running, api: httpx2.Client) -> None:
    crashed, pausing, cancelling, done = (a_job(server) for _ in range(4))
    pausing.say(e.ControlRequested(control=Control.PAUSE, actor="ada"))
    cancelling.say(e.ControlRequested(control=Control.CANCEL, actor="ada"))
    done.say(e.RunCompleted())

    statuses = [ended(api, job, signal=9) for job in (crashed, pausing, cancelling, done)]

    assert statuses == ["queued", "paused", "cancelled", "completed"]


def test_a_run_that_dies_every_time_fails_with_its_last_words(server: Running, api: httpx2.Client) -> None:
    job = a_run(server)
    statuses = []

    for _ in range(3):
        order = claim(api)["orders"][0]
        job.attempt = order["attempt"]
        statuses.append(ended(api, job, exit_code=1, tail="ValueError: no"))

    failure = job.run.failure
    assert statuses == ["queued", "queued", "failed"]
    assert failure is not None
    assert (failure.reason, failure.exit_code, failure.tail) == ("worker_lost", 1, "ValueError: no")


def test_the_end_of_an_older_attempt_changes_nothing(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))

    assert ended(api, job, exit_code=0) == "running"
    assert job.run.attempt == 2


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("claim", {}, "slots"),
        ("claim", {"slots": -1}, "slots"),
        ("claim", {"slots": 1, "wait": 26}, "wait"),
        ("claim", {"slots": 1, "running": [{"run_id": "x"}]}, "running.0.attempt"),
        ("ended", {"run_id": "x"}, "attempt"),
        ("ended", {"run_id": "x", "attempt": 1, "exit_code": "x"}, "exit_code"),
    ],
)
def test_a_malformed_call_is_refused_by_name(
    api: httpx2.Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/api/hosts/lab/{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_the_end_of_an_unknown_run_is_not_found(api: httpx2.Client) -> None:
    answer = api.post("/api/hosts/lab/ended", json={"run_id": "nobody", "attempt": 1})

    assert answer.status_code == 404


def test_hosts_are_listed_with_what_they_run(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    claim(api, 3, job)

    host = api.get("/api/hosts").json()["hosts"][0]

    assert (host["name"], host["free"], host["alive"]) == ("lab", 3, True)
    assert host["running"] == [{"run_id": job.id, "attempt": 1}]
    assert host["seen_seconds_ago"] < 20
