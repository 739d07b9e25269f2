"""The job's link: events up, each stored once; controls down; the fence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.model.run import Control, Strength
from tests.web.clients import Job, Json, Stream, a_job, a_run, an_item, until
from tests.web.serving import Running, running

PAUSE = e.ControlRequested(control=Control.PAUSE, actor="ada", strength=Strength.RELEASE)


@pytest.fixture
def job(server: Running) -> Job:
    """A run whose first attempt has begun: two events."""
    return a_job(server)


def send(api: httpx2.Client, job: Job, *events: Json) -> httpx2.Response:
    """Send a batch as the job's attempt."""
    return api.post(f"{job.path}/events", json=job.batch(*events))


def error_of(answer: httpx2.Response) -> Any:
    """The error in an answer."""
    return answer.json()["error"]


def test_a_batch_is_stored_in_order_and_acknowledged(api: httpx2.Client, job: Job) -> None:
    answer = send(api, job, an_item("a"), an_item("b"), {"type": "progress", "data": {"total": 5}})

    assert answer.status_code == 200
    assert answer.json() == {
        "acked": 3,
        "refused": {},
        "status": "running",
        "pending": None,
        "strength": None,
        "live": {"speed": 1.0},
        "head": 5,
    }
    assert (job.run.progress.done, job.run.progress.total, job.run.head) == (2, 5, 5)


def test_a_batch_that_is_sent_again_is_stored_once(api: httpx2.Client, job: Job) -> None:
    batch = job.batch(an_item("a"), an_item("b"))

    answers = [api.post(f"{job.path}/events", json=batch).json()["acked"] for _ in range(3)]

    assert answers == [2, 2, 2]
    assert job.run.head == 4


def test_another_writer_of_the_attempt_counts_for_itself(api: httpx2.Client, job: Job) -> None:
    send(api, job, an_item("a"), an_item("b"))
    note = {"attempt": 1, "client_seq": 1, "writer": "vitals", "events": [an_item("c")]}

    answers = [api.post(f"{job.path}/events", json=note).json()["acked"] for _ in range(2)]

    assert answers == [1, 1]
    assert job.run.progress.done == 3
    assert send(api, job, an_item("d")).json()["acked"] == 3


def test_a_batch_that_overlaps_is_stored_from_where_it_is_new(api: httpx2.Client, job: Job) -> None:
    send(api, job, an_item("a"), an_item("b"))
    job.client_seq = 2

    answer = send(api, job, an_item("b"), an_item("c"))

    assert answer.json()["acked"] == 3
    assert job.run.progress.done == 3


def test_a_last_word_whose_answer_got_lost_is_acknowledged_again(api: httpx2.Client, job: Job) -> None:
    batch = job.batch(an_item("a"), {"type": "run.completed"})

    answers = [api.post(f"{job.path}/events", json=batch) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["status"] == "completed"
    assert job.run.head == 4


def test_an_item_that_is_finished_twice_is_refused_alone(api: httpx2.Client, job: Job) -> None:
    send(api, job, an_item("a"))

    answer = send(api, job, an_item("a"), an_item("b")).json()

    assert answer["acked"] == 3
    assert list(answer["refused"]) == ["2"]
    assert job.run.progress.done == 2


def test_no_item_gets_leave_while_a_control_is_pending(api: httpx2.Client, job: Job) -> None:
    job.say(PAUSE)

    answer = send(api, job, {"type": "item.started", "data": {"key": "a", "ask": True}}, an_item("b")).json()

    assert answer["refused"] == {"1": "no item starts while a control is pending"}
    assert (answer["acked"], answer["pending"]) == (2, "pause")
    assert job.run.progress.done == 1


def test_the_acknowledgement_of_a_withdrawn_pause_is_refused(api: httpx2.Client, job: Job) -> None:
    job.say(PAUSE, e.ControlWithdrawn(actor="ada"))

    answer = send(api, job, {"type": "run.paused"}).json()

    assert list(answer["refused"]) == ["1"]
    assert answer["status"] == "running"


def test_a_job_that_pauses_tells_so(api: httpx2.Client, job: Job) -> None:
    job.say(PAUSE)

    answer = send(api, job, {"type": "run.paused", "data": {"strength": "release"}}).json()

    assert (answer["status"], answer["pending"]) == ("paused", None)
    assert job.run.strength == "release"


def test_a_heartbeat_writes_nothing_and_tells_the_controls(api: httpx2.Client, job: Job) -> None:
    job.say(PAUSE)

    answer = send(api, job)

    assert answer.json()["acked"] == 0
    assert answer.json()["pending"] == "pause"
    assert job.run.head == 3


def test_an_old_attempt_is_fenced(api: httpx2.Client, job: Job) -> None:
    job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))

    answers = [send(api, job, an_item("a")), send(api, job), api.get(f"{job.path}/assignment?attempt=1")]

    assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(409, "fenced")] * 3
    assert job.run.head == 4


def test_the_attempt_of_an_ended_run_is_fenced(api: httpx2.Client, job: Job) -> None:
    job.say(e.RunCompleted())

    answers = [send(api, job, an_item("a")), send(api, job), api.get(f"{job.path}/assignment?attempt=1")]

    assert [error_of(answer)["code"] for answer in answers] == ["fenced"] * 3


NOT_FOR_JOBS = [
    "run.queued", "run.started", "run.resumed", "run.interrupted", "run.stuck", "run.recovered",
    "run.cancel_overdue", "run.edited", "control.requested", "control.withdrawn", "params.changed", "x", "",
]  # fmt: skip


@pytest.mark.parametrize("type_", NOT_FOR_JOBS)
def test_a_job_does_not_speak_for_users_or_the_server(api: httpx2.Client, job: Job, type_: str) -> None:
    answer = send(api, job, an_item("a"), {"type": type_, "data": {}})

    assert answer.status_code == 422
    assert error_of(answer)["field"] == "events.1.type"
    assert job.run.head == 2


DEEP: Any = 1
for _ in range(20):
    DEEP = {"x": DEEP}
MALFORMED: list[tuple[Json, str]] = [
    ({"type": "item.finished", "data": {"key": "a"}}, "events.1.seconds"),
    ({"type": "item.finished", "data": {"key": "", "seconds": 1}}, "events.1.key"),
    ({"type": "item.finished", "data": {"key": "a", "seconds": -1}}, "events.1.seconds"),
    ({"type": "item.finished", "data": {"key": "a", "seconds": "NaN"}}, "events.1.seconds"),
    ({"type": "item.finished", "data": {"key": "a", "seconds": 1, "colour": 1}}, "events.1.colour"),
    ({"type": "metric", "data": {"step": "x", "values": {}}}, "events.1.step"),
    ({"type": "metric", "data": {"step": 1, "values": {"a": "much"}}}, "events.1.values"),
    ({"type": "note", "data": {"feed": "none", "text": ""}}, "events.1.feed"),
    ({"type": "log", "data": {"text": DEEP}}, "events.1"),
    ({"type": "item.finished", "data": {"key": "a", "seconds": 1, "data": DEEP}}, "events.1"),
    ({"type": "note", "data": []}, "events.1.data"),
    ({"type": 3}, "events.1.type"),
    ({}, "events.1.type"),
    ({"type": "note", "data": {}, "seq": 3}, "events.1.seq"),
]


@pytest.mark.parametrize(("event", "field"), MALFORMED)
def test_a_malformed_event_is_named_and_none_of_its_batch_is_stored(
    api: httpx2.Client, job: Job, event: Json, field: str
) -> None:
    answer = send(api, job, an_item("ok"), event)

    assert answer.status_code == 422
    assert error_of(answer)["field"].startswith(field)
    assert job.run.head == 2


HOSTILE = [
    '{"key": "a", "seconds": 1, "data": {"x": "\\ud800"}}',
    '{"key": "\\ud800", "seconds": 1}',
    '{"key": "a", "seconds": 1, "data": ' + '{"a":' * 600 + "1" + "}" * 600 + "}",
    '{"key": "a", "seconds": 1e999}',
    '{"key": "a", "seconds": 1, "data": {"n": ' + "9" * 5000 + "}}",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_json_is_refused_and_stores_nothing(api: httpx2.Client, job: Job, data: str) -> None:
    body = '{"attempt": 1, "client_seq": 1, "events": [{"type": "item.finished", "data": ' + data + "}]}"

    answer = api.post(f"{job.path}/events", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422), answer.text
    assert job.run.head == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempt", 0),
        ("attempt", "x"),
        ("client_seq", 0),
        ("writer", "Not a name"),
        ("client_seq", 10**30),
        ("events", {}),
        ("extra", 1),
    ],
)
def test_a_malformed_batch_is_refused_by_name(api: httpx2.Client, job: Job, field: str, value: Any) -> None:
    answer = api.post(f"{job.path}/events", json=job.batch(an_item("a")) | {field: value})

    assert answer.status_code == 422
    assert error_of(answer)["field"] == field


def test_an_event_above_64_kb_is_too_large(api: httpx2.Client, job: Job) -> None:
    fits = send(api, job, an_item("a", data={"text": "x" * 65_000}))
    large = send(api, job, an_item("b", data={"text": "x" * 65_536}))

    assert fits.status_code == 200
    assert large.status_code == 413
    assert error_of(large)["field"] == "events.0"


def test_a_batch_above_1_mb_is_too_large(api: httpx2.Client, job: Job) -> None:
    answer = send(api, job, *(an_item(f"k{n}", data={"text": "x" * 60_000}) for n in range(20)))

    assert answer.status_code == 413
    assert error_of(answer)["field"] == "events"
    assert job.run.head == 2


def test_a_batch_holds_a_thousand_events_and_no_more(api: httpx2.Client, job: Job) -> None:
    fits = send(api, job, *(an_item(f"k{n}") for n in range(1000)))
    many = send(api, job, *(an_item(f"l{n}") for n in range(1001)))

    assert (fits.status_code, fits.json()["acked"]) == (200, 1000)
    assert many.status_code == 422
    assert error_of(many)["field"] == "events"


def test_numbers_that_json_does_not_know_arrive_by_name(api: httpx2.Client, job: Job) -> None:
    body = '{"attempt": 1, "client_seq": 1, "events": [{"type": "metric", "data": {"step": 1, "values": {"a": NaN, "b": -Infinity, "c": "Infinity"}}}]}'  # noqa: E501

    api.post(f"{job.path}/events", content=body, headers={"content-type": "application/json"})

    assert job.run.metrics == {"a": "NaN", "b": "-Infinity", "c": "Infinity"}
    assert json.loads(api.get(job.path).text)["metrics"]["a"] == "NaN"


def test_an_attempt_gets_all_that_it_needs_to_go_on(api: httpx2.Client, job: Job) -> None:
    send(api, job, an_item("a"), an_item("b", ok=False), {"type": "item.started", "data": {"key": "c"}})
    send(api, job, {"type": "state.saved", "data": {"state": {"n": 1}}})
    send(api, job, {"type": "state.saved", "data": {"state": {"n": 2}}})

    answer = api.get(f"{job.path}/assignment?attempt=1").json()

    assert answer["run"]["id"] == job.id
    assert answer["run"]["params"]["word"] == "one"
    assert sorted(answer["finished"]) == ["a", "b"]
    assert answer["saved_state"] == {"n": 2}


def test_a_fresh_attempt_has_nothing_to_go_on_from(api: httpx2.Client, job: Job) -> None:
    answer = api.get(f"{job.path}/assignment?attempt=1").json()

    assert (answer["finished"], answer["saved_state"]) == ([], None)


def test_a_run_that_was_never_started_has_no_attempt(server: Running, api: httpx2.Client) -> None:
    job = a_run(server)

    assert api.get(f"{job.path}/assignment?attempt=1").status_code == 409
    assert send(api, job, an_item("a")).status_code == 409


def test_the_control_wire_tells_every_change_at_once(server: Running, api: httpx2.Client, job: Job) -> None:
    with Stream(server, f"{job.path}/controls?attempt=1") as wire:
        told = wire.messages()
        states = [next(told)]
        api.post(f"{job.path}/pause", json={"strength": "release"})
        states.append(next(told))
        api.post(f"{job.path}/resume")
        states.append(next(told))
        api.patch(job.path, json={"params": {"speed": 9}})
        states.append(next(told))
        api.post(f"{job.path}/cancel")
        states.append(next(told))

    assert [(state["status"], state["pending"], state["live"]["speed"]) for state in states] == [
        ("running", None, 1.0),
        ("running", "pause", 1.0),
        ("running", None, 1.0),
        ("running", None, 9.0),
        ("running", "cancel", 9.0),
    ]
    assert states[1]["strength"] == "release"


def test_the_control_wire_says_nothing_when_nothing_changes(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/controls?attempt=1") as wire:
        told = wire.messages()
        next(told)
        job.notes(50)
        job.say(PAUSE)
        state = next(told)

    assert state["pending"] == "pause"


def test_the_control_wire_ends_at_the_fence(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/controls?attempt=1") as wire:
        told = wire.messages()
        next(told)
        job.say(e.RunInterrupted(reason="gone"), e.RunStarted(attempt=2))
        rest = list(told)

    assert rest == []


def test_the_control_wire_ends_with_the_run(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/controls?attempt=1") as wire:
        told = wire.messages()
        next(told)
        job.say(e.RunCompleted())
        rest = list(told)

    assert [state["status"] for state in rest] == ["completed"]


@pytest.mark.parametrize(
    ("query", "status"), [("", 422), ("?attempt=x", 422), ("?attempt=2", 409), ("?attempt=²", 422)]
)
def test_a_control_wire_for_nobody_does_not_open(server: Running, job: Job, query: str, status: int) -> None:
    with Stream(server, f"{job.path}/controls{query.replace('²', '%C2%B2')}") as wire:
        assert wire.status == status


def test_a_job_that_leaves_its_control_wire_is_forgotten(server: Running, job: Job) -> None:
    ears = server.server.context.engine.doorbell._ears

    for _ in range(20):
        with Stream(server, f"{job.path}/controls?attempt=1") as wire:
            next(wire.messages())

    until(server, lambda: job.id not in ears)


def test_a_job_is_told_to_be_heard_of_well_within_its_lease(tmp_path: Path) -> None:
    with running(tmp_path, lease_seconds=1.5) as server, server.client() as api:
        job = a_job(server)

        given = api.get(f"{job.path}/assignment?attempt=1").json()

    assert given["heartbeat_seconds"] == 0.5
