"""Runs that a script makes for itself: one call, one process, and no host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from pilothouse.kinds.script import KIND
from tests.web.serving import KINDS, Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("data"), {**KINDS, "script": KIND}) as found:
        yield found


@pytest.fixture
def api(server: Running) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def attach(api: httpx2.Client, key: str, process: str = "laptop:1", **more: Any) -> httpx2.Response:
    body = {"process": process, "params": {"command": ["python", "a.py"]}, **more}
    return api.post("/api/attached", json=body, headers={"Idempotency-Key": key})


def say(api: httpx2.Client, run_id: str, first: int, *events: dict[str, Any]) -> httpx2.Response:
    batch = {"attempt": 1, "client_seq": first, "events": list(events)}
    return api.post(f"/api/runs/{run_id}/events", json=batch)


def an_item(key: str, ok: bool = True) -> dict[str, Any]:
    return {"type": "item.finished", "data": {"key": key, "ok": ok, "seconds": 0.1}}


def test_one_call_makes_the_run_begins_it_and_answers_its_assignment(api: httpx2.Client) -> None:
    answer = attach(api, "one", name="mine", tags=["t"])

    given = answer.json()
    run = given["run"]
    assert answer.status_code == 201
    assert (run["status"], run["attempt"], run["attached"], run["host"]) == ("running", 1, True, "laptop:1")
    assert (run["name"], run["tags"], run["kind"]) == ("mine", ["t"], "script")
    assert (given["finished"], given["in_flight"], given["saved_state"]) == ([], [], None)


def test_a_call_whose_answer_got_lost_is_answered_with_the_same_run(api: httpx2.Client) -> None:
    answers = [attach(api, "two").json()["run"]["id"] for _ in range(2)]

    assert answers[0] == answers[1]


def test_another_process_does_not_get_the_run(api: httpx2.Client) -> None:
    attach(api, "three")

    answer = attach(api, "three", process="laptop:2")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "fenced")


def test_no_host_is_given_the_run_and_its_silence_does_not_orphan_it(api: httpx2.Client) -> None:
    run = attach(api, "four").json()["run"]

    claimed = api.post("/api/hosts/laptop/claim", json={"slots": 9, "running": [], "wait": 0})

    assert claimed.json()["orders"] == []
    assert api.get(f"/api/runs/{run['id']}").json()["status"] == "running"


def test_a_key_is_asked_for(api: httpx2.Client) -> None:
    answer = api.post("/api/attached", json={"process": "p", "params": {"command": ["a"]}})

    assert answer.status_code == 422


def test_params_are_checked_before_the_run_is_made(api: httpx2.Client) -> None:
    answer = attach(api, "five", params={"command": []})

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "command")


def test_a_pause_that_asks_for_a_release_is_a_hold(api: httpx2.Client) -> None:
    run = attach(api, "six").json()["run"]

    api.post(f"/api/runs/{run['id']}/pause", json={"strength": "release"})
    say(api, run["id"], 1, {"type": "run.paused", "data": {"strength": "hold"}})

    shown = api.get(f"/api/runs/{run['id']}").json()
    assert (shown["status"], shown["strength"]) == ("paused", "hold")


def test_the_process_itself_tells_that_it_was_cancelled(api: httpx2.Client) -> None:
    run = attach(api, "seven").json()["run"]
    api.post(f"/api/runs/{run['id']}/cancel", json={})

    answer = say(api, run["id"], 1, {"type": "run.cancelled", "data": {"by": "ann", "confirmed_dead": False}})

    assert answer.json()["status"] == "cancelled"


def test_a_job_that_a_host_started_does_not_tell_that(api: httpx2.Client) -> None:
    run = api.post("/api/runs", json={"kind": "script", "params": {"command": ["a"]}}).json()
    api.post("/api/hosts/h/claim", json={"slots": 1, "running": [], "wait": 0})
    api.post(f"/api/runs/{run['id']}/cancel", json={})

    answer = say(api, run["id"], 1, {"type": "run.cancelled", "data": {"by": "ann"}})

    assert answer.status_code == 422
    assert api.get(f"/api/runs/{run['id']}").json()["status"] == "running"


def test_a_new_run_reuses_the_good_items_of_an_ended_one(api: httpx2.Client) -> None:
    old = attach(api, "eight", name="again", tags=["kept"]).json()["run"]
    say(
        api,
        old["id"],
        1,
        an_item("a"),
        an_item("b", ok=False),
        {"type": "run.failed", "data": {"message": "m"}},
    )

    given = attach(api, "nine", reuse=old["id"], params={"command": ["python", "b.py"]}).json()

    run = given["run"]
    assert given["finished"] == ["a"]
    assert (run["retry_of"], run["attached"], run["name"], run["tags"]) == (
        old["id"],
        True,
        "again",
        ["kept"],
    )
    assert run["params"]["command"] == ["python", "b.py"]
    assert given["root"] == old["id"]


def test_a_run_that_has_not_ended_is_not_reused(api: httpx2.Client) -> None:
    old = attach(api, "ten").json()["run"]

    answer = attach(api, "eleven", reuse=old["id"])

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_control")
