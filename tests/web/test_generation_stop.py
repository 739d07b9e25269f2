"""Dialect 001, against the rows of its document: stuck batches, and stopping."""

from __future__ import annotations

import json

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.model.run import Control
from tests.web.batches import STREAM, a_batch, a_sample, known, server
from tests.web.clients import Job, Json, Stream
from tests.web.serving import Running

__all__ = ["server"]


@pytest.mark.rows("S2.44", "S2.76", "S2.34", "S2.88")
def test_a_stop_ends_one_batch_and_keeps_its_samples(server: Running, api: httpx2.Client) -> None:
    job, other = a_batch(server, api), a_batch(server, api)
    a_sample(job, 1)
    known(server, 2)

    with Stream(server, STREAM) as stream:
        messages = stream.messages()
        asked = api.post("/api/generate/batch/stop", json={"batch_id": job.id})
        job.say(e.RunCancelled(by="ada"))
        while (stopped := next(messages))["type"] != "batch_stopped":
            pass

    assert asked.status_code == 202
    assert asked.json()["message"] == "Stopping 1 batch; their samples are kept"
    assert asked.json()["stopped"][0]["batch"]["status"] == "stopping"
    assert stopped["batch_id"] == job.id
    assert (stopped["batch"]["status"], stopped["batch"]["samples_generated"]) == ("stopped", 1)
    assert other.run.pending is None


@pytest.mark.rows("S2.44")
def test_all_stops_every_batch_and_no_other_run(server: Running, api: httpx2.Client) -> None:
    going, waiting, ended = a_batch(server, api), a_batch(server, api, started=False), a_batch(server, api)
    ended.say(e.RunCompleted())
    counting = api.post("/api/runs", json={"kind": "counting"}).json()["id"]

    answer = api.post("/api/generate/batch/stop", json={"all": True})
    again = api.post("/api/generate/batch/stop", json={"all": True})

    assert {each["batch_id"] for each in answer.json()["stopped"]} == {going.id, waiting.id}
    assert (going.run.pending, waiting.run.status, ended.run.status) == (
        Control.CANCEL,
        "cancelled",
        "completed",
    )
    assert Job(server, counting).run.pending is None
    assert again.json()["stopped"][0]["changed"] is False


@pytest.mark.rows("S2.44")
@pytest.mark.parametrize(
    "body", [None, {}, {"all": False}, {"batch_id": None}, {"batch_id": ""}, {"batch_id": "x", "all": True}]
)
def test_a_stop_that_names_nothing_is_refused_and_stops_nothing(
    server: Running, api: httpx2.Client, body: Json | None
) -> None:
    job = a_batch(server, api)

    answer = api.post("/api/generate/batch/stop", json=body)

    assert answer.status_code == 422
    assert (job.run.pending, job.run.status) == (None, "running")


@pytest.mark.rows("S2.11", "S2.22", "S2.78", "S2.95", "S2.100", "S2.5")
def test_a_stuck_batch_is_listed_told_and_marked(server: Running, api: httpx2.Client) -> None:
    healthy, job = a_batch(server, api), a_batch(server, api, target=100)
    known(server, 2)

    with Stream(server, STREAM) as stream:
        messages = stream.messages()
        job.say(e.RunStuck(seconds=180, cause="the process is alive"))
        while (told := next(messages))["type"] != "batch_stuck":
            pass
    page = api.get("/api/batches/stuck").json()

    assert (told["batch_id"], told["batch"]["status_text"]) == (job.id, "RUNNING (may be stuck)")
    assert (page["count"], page["stuck_batches"][0]["batch_id"]) == (1, job.id)
    assert (
        page["stuck_batches"][0] | {"limit": 180.0, "cause": "the process is alive"}
        == page["stuck_batches"][0]
    )
    assert page["stuck_batches"][0]["seconds_without_sample"] >= 180
    assert page["stuck_batches"][0]["progress_text"] == "0/100 samples (0%)"
    assert healthy.id not in json.dumps(page)


@pytest.mark.rows("S2.88", "S2.89")
def test_after_a_stuck_batch_was_stopped_another_can_be_started(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    job.say(e.RunStuck(seconds=180, cause="the process is alive"))

    api.post("/api/generate/batch/stop", json={"batch_id": job.id})
    job.say(e.RunCancelled(by="ada"))
    new = a_batch(server, api)

    assert api.get("/api/batches/stuck").json() == {"stuck_batches": [], "count": 0}
    batches = api.get("/api/generate/batch/history").json()["batches"]
    assert [(batch["batch_id"], batch["status"]) for batch in batches] == [
        (new.id, "running"),
        (job.id, "stopped"),
    ]


def test_no_get_changes_a_batch(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    job.say(e.RunStuck(seconds=180, cause="the process is alive"))
    before = job.run

    for path in ("generate/batch/history", "generate/batch/status", "batches/stuck"):
        assert api.get(f"/api/{path}").status_code == 200

    assert job.run == before


def test_a_batch_that_has_ended_cannot_be_stopped(server: Running, api: httpx2.Client) -> None:
    job = a_batch(server, api)
    job.say(e.RunCompleted())

    answer = api.post("/api/generate/batch/stop", json={"batch_id": job.id})

    assert (answer.status_code, answer.json()["error"]["allowed"]) == (409, ["retry"])
