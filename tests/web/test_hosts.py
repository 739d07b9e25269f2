"""The host's calls: runs to start, attempts to end, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.model.run import Control, Strength
from tests.web.clients import Job, a_job, a_run, call, raw, until
from tests.web.serving import COUNTING, Running, running


@pytest.fixture
def server(tmp_path: Any) -> Iterator[Running]:
    """A server with an empty queue of its own."""
    kinds = {"counting": replace(COUNTING, backoff_seconds=0.0)}
    with running(tmp_path, kinds, lease_seconds=600) as server:
        yield server


def claim(
    api: httpx2.Client, slots: int = 1, *attempts: Job, wait: float = 0, cpu: dict[str, float] | None = None
) -> Any:
    """What a host named lab is told."""
    loads = cpu or {}
    alive = [{"run_id": job.id, "attempt": job.attempt, "cpu": loads.get(job.id)} for job in attempts]
    answer = api.post("/api/hosts/lab/claim", json={"slots": slots, "running": alive, "wait": wait})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(api: httpx2.Client, job: Job, **how: Any) -> str:
    """The status of a run after its process has ended."""
    body = {"run_id": job.id, "attempt": job.attempt} | how
    return str(api.post("/api/hosts/lab/ended", json=body).json()["status"])


def job_on(server: Running, host: str) -> Job:
    """A run whose first attempt was given to a host."""
    job = a_run(server)
    job.say(e.RunStarted(attempt=1, host=host, instance=""))
    return job


def overdue(api: httpx2.Client, job: Job, survivors: int) -> httpx2.Response:
    """Processes of a run outlive a kill."""
    body = {"run_id": job.id, "attempt": job.attempt, "survivors": survivors}
    return api.post("/api/hosts/lab/overdue", json=body)


def log(api: httpx2.Client, job: Job, type_: str) -> list[dict[str, Any]]:
    """The data of a run's events of one type."""
    events = api.get(f"{job.path}/events?after=0").json()["events"]
    return [event["data"] for event in events if event["type"] == type_]


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
        "dump": [],
    }
    assert second == {"orders": [], "stop": [], "dump": []}
    assert (job.run.status, job.run.host) == ("running", "lab")


def test_a_claim_that_waits_is_answered_by_a_submit(server: Running, api: httpx2.Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(claim, api, 1, wait=20)
        until(server, lambda: server.server.context.scheduler.hosts.find("lab") is not None)
        job = a_run(server)
        answered = waiting.result(10)

    assert [order["run_id"] for order in answered["orders"]] == [job.id]


def test_a_claim_that_waits_is_answered_by_a_cancel(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    with ThreadPoolExecutor(1) as pool, server.client() as second:
        waiting = pool.submit(claim, second, 0, job, wait=20)
        until(server, lambda: server.server.context.scheduler.hosts.find("lab") is not None)
        api.post(f"{job.path}/cancel", json={"force": True})
        answered = waiting.result(10)

    assert answered == {"orders": [], "stop": [{"run_id": job.id, "attempt": 1, "force": True}], "dump": []}


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
        ("claim", {"slots": 1, "running": [{"run_id": "x", "attempt": 1, "cpu": -1}]}, "running.0.cpu"),
        ("overdue", {"run_id": "x", "attempt": 1, "survivors": 0}, "survivors"),
        ("stack", {"run_id": "x", "attempt": 1}, "text"),
        ("stack", {"run_id": "x", "attempt": 1, "text": "x" * 64_001}, "text"),
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


def test_a_hosts_name_may_have_slashes(api: httpx2.Client) -> None:
    claimed = api.post("/api/hosts/rack%2F7/claim", json={"slots": 1})
    named = [host["name"] for host in api.get("/api/hosts").json()["hosts"]]
    told = api.get("/api/hosts/rack%2F7/resources")

    assert claimed.status_code == 200
    assert named == ["rack/7"]
    assert told.json()["name"] == "rack/7"
    assert api.post("/api/hosts/rack%2F7/leave").status_code == 204


def test_hosts_are_listed_with_what_they_run(server: Running, api: httpx2.Client) -> None:
    busy, new = job_on(server, "lab"), job_on(server, "lab")
    claim(api, 3, busy, new, cpu={busy.id: 1.25})

    host = api.get("/api/hosts").json()["hosts"][0]

    assert (host["name"], host["free"], host["alive"]) == ("lab", 3, True)
    assert host["running"] == [
        {"run_id": busy.id, "attempt": 1, "cpu": 1.25},
        {"run_id": new.id, "attempt": 1, "cpu": None},
    ]
    assert host["seen_seconds_ago"] < 20


def test_the_scheduler_knows_what_a_job_uses_while_its_host_calls(
    server: Running, api: httpx2.Client
) -> None:
    busy, elsewhere = job_on(server, "lab"), job_on(server, "other")
    claim(api, 0, busy, cpu={busy.id: 0.5})

    scheduler = server.server.context.scheduler

    async def look() -> list[Any]:
        return [(scheduler.hosts.cpu_of(job.run), scheduler.hosts.calling(job.run)) for job in known]

    known = [SimpleNamespace(run=job.run) for job in (busy, elsewhere)]
    (cpu, host), nothing = call(server, look())
    assert (cpu, nothing) == (0.5, (None, None))
    assert host is scheduler.hosts.find("lab")


# Cancels that take long


def test_what_outlives_a_kill_is_told_once_and_the_run_stays_cancelling(
    server: Running, api: httpx2.Client
) -> None:
    job = a_job(server)
    job.say(e.ControlRequested(control=Control.CANCEL, actor="ada"))

    for survivors in (2, 2, 1):
        answer = overdue(api, job, survivors)

    assert answer.json() == {"status": "running", "survivors": 1}
    assert [event["survivors"] for event in log(api, job, "run.cancel_overdue")] == [2, 1]
    assert (job.run.status, job.run.pending, job.run.survivors) == ("running", "cancel", 1)


def test_the_cancel_is_confirmed_once_nothing_is_left(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.ControlRequested(control=Control.CANCEL, actor="ada"))
    overdue(api, job, 2)

    status = ended(api, job, signal=9)

    assert status == "cancelled"
    assert [(each["by"], each["confirmed_dead"]) for each in log(api, job, "run.cancelled")] == [
        ("ada", True)
    ]


def test_survivors_of_what_nobody_cancelled_are_no_news(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    answer = overdue(api, job, 2)

    assert answer.json() == {"status": "running", "survivors": None}
    assert log(api, job, "run.cancel_overdue") == []


def test_a_cancelled_run_is_not_reaped_while_its_host_sees_processes_of_it(
    api: httpx2.Client, server: Running
) -> None:
    job = job_on(server, "lab")
    job.say(e.ControlRequested(control=Control.CANCEL, actor="ada"))
    claim(api, 0, job)
    scheduler, store = server.server.context.scheduler, server.server.context.store

    async def let_the_lease_run_out() -> list[Any]:
        await store.renew(job.id, 1, 0.0)
        return await scheduler.reap()

    seen = call(server, let_the_lease_run_out())
    claim(api, 0)

    assert seen == []
    assert job.run.status == "cancelled", "the host names it no more"


def test_a_job_that_was_cut_off_has_not_crashed(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    status = ended(api, job, exit_code=5, cut_off=True)

    (interrupted,) = log(api, job, "run.interrupted")
    assert (status, interrupted["crash"]) == ("queued", False)
    assert "cut off" in interrupted["reason"]


def test_the_exit_code_alone_does_not_prove_that_a_job_was_cut_off(
    server: Running, api: httpx2.Client
) -> None:
    job = a_job(server)

    status = ended(api, job, exit_code=5)

    (interrupted,) = log(api, job, "run.interrupted")
    assert (status, interrupted["crash"]) == ("queued", True)


# Stacks


def test_a_stack_is_asked_of_the_host_at_once_and_comes_into_the_log(
    server: Running, api: httpx2.Client
) -> None:
    job = job_on(server, "lab")
    claim(api, 0, job)
    with ThreadPoolExecutor(1) as pool, server.client() as second:
        waiting = pool.submit(claim, second, 0, job, wait=20)
        until(server, lambda: server.server.context.scheduler.hosts.meet("lab").turn == 2)
        asked = api.post(f"{job.path}/stack")
        answered = waiting.result(10)

    assert (asked.status_code, asked.json()) == (202, {"run_id": job.id, "after": 2})
    assert answered == {"orders": [], "stop": [], "dump": [job.id]}
    assert claim(api, 0, job)["dump"] == [], "it is asked once"
    body = {"run_id": job.id, "attempt": 1, "text": "File a.py, line 1"}
    assert api.post("/api/hosts/lab/stack", json=body).status_code == 204
    assert log(api, job, "log") == [{"level": "info", "source": "stack", "text": "File a.py, line 1"}]


def test_a_stack_of_an_older_attempt_is_refused(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))

    answer = api.post("/api/hosts/lab/stack", json={"run_id": job.id, "attempt": 1, "text": "old"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "fenced")
    assert log(api, job, "log") == []


def test_only_a_run_with_a_process_has_a_stack(server: Running, api: httpx2.Client) -> None:
    held, released, queued, done = (job_on(server, "lab") for _ in range(4))
    held.say(e.RunPaused(strength=Strength.HOLD, unasked=True))
    released.say(e.RunPaused(strength=Strength.RELEASE, unasked=True))
    queued.say(e.RunInterrupted(reason="gone"))
    done.say(e.RunCompleted())
    claim(api, 0, held)

    answers = [api.post(f"{job.path}/stack") for job in (held, released, queued, done)]

    assert [answer.status_code for answer in answers] == [202, 409, 409, 409]
    assert {answer.json()["error"]["code"] for answer in answers[1:]} == {"not_running"}


def test_a_stack_cannot_be_asked_of_a_host_that_does_not_call(server: Running, api: httpx2.Client) -> None:
    job = job_on(server, "lab")

    answer = api.post(f"{job.path}/stack")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
