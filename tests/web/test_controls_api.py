"""Pause, resume, cancel and retry over HTTP, for one run and for many."""

from __future__ import annotations

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.model.run import Control, Strength
from tests.web.clients import a_job, a_run, an_item
from tests.web.serving import Running

PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada")


@pytest.mark.rows("S1.80")
def test_a_pause_is_accepted_then_known_then_obeyed(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    asked = api.post(f"{job.path}/pause", json={"reason": "lunch", "strength": "release"})
    again = api.post(f"{job.path}/pause")
    job.say(e.RunPaused(strength=Strength.RELEASE))
    obeyed = api.post(f"{job.path}/pause")

    assert asked.status_code == 202
    assert asked.json() == {
        "run_id": job.id,
        "status": "running",
        "pending": "pause",
        "changed": True,
        "event_seq": 3,
        "effective": "after_current_item",
    }
    assert again.status_code == 200
    assert again.json() == asked.json() | {"changed": False, "event_seq": None}
    assert obeyed.json()["status"] == "paused"
    assert obeyed.json()["effective"] == "immediately"


def test_a_resume_takes_the_pause_back(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    api.post(f"{job.path}/pause")

    answer = api.post(f"{job.path}/resume", json={})

    assert answer.status_code == 200
    assert answer.json() == {
        "run_id": job.id,
        "status": "running",
        "pending": None,
        "changed": True,
        "event_seq": 4,
        "effective": "immediately",
    }


def test_a_held_run_resumes(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(PAUSE, e.RunPaused())

    assert api.post(f"{job.path}/resume").status_code == 202
    assert job.run.status == "running"


def test_a_forced_cancel_does_not_wait_for_the_item(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    gentle = api.post(f"{job.path}/cancel", json={"reason": "wrong model"})
    forced = api.post(f"{job.path}/cancel", json={"force": True})

    assert (gentle.status_code, gentle.json()["effective"]) == (202, "after_current_item")
    assert (forced.status_code, forced.json()["effective"]) == (202, "immediately")
    assert forced.json()["changed"]


@pytest.mark.rows("S3.52", "S3.53")
def test_a_queued_run_is_cancelled_at_once(server: Running, api: httpx2.Client) -> None:
    job = a_run(server)

    answer = api.post(f"{job.path}/cancel")

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert job.run.ended_by == job.run.owner


@pytest.mark.rows("S3.52")
@pytest.mark.parametrize("control", ["pause", "resume", "cancel"])
def test_an_ended_run_refuses_and_says_what_is_possible(
    server: Running, api: httpx2.Client, control: str
) -> None:
    job = a_job(server, name="tuning")
    job.say(e.RunCompleted())

    answer = api.post(f"{job.path}/{control}")

    error = answer.json()["error"]
    assert answer.status_code == 409
    assert error["code"] == "already_finished"
    assert error["message"].startswith("Run tuning completed at ")
    assert (error["status"], error["allowed"]) == ("completed", ["retry"])


def test_a_run_that_is_being_cancelled_can_only_be_cancelled(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    api.post(f"{job.path}/cancel")

    answer = api.post(f"{job.path}/pause")

    error = answer.json()["error"]
    assert answer.status_code == 409
    assert (error["code"], error["pending"], error["allowed"]) == ("cancelling", "cancel", ["cancel"])


@pytest.mark.parametrize(
    ("control", "body", "field"),
    [
        ("pause", {"strength": "hard"}, "strength"),
        ("pause", {"reason": "x" * 501}, "reason"),
        ("pause", {"force": True}, "force"),
        ("cancel", {"force": "maybe"}, "force"),
        ("resume", {"strength": "hold"}, "strength"),
    ],
)
def test_a_malformed_control_changes_nothing(
    server: Running, api: httpx2.Client, control: str, body: dict[str, object], field: str
) -> None:
    job = a_job(server)

    answer = api.post(f"{job.path}/{control}", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field
    assert job.run.head == 2


@pytest.mark.rows("S1.31")
def test_many_runs_are_steered_with_one_answer_each(server: Running, api: httpx2.Client) -> None:
    running, over = a_job(server), a_job(server)
    over.say(e.RunCompleted())

    answer = api.post(
        "/api/controls",
        json={"control": "pause", "run_ids": [running.id, over.id, "nobody", running.id], "reason": "all"},
    )

    first, second, third = answer.json()["answers"]
    assert answer.status_code == 200
    assert (first["run_id"], first["pending"], first["changed"]) == (running.id, "pause", True)
    assert (second["run_id"], second["error"]["code"]) == (over.id, "already_finished")
    assert (third["run_id"], third["error"]["code"]) == ("nobody", "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"control": "cancel", "run_ids": []},
        {"control": "cancel"},
        {"control": "cancel", "run_ids": None},
        {"control": "cancel", "run_ids": "all"},
        {"control": "cancel", "run_ids": ["x"] * 1001},
        {"control": "stop", "run_ids": ["@last"]},
        {"run_ids": ["@last"]},
        {},
    ],
)
def test_an_empty_or_malformed_list_stops_nothing(
    server: Running, api: httpx2.Client, body: dict[str, object]
) -> None:
    jobs = [a_job(server), a_run(server)]

    answer = api.post("/api/controls", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] in ("run_ids", "control")
    assert [job.run.head for job in jobs] == [2, 1]


def test_a_resume_keeps_the_units_that_a_job_counted_itself(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.ProgressTold(done=99, total=600), e.ItemFinished(key="step-100", seconds=1))
    job.say(e.ControlRequested(control=Control.PAUSE, actor="ada"), e.RunPaused())

    preview = api.post(f"{job.path}/resume?dry_run=1").json()["preview"]

    assert (preview["kept"], preview["left"]) == (100, 500)


def test_a_retry_is_previewed_and_made(server: Running, api: httpx2.Client) -> None:
    job = a_job(server, name="old")
    job.say(
        e.ProgressTold(total=4),
        e.ItemFinished(key="a", seconds=1),
        e.ItemFinished(key="b", seconds=1, ok=False, error="x"),
    )
    job.say(e.RunFailed(message="it broke"))

    preview = api.post(f"{job.path}/retry?dry_run=1", json={"only": "failed"})
    made = api.post(f"{job.path}/retry", json={"only": "failed", "name": "again"})

    assert preview.status_code == 200
    assert preview.json() == {
        "kept": 1,
        "repeated": 1,
        "left": 2,
        "seconds": None,
        "cost": None,
        "total": None,
    }
    assert made.status_code == 201
    assert (made.json()["retry_of"], made.json()["name"]) == (job.id, "again")
    assert made.json()["progress"]["reused"] == 1


def test_a_retry_that_is_sent_twice_makes_one_run(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.RunFailed(message="it broke"))
    headers = {"Idempotency-Key": "try again"}

    first, second = [api.post(f"{job.path}/retry", json={}, headers=headers) for _ in range(2)]
    other = api.post(f"{job.path}/retry", json={}, headers={"Idempotency-Key": "try once more"})

    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == second.json()["id"] != other.json()["id"]


def test_a_live_run_is_not_retried(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)

    answer = api.post(f"{job.path}/retry", json={"only": "all"})

    assert answer.status_code == 409
    assert answer.json()["error"]["allowed"] == ["cancel"]


@pytest.mark.rows("S1.80", "S3.55")
def test_everybody_sees_who_did_what(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    api.post(f"{job.path}/pause", json={"reason": "lunch"})
    api.post(f"{job.path}/resume")
    api.post(f"{job.path}/events", json=job.batch(an_item("a")))
    api.post(f"{job.path}/cancel")

    events = api.get(f"{job.path}/audit").json()["events"]

    assert [event["type"] for event in events] == [
        "run.queued",
        "run.started",
        "control.requested",
        "control.withdrawn",
        "control.requested",
    ]
    assert events[2]["data"]["reason"] == "lunch"
    assert events[2]["data"]["actor"] == job.run.owner
