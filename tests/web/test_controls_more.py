"""Every cell of the table of answers over HTTP, tried first and then done; versions, ends, lists and keys."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from pilothouse.engine.control import Ask, Situation
from pilothouse.model import event as e
from tests.house.model_pages import HISTORIES
from tests.house.pages import DOCS
from tests.web.clients import Job, a_job, a_run
from tests.web.serving import Running

SENT: dict[Ask, tuple[str, dict[str, Any]]] = {
    Ask.PAUSE: ("pause", {}),
    Ask.RELEASE: ("pause", {"strength": "release"}),
    Ask.RESUME: ("resume", {}),
    Ask.CANCEL: ("cancel", {}),
    Ask.FORCE: ("cancel", {"force": True}),
}


def documented() -> dict[tuple[Ask, Situation], str]:
    """The table of docs/concepts/controls.md."""
    page = (DOCS / "concepts/controls.md").read_text()
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.*) \|$", page, re.MULTILINE)
    return {
        (Ask(ask), situation): cell.replace("`", "")
        for ask, cells in rows
        for situation, cell in zip(Situation, cells.split(" | "), strict=True)
    }


CELLS = documented()


def a_run_that_is(server: Running, situation: Situation) -> Job:
    """A run in one of the columns."""
    job = a_run(server, name="tuning")
    if HISTORIES[situation]:
        job.say(*HISTORIES[situation])
    return job


def written(api: httpx2.Client, job: Job, after: int) -> list[dict[str, Any]]:
    """The events behind a seq."""
    events: list[dict[str, Any]] = api.get(f"{job.path}/events?after={after}").json()["events"]
    return events


def test_the_table_has_a_cell_for_every_control_in_every_situation() -> None:
    assert CELLS.keys() == {(ask, situation) for ask in Ask for situation in Situation}


@pytest.mark.parametrize(("ask", "situation"), CELLS, ids=str)
def test_a_control_answers_as_documented_and_a_dry_run_foretells_it(
    server: Running, api: httpx2.Client, ask: Ask, situation: Situation
) -> None:
    job = a_run_that_is(server, situation)
    before = job.run
    control, body = SENT[ask]
    code, _, effect = CELLS[ask, situation].partition(" ")

    tried = api.post(f"{job.path}/{control}?dry_run=1", json=body | {"reason": "why"})
    untouched = job.run
    answer = api.post(f"{job.path}/{control}", json=body | {"reason": "why"})

    assert untouched == before
    assert answer.status_code == int(code)
    if code == "409":
        assert refusal_of(tried) == refusal_of(answer)
        assert_refused(answer, effect, before.status.is_terminal)
        assert job.run == before
        return
    said = answer.json()
    events = written(api, job, before.head)
    assert [event["type"] for event in events] == ([] if effect == "unchanged" else [effect])
    assert said == {
        "run_id": job.id,
        "status": job.run.status,
        "pending": job.run.pending,
        "changed": effect != "unchanged",
        "event_seq": job.run.head if events else None,
        "effective": "after_current_item" if is_waiting(job) else "immediately",
    }
    assert tried.status_code == 200
    foretold = {"dry_run": True, "event": events[0]["type"] if events else None, "event_seq": None}
    assert {**tried.json(), "preview": None} == said | foretold | {"preview": None}
    assert all(event["data"].get("reason", "why") == "why" for event in events)


def refusal_of(answer: httpx2.Response) -> dict[str, Any]:
    """A refusal without what differs from request to request."""
    error = answer.json()["error"]
    return {"http": answer.status_code, **{name: error[name] for name in error if name != "request_id"}}


def assert_refused(answer: httpx2.Response, code: str, is_over: bool) -> None:
    """A refusal says what is so, and what can be done instead."""
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"].startswith("Run tuning ")
    assert error["hint"]
    assert error["allowed"] == (["retry"] if is_over else ["cancel"])
    assert error["status"] in ("running", "completed", "cancelled")


def is_waiting(job: Job) -> bool:
    """Whether the run's item in hand is waited for."""
    request = job.run.request
    return request is not None and not request.force


# Only if nothing has changed


@pytest.mark.parametrize("control", ["pause", "resume", "cancel"])
def test_a_control_for_a_version_that_is_gone_changes_nothing(
    server: Running, api: httpx2.Client, control: str
) -> None:
    job = a_job(server)
    etag = api.get(job.path).headers["etag"]
    job.say(HISTORIES[Situation.PAUSING][1], e.ControlWithdrawn(actor="ben"))  # back where it was, it seems
    before = job.run

    answers = [
        api.post(f"{job.path}/{control}{query}", headers={"If-Match": etag}) for query in ("", "?dry_run=1")
    ]

    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["version"]) == (412, "changed", before.version)
        assert (error["status"], error["pending"]) == ("running", None)
    assert job.run == before


@pytest.mark.parametrize("spell", ["{}", "W/{}", "*", ""])
def test_a_control_for_the_present_version_is_taken(server: Running, api: httpx2.Client, spell: str) -> None:
    job = a_job(server)
    etag = api.get(job.path).headers["etag"]
    job.notes(3)  # what does not matter to a control leaves the version alone

    answer = api.post(f"{job.path}/pause", headers={"If-Match": spell.format(etag)})

    assert etag == '"1-running-none-2"'
    assert answer.status_code == 202


# A pause with an end


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize("until", ["30m", 90, TOMORROW], ids=["duration", "seconds", "time"])
def test_a_pause_takes_its_end_along(server: Running, api: httpx2.Client, until: str | float) -> None:
    waiting, going = a_run(server), a_job(server)

    for job in (waiting, going):
        api.post(f"{job.path}/pause", json={"until": until})
    going.say(e.RunPaused())

    ends = [job.run.until or "" for job in (waiting, going)]
    assert all(end > going.run.created_at for end in ends)
    assert api.get(going.path).json()["until"] == ends[1]


@pytest.mark.parametrize(
    ("control", "body", "field"),
    [
        ("pause", {"until": "soon"}, "until"),
        ("pause", {"until": -5}, "until"),
        ("pause", {"until": "2020-01-01T00:00:00Z"}, "until"),
        ("pause", {"until": []}, "until"),
        ("resume", {"until": "30m"}, "until"),
        ("cancel", {"strength": "release"}, "strength"),
    ],
)
def test_a_malformed_control_is_refused_by_name_also_when_it_is_tried(
    server: Running, api: httpx2.Client, control: str, body: dict[str, Any], field: str
) -> None:
    job = a_job(server)

    answers = [api.post(f"{job.path}/{control}{query}", json=body) for query in ("", "?dry_run=1")]

    fields = [answer.json()["error"]["field"].partition(".")[0] for answer in answers]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert fields == [field, field]
    assert job.run.head == 2


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
@pytest.mark.parametrize("control", ["pause", "resume", "cancel", "retry"])
def test_a_run_that_is_not_there_cannot_be_steered(api: httpx2.Client, control: str, query: str) -> None:
    answer = api.post(
        f"/api/runs/nobody/{control}{query}", json={"only": "all"} if control == "retry" else {}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


# Many at once


def test_a_list_of_runs_gets_a_list_of_answers_in_its_order(server: Running, api: httpx2.Client) -> None:
    jobs = [a_run_that_is(server, situation) for situation in Situation]
    ids = [job.id for job in jobs]
    heads = [job.run.head for job in jobs]
    body = {"control": "pause", "run_ids": ids, "strength": "release", "until": "30m", "reason": "night"}

    tried = api.post("/api/controls", json=body | {"dry_run": True}).json()["answers"]
    untouched = [job.run.head for job in jobs]
    done = api.post("/api/controls", json=body).json()["answers"]

    assert untouched == heads
    assert [one["run_id"] for one in done] == [one["run_id"] for one in tried] == ids
    cells = [CELLS[Ask.RELEASE, situation] for situation in Situation]
    for cell, one, foretold, job in zip(cells, done, tried, jobs, strict=True):
        if cell.startswith("409"):
            assert one["error"] == foretold["error"]
            assert one["error"]["code"] == cell.partition(" ")[2]
        else:
            assert (one["changed"], one["status"]) == (foretold["changed"], foretold["status"])
            assert one["changed"] is not cell.endswith("unchanged")
            assert one["event_seq"] == (job.run.head if one["changed"] else None)


def test_a_list_may_name_the_versions_that_were_seen(server: Running, api: httpx2.Client) -> None:
    asleep, awake = a_job(server), a_job(server)
    versions = {job.id: job.run.version for job in (asleep, awake)}
    awake.say(HISTORIES[Situation.PAUSING][1])

    answer = api.post(
        "/api/controls", json={"control": "cancel", "run_ids": [asleep.id, awake.id], "versions": versions}
    )

    first, second = answer.json()["answers"]
    assert (first["pending"], first["changed"]) == ("cancel", True)
    assert second["error"]["code"] == "changed"
    assert awake.run.pending == "pause"


# Made once


def test_a_key_makes_one_run_however_often_and_fast_it_is_sent(server: Running) -> None:
    def ask(_: int) -> httpx2.Response:
        with server.client() as client:
            return client.post("/api/runs", json={"kind": "counting"}, headers={"Idempotency-Key": "fast"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(12)))

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]


def test_a_key_still_names_its_run_after_it_has_ended(server: Running, api: httpx2.Client) -> None:
    headers = {"Idempotency-Key": "ended"}
    first = api.post("/api/runs", json={"kind": "counting"}, headers=headers).json()
    api.post(f"/api/runs/{first['id']}/cancel")

    again = api.post("/api/runs", json={"kind": "counting", "params": {"count": 9}}, headers=headers)

    assert again.status_code == 200
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "cancelled")


def test_a_list_with_a_name_that_is_no_text_steers_nobody(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    body = b'{"control": "pause", "run_ids": ["%b", "\\ud800"]}' % job.id.encode()

    answer = api.post("/api/controls", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "run_ids.1")
    assert job.run.pending is None
