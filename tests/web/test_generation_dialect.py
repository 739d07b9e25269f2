"""Dialect 001, against the rows of its document: start, history, polling and the stream."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from statistics import median
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.web.dialects.generation import BatchStream
from pilothouse.web.dialects.pulse import HEARTBEAT_SECONDS
from tests.web.batches import BODY, STREAM, a_batch, a_sample, known, server
from tests.web.clients import Job, Json, Stream, call, until
from tests.web.serving import Running

__all__ = ["server"]


@pytest.mark.rows("S2.7", "S2.8", "S2.9", "S2.10", "S2.12", "S2.32", "S2.33")
def test_a_batch_is_told_in_the_documents_words(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    for number in range(1, 11):
        a_sample(job, number)

    batch = api.get("/api/generate/batch/status", params={"batch_id": job.id}).json()

    assert re.fullmatch(r"batch_\d{10}_[0-9a-f]{8}", batch["batch_id"])
    assert batch | dict.fromkeys(("created_at", "started_at", "duration_seconds"), 0) == {
        "id": job.id,
        "batch_id": job.id,
        "name": "october",
        "model": "gpt-oss-120b",
        "models": ["gpt-oss-120b"],
        "status": "running",
        "status_text": "RUNNING",
        "may_be_stuck": False,
        "real_time_updates": "ACTIVE",
        "target": 25,
        "samples_generated": 10,
        "progress": 40,
        "progress_text": "10/25 samples (40%)",
        "rejected": 0,
        "duplicates": 0,
        "failed": 0,
        "tokens_used": 4000,
        "cost": None,
        "duration_seconds": 0,
        "created_at": 0,
        "started_at": 0,
        "completed_at": None,
        "error": None,
    }
    assert 0 <= batch["duration_seconds"] < 60


@pytest.mark.rows("S2.7", "S2.8", "S2.51")
def test_a_batch_is_started_with_a_model_and_a_target(server: Running, api: httpx2.Client) -> None:
    answer = api.post("/api/generate/batch", json=BODY)

    told = answer.json()
    params = api.get(f"/api/runs/{told['batch_id']}").json()["params"]
    assert (answer.status_code, told["status"], told["batch"]["target"]) == (201, "queued", 25)
    assert (params["models"][0]["base_url"], params["models"][0]["api_key_env"]) == (
        "https://api.cerebras.ai/v1",
        "CEREBRAS_API_KEY",
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": None}, "body"),
        ({"base_url": None}, "body"),
        ({"target": 0}, "target"),
        ({"instructions": ""}, "instructions"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_batch_that_cannot_be_made_is_refused_by_the_name_of_the_field(
    api: httpx2.Client, changes: Json, field: str
) -> None:
    answer = api.post("/api/generate/batch", json=BODY | changes)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert api.get("/api/generate/batch/history").json()["total"] == 0


@pytest.mark.rows("S2.13", "S2.21", "S2.43", "S2.46", "S2.101")
def test_the_history_tells_every_batch_newest_first(server: Running, api: httpx2.Client) -> None:
    ended = [a_batch(server, api) for _ in range(14)]
    for number, job in enumerate(ended):
        job.say(e.RunCompleted() if number else e.RunFailed(message="no key"))
    stopped = a_batch(server, api, started=False)
    api.post("/api/generate/batch/stop", json={"batch_id": stopped.id})
    live = [a_batch(server, api) for _ in range(2)]
    api.post("/api/runs", json={"kind": "counting"})

    page = api.get("/api/generate/batch/history").json()

    assert (page["total"], page["running"], len(page["batches"])) == (17, 2, 17)
    assert [batch["batch_id"] for batch in page["batches"][:3]] == [live[1].id, live[0].id, stopped.id]
    assert [batch["status"] for batch in page["batches"]] == [
        "running", "running", "stopped", *["completed"] * 13, "failed",
    ]  # fmt: skip
    assert page["batches"][-1]["error"] == "no key"
    assert page["batches"][3]["progress"] == 100


def test_a_history_that_is_asked_for_every_5_seconds_comes_in_pages(
    server: Running, api: httpx2.Client
) -> None:
    jobs = [a_batch(server, api) for _ in range(5)]

    first = api.get("/api/generate/batch/history?limit=3").json()
    rest = api.get(f"/api/generate/batch/history?limit=3&before={first['before']}").json()

    told = [batch["batch_id"] for batch in first["batches"] + rest["batches"]]
    assert told == [job.id for job in reversed(jobs)]
    assert (first["total"], first["running"], rest["total"], rest["before"]) == (5, 5, 5, None)


@pytest.mark.rows("S2.23", "S2.24", "S2.80", "S2.85")
def test_polling_tells_the_batches_that_have_not_ended(server: Running, api: httpx2.Client) -> None:
    ended, going, waiting = a_batch(server, api), a_batch(server, api), a_batch(server, api, started=False)
    ended.say(e.RunCompleted())

    page = api.get("/api/generate/batch/status").json()

    assert [batch["batch_id"] for batch in page["batches"]] == [waiting.id, going.id]
    assert page["running"] == 1


@pytest.mark.rows("S2.14", "S2.17", "S2.18", "S2.2", "S2.6")
def test_the_stream_begins_with_how_every_batch_stands(server: Running, api: httpx2.Client) -> None:
    jobs = [a_batch(server, api) for _ in range(3)]
    api.post("/api/runs", json={"kind": "counting"})
    a_sample(jobs[1], 1)
    known(server, 4)

    with Stream(server, STREAM) as stream:
        messages = stream.messages()
        first = [next(messages) for _ in range(3)]

    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert all(list(message) == ["type", "batch_id", "batch"] for message in first)
    assert {message["type"] for message in first} == {"initial_state"}
    assert {message["batch_id"] for message in first} == {job.id for job in jobs}


@pytest.mark.rows("S2.16", "S2.53", "S2.58", "S2.63", "S2.73", "S2.74", "S2.75", "S2.77", "S2.79", "S2.91")
def test_start_samples_and_the_end_are_told_within_a_second(server: Running, api: httpx2.Client) -> None:
    told: list[Json] = []
    seconds: list[float] = []

    with Stream(server, STREAM) as stream:
        messages = stream.messages()

        def next_of(type_: str, since: float) -> Json:
            while (message := next(messages))["type"] != type_:
                pass
            seconds.append(time.monotonic() - since)
            told.append(message)
            return message

        begun = time.monotonic()
        job = a_batch(server, api)
        next_of("batch_started", begun)
        for number in (9, 10):
            begun = time.monotonic()
            a_sample(job, number)
            while next_of("sample_generated", begun)["batch"]["samples_generated"] != number:
                pass
        begun = time.monotonic()
        job.say(e.RunCompleted())
        next_of("batch_completed", begun)

    assert [message["batch"]["samples_generated"] for message in told] == [0, 9, 10, 10]
    assert [message["batch"]["progress"] for message in told] == [0, 36, 40, 100]
    assert told[-1]["batch"]["status"] == "completed"
    assert median(seconds) < 1.0  # one of them may meet a busy machine


@pytest.mark.rows("S2.19", "S2.90")
def test_many_clients_are_told_alike_and_none_can_hold_up_another(
    server: Running, api: httpx2.Client
) -> None:
    job = a_batch(server, api)

    def watch() -> int:
        with Stream(server, STREAM) as stream:
            for message in stream.messages():
                if message["type"] == "batch_completed":
                    return int(message["batch"]["samples_generated"])
        raise AssertionError("the stream ended")

    with ThreadPoolExecutor(8) as pool:
        watching = [pool.submit(watch) for _ in range(8)]
        until(server, lambda: len(server.server.context.fleet.sleeping) == 8)
        for number in range(1, 26):
            a_sample(job, number)
        job.say(e.RunCompleted())

        assert [each.result(20) for each in watching] == [25] * 8


@pytest.mark.rows("S2.20", "S2.25", "S2.93", "S2.94")
def test_who_comes_back_is_told_how_it_stands_and_then_goes_on(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    known(server, 1)
    with Stream(server, STREAM) as stream:
        next(stream.messages())
    for number in range(1, 6):
        a_sample(job, number)
    until(server, lambda: b'"kept":5' in b"".join(server.server.context.fleet.take(0)[0]))

    with Stream(server, STREAM) as stream:
        opening = stream.response.readline()
        messages = stream.messages()
        back = next(messages)
        a_sample(job, 6)
        on = next(messages)

    assert opening.startswith(b"retry: ")
    assert (back["type"], back["batch"]["samples_generated"]) == ("initial_state", 5)
    assert (on["type"], on["batch"]["samples_generated"]) == ("sample_generated", 6)


def test_a_deleted_batch_is_told(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    job.say(e.RunCompleted())
    known(server, 1)

    with Stream(server, STREAM) as stream:
        messages = stream.messages()
        next(messages)
        api.delete(f"/api/runs/{job.id}")
        while (told := next(messages))["type"] != "batch_deleted":
            pass

    assert told == {"type": "batch_deleted", "batch_id": job.id, "batch": None}


@pytest.mark.rows("S2.15", "S2.45")
def test_a_quiet_stream_beats(server: Running) -> None:
    bodies: list[bytes] = []
    left = asyncio.Event()

    async def receive() -> Any:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        bodies.append(message.get("body", b""))
        if b"".join(bodies).count(b"heartbeat") == 3:
            left.set()

    call(server, BatchStream(server.server.context, 0.02)({}, receive, send))

    beats = [json.loads(body[6:]) for body in bodies if b'"heartbeat"' in body]
    assert beats == [{"type": "heartbeat", "batch_id": None, "batch": None}] * 3
    assert HEARTBEAT_SECONDS == 30


def test_what_changes_nothing_of_a_batch_is_not_told(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    known(server, 1)

    with Stream(server, STREAM) as stream:
        messages = stream.messages()
        next(messages)
        version = server.server.context.fleet.version
        job.say(e.Note(feed="planned", text="25 samples"))
        until(server, lambda: server.server.context.fleet.version > version)
        a_sample(job, 1)
        told = next(messages)

    assert told["type"] == "sample_generated"


@pytest.mark.rows("S2.84")
def test_the_stream_can_be_asked_for_by_hand_and_a_fault_in_it_is_logged(
    server: Running,
    api: httpx2.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = a_batch(server, api)
    known(server, 1)
    command = ["curl", "-sN", "--max-time", "20", "-H", f"Authorization: Bearer {server.token}"]
    with subprocess.Popen([*command, server.url + STREAM], stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout
        line = next(line for line in curl.stdout if line.startswith("data:"))
        curl.kill()
    monkeypatch.setattr("pilothouse.web.dialects.generation.described", lambda run: 1 / 0)

    with suppress(httpx2.HTTPError), Stream(server, STREAM) as stream:
        list(stream.messages())

    assert json.loads(line[5:])["batch_id"] == job.id
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.rows("S2.81", "S2.82", "S2.83")
def test_a_message_and_a_poll_are_small(server: Running, api: httpx2.Client) -> None:
    for _ in range(3):
        a_sample(a_batch(server, api), 1)

    batch = api.get("/api/generate/batch/history").json()["batches"][0]
    polled = [len(api.get(f"/api/{path}").content) for path in ("generate/batch/status", "batches/stuck")]

    assert len(json.dumps(batch)) < 1_000
    assert sum(polled) < 5 * 5_000


def test_what_is_no_batch_is_not_here(server: Running, api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()["id"]

    for reference in (other, "nobody"):
        shown = api.get("/api/generate/batch/status", params={"batch_id": reference})
        stopped = api.post("/api/generate/batch/stop", json={"batch_id": reference})

        assert (shown.status_code, stopped.status_code) == (404, 404)
    assert Job(server, other).run.pending is None
