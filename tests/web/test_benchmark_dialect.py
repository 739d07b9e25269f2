"""Dialect 000, against the rows of its document: `/tuning/runs…` and its stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.model.run import Control
from pilothouse.web.dialects.benchmark import TuningStream
from tests.web.clients import Job, Json, Stream, call, until
from tests.web.serving import COUNTING, Running, running

BODY: Json = {
    "name": "tuning",
    "prompts": [{"name": "strict", "template": "Is {code} safe? {votes} {answer}"}],
    "test_cases": [{"id": f"sqli-{n}", "vote": "SAFE", "code": "x"} for n in range(60)],
    "models": [{"name": "small"}],
}
PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A tuning run that has begun: 60 tests, none done."""
    job = Job(server, api.post("/tuning/runs", json=BODY).json()["id"])
    job.path = f"/tuning/runs/{job.id}"
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=60))
    return job


def a_result(number: int, *, correct: bool = True) -> e.ItemFinished:
    """A test that got an answer."""
    data = {
        "model": "small",
        "prompt": "strict",
        "case": f"sqli-{number}",
        "predicted": "SAFE" if correct else "UNSAFE",
        "expected": "SAFE",
        "correct": correct,
        "confidence": 0.9,
        "milliseconds": 250.0,
    }
    return e.ItemFinished(key=f"t{number}", seconds=0.25, data=data)


def an_error(number: int) -> e.ItemFinished:
    """A test that got none."""
    data = {"model": "small", "prompt": "strict", "case": f"sqli-{number}", "expected": "SAFE"}
    return e.ItemFinished(key=f"t{number}", seconds=1, ok=False, error="timeout", data=data)


@pytest.mark.rows("S1.57")
def test_a_run_is_started_with_prompts_test_cases_and_models(api: httpx2.Client) -> None:
    answer = api.post("/tuning/runs", json=BODY)

    run = answer.json()
    assert answer.status_code == 201
    assert (run["name"], run["status"], run["is_paused"]) == ("tuning", "queued", False)
    assert len(api.get(f"/api/runs/{run['id']}").json()["params"]["cases"]) == 60


@pytest.mark.parametrize("missing", ["prompts", "models", "test_cases"])
def test_a_run_without_a_part_is_refused_by_name(api: httpx2.Client, missing: str) -> None:
    answer = api.post("/tuning/runs", json={name: part for name, part in BODY.items() if name != missing})

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == {"test_cases": "cases"}.get(missing, missing)


@pytest.mark.rows("S1.39", "S1.43", "S1.48", "S1.56", "S1.77")
def test_a_stream_begins_with_the_run(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        first = next(stream.messages())

    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert list(first) == ["type", "run"]
    assert first["type"] == "connected"
    assert first["run"] | {"created_at": "", "started_at": ""} == {
        "id": job.id,
        "run_id": job.id,
        "name": "tuning",
        "status": "running",
        "is_paused": False,
        "pause_requested_at": None,
        "resumed_at": None,
        "created_at": "",
        "started_at": "",
        "completed_at": None,
        "progress": {"completed": 0, "total": 60, "failed": 0, "percentage": 0},
        "error": None,
    }


@pytest.mark.rows("S1.3", "S1.37", "S1.6", "S1.7", "S1.8", "S1.9", "S1.10", "S1.11", "S1.49", "S1.62")
def test_every_result_is_told_as_soon_as_its_test_is_done(server: Running, job: Job) -> None:
    """One message for each result, with the progress after it."""
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        told = []
        for number in range(55):
            job.say(a_result(number, correct=number != 7))
            told.append(next(messages))

    assert [message["type"] for message in told] == ["result"] * 55
    assert [message["progress"]["completed"] for message in told] == list(range(1, 56))
    assert told[54]["progress"] == {"completed": 55, "total": 60, "failed": 0, "percentage": 91}
    assert told[7]["data"] == {
        "id": "t7",
        "model": "small",
        "prompt": "strict",
        "test_case": "sqli-7",
        "predicted_vote": "UNSAFE",
        "expected_vote": "SAFE",
        "correct": False,
        "confidence": 0.9,
        "duration": 0.25,
        "duration_ms": 250.0,
        "error": None,
        "failed": False,
    }


@pytest.mark.rows("S1.69")
def test_a_failed_test_is_streamed_counted_and_marked(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        job.say(a_result(0), an_error(1), a_result(2))
        told = [next(messages) for _ in range(3)]

    assert [message["data"]["failed"] for message in told] == [False, True, False]
    assert (told[1]["data"]["error"], told[1]["data"]["correct"]) == ("timeout", False)
    assert told[2]["progress"] == {"completed": 3, "total": 60, "failed": 1, "percentage": 5}


@pytest.mark.rows("S1.21", "S1.22", "S1.50")
def test_who_reconnects_gets_the_existing_results_and_then_the_new_ones(server: Running, job: Job) -> None:
    job.say(*(a_result(number) for number in range(10)), an_error(10))

    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        connected = next(messages)
        existing = [next(messages) for _ in range(11)]
        job.say(a_result(11))
        new = next(messages)

    assert connected["run"]["progress"]["completed"] == 11
    assert [message["type"] for message in existing] == ["existing_result"] * 11
    assert all(list(message) == ["type", "data"] for message in existing)
    assert [message["data"]["id"] for message in existing] == [f"t{number}" for number in range(11)]
    assert existing[10]["data"]["error"] == "timeout"
    assert new["type"] == "result"
    assert new["progress"]["completed"] == 12


@pytest.mark.rows("S1.40", "S1.41", "S1.51", "S1.52")
def test_pause_and_resume_are_asked_obeyed_and_told(server: Running, api: httpx2.Client, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        asked = api.post(f"{job.path}/pause")
        job.say(a_result(0))
        after_current = next(messages)
        job.say(e.RunPaused())
        paused = next(messages)
        resumed = api.post(f"{job.path}/resume")
        goes_on = next(messages)
        job.say(a_result(1))
        result = next(messages)

    assert asked.status_code == 202
    assert asked.json()["message"] == "Pausing after current test..."
    assert asked.json()["run"]["status"] == "running"
    assert after_current["type"] == "result"
    assert paused == {"type": "paused", "message": "Run paused"}
    assert resumed.status_code == 202
    assert goes_on == {"type": "resumed", "message": "Run resumed"}
    assert (result["type"], result["progress"]["completed"]) == ("result", 2)


@pytest.mark.rows("S1.17", "S1.24", "S1.25", "S1.26")
def test_a_pause_outlives_a_refresh(server: Running, api: httpx2.Client, job: Job) -> None:
    api.post(f"{job.path}/pause")
    job.say(e.RunPaused())

    with Stream(server, f"{job.path}/stream") as stream:
        paused = next(stream.messages())["run"]
    api.post(f"{job.path}/resume")
    going = api.get(job.path).json()

    assert (paused["status"], paused["is_paused"]) == ("paused", True)
    assert paused["pause_requested_at"].endswith("Z")
    assert paused["resumed_at"] is None
    assert (going["is_paused"], going["resumed_at"] >= paused["pause_requested_at"]) == (False, True)


@pytest.mark.rows("S1.18", "S1.19", "S1.42", "S1.53", "S1.70")
def test_a_cancel_keeps_the_partial_results(server: Running, api: httpx2.Client, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        job.say(a_result(0), an_error(1))
        asked = api.post(f"{job.path}/cancel")
        job.say(e.RunCancelled(by="ada"))
        rest = list(messages)
    shown = api.get(job.path).json()

    assert asked.status_code == 202
    assert [message["type"] for message in rest] == ["result", "result", "cancelled"]
    assert rest[-1]["message"]
    assert (shown["status"], shown["progress"]["completed"]) == ("cancelled", 2)
    assert [result["id"] for result in shown["results"]] == ["t0", "t1"]
    assert shown["results"][1]["error"] == "timeout"


@pytest.mark.rows("S1.54", "S1.67")
def test_completion_is_told_and_ends_the_stream(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        job.say(*(a_result(number) for number in range(60)), e.RunCompleted())
        rest = list(messages)

    assert [message["type"] for message in rest] == ["result"] * 60 + ["completed"]
    assert rest[-1]["progress"] == {"completed": 60, "total": 60, "failed": 0, "percentage": 100}
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


@pytest.mark.rows("S1.22")
def test_a_finished_run_is_told_whole_to_who_comes_late(server: Running, job: Job) -> None:
    job.say(a_result(0), PAUSE, e.RunPaused(), e.RunResumed(actor="ada"), a_result(1), e.RunCompleted())

    with Stream(server, f"{job.path}/stream") as stream:
        told = [message["type"] for message in stream.messages()]

    assert told == ["connected", "existing_result", "existing_result", "completed"]


def test_a_failure_of_the_run_is_told(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        next(messages)
        job.say(e.RunFailed(message="no key"))
        rest = list(messages)

    assert rest == [{"type": "failed", "message": "no key"}]


def test_a_paused_run_is_not_complete(server: Running, api: httpx2.Client, job: Job) -> None:
    job.say(PAUSE, e.RunPaused())

    with Stream(server, f"{job.path}/stream") as stream:
        messages = stream.messages()
        connected = next(messages)
        api.post(f"{job.path}/resume")
        following = next(messages)

    assert connected["run"]["completed_at"] is None
    assert following["type"] == "resumed"


@pytest.mark.rows("S1.32", "S1.68", "S1.82")
def test_many_clients_watch_the_same_run_and_get_the_same(server: Running, job: Job) -> None:
    """No queue of a client overflows."""

    def watch() -> list[str]:
        with Stream(server, f"{job.path}/stream") as stream:
            return [message["data"]["id"] for message in stream.messages() if "result" in message["type"]]

    with ThreadPoolExecutor(10) as pool:
        watching = [pool.submit(watch) for _ in range(10)]
        until(server, lambda: server.server.context.tails.watchers(job.id) == 10)
        for start in range(0, 1_000, 100):
            job.say(*(a_result(number) for number in range(start, start + 100)))
        job.say(e.RunCompleted())
        told = [each.result() for each in watching]

    assert all(ids == [f"t{number}" for number in range(1_000)] for ids in told)


@pytest.mark.rows("S1.55", "S1.66")
def test_a_quiet_stream_beats_at_its_own_pace(server: Running, job: Job) -> None:
    """The server's own heartbeat is a comment beside it."""
    context = server.server.context
    bodies: list[bytes] = []
    left = asyncio.Event()

    async def receive() -> Any:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b""))
        if b"".join(bodies).count(b"heartbeat") == 3:
            left.set()

    async def listen() -> None:
        scope: Any = {"type": "http", "path_params": {"run_id": job.id}}
        stream = asyncio.create_task(TuningStream(context, 0.02)(scope, receive, send))
        while not any(b": hb" in body for body in bodies):
            for tail in context.tails.all:
                tail.beat()
            await asyncio.sleep(0)
        await stream

    call(server, listen())

    beats = [json.loads(body[6:]) for body in bodies if b'"heartbeat"' in body]
    assert beats == [{"type": "heartbeat"}] * 3


@pytest.mark.rows("S1.66")
def test_the_heartbeat_is_due_every_thirty_seconds() -> None:
    from pilothouse.web.dialects.pulse import HEARTBEAT_SECONDS

    assert HEARTBEAT_SECONDS == 30


def test_runs_are_listed_newest_first(api: httpx2.Client, job: Job) -> None:
    page = api.get("/tuning/runs").json()

    assert page["runs"][0]["id"] == job.id
    assert page["total"] >= 1


@pytest.mark.parametrize("control", ["pause", "resume", "cancel"])
def test_an_ended_run_refuses_controls(api: httpx2.Client, job: Job, control: str) -> None:
    job.say(e.RunCompleted())

    answer = api.post(f"{job.path}/{control}")

    assert answer.status_code == 409
    assert answer.json()["error"]["allowed"] == ["retry"]


def test_what_is_no_benchmark_is_not_here(server: Running, api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()["id"]

    statuses = [api.get(f"/tuning/runs/{reference}").status_code for reference in (other, "nobody")]
    statuses += [api.post(f"/tuning/runs/{other}/{control}").status_code for control in ("pause", "cancel")]
    for reference in (other, "nobody"):
        with Stream(server, f"/tuning/runs/{reference}/stream") as stream:
            statuses.append(stream.status)

    assert statuses == [404] * 6
