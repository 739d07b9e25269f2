"""Pauses as users make them: held, released by themselves, ended by themselves, and kept across restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.stack import Stack, stack, until
from tests.e2e.test_survival import done, ended, executed, log, start

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("pauses")]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose holds are released after a second."""
    with stack(tmp_path_factory.mktemp("stack") / "data", {"PILOTHOUSE_RELEASE_SECONDS": "1"}) as running:
        yield running


def jobs(run_id: str) -> list[psutil.Process]:
    """The processes of a run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PILOTHOUSE_RUN_ID") == run_id:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def is_paused(run: dict[str, Any]) -> bool:
    return bool(run["status"] == "paused")


def test_a_hold_that_lasts_frees_its_memory_and_goes_on_where_it_was(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=60, speed=50)
    up.wait(run_id, done(5), "5 items")

    up.api("POST", f"/api/runs/{run_id}/pause", {"reason": "lunch"})
    held = up.wait(run_id, is_paused, "the pause")
    released = up.wait(run_id, lambda run: run["strength"] == "release", "the release")
    until(lambda: not jobs(run_id), "the end of its processes")
    preview = up.api("POST", f"/api/runs/{run_id}/resume?dry_run=1")["preview"]
    up.api("POST", f"/api/runs/{run_id}/resume")
    run = up.wait(run_id, ended, "the end")

    assert held["strength"] == "hold"
    assert (released["reason"], released["request"]) == ("lunch", None)
    assert (preview["kept"], preview["repeated"]) == (released["progress"]["done"], 0)
    assert preview["left"] == 60 - preview["kept"]
    assert (run["status"], run["attempt"], run["crashes"]) == ("completed", 2, 0)
    assert sorted(executed(ledger)) == list(range(60))


def test_a_pause_ends_by_itself_though_the_server_was_killed_meanwhile(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=40, speed=50)
    up.wait(run_id, done(5), "5 items")

    up.api("POST", f"/api/runs/{run_id}/pause", {"until": "3s", "reason": "a short break"})
    paused = up.wait(run_id, is_paused, "the pause")
    up.kill_server()
    run = up.wait(run_id, ended, "the end")

    resumed = [event["data"] for event in log(up, run_id) if event["type"] == "run.resumed"]
    assert paused["until"] is not None
    assert [each["actor"] for each in resumed] == ["timer"]
    assert (run["status"], run["until"]) == ("completed", None)
    assert sorted(executed(ledger)) == list(range(40))


def test_a_control_decided_on_what_is_no_longer_true_is_refused(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=400, speed=50)
    up.wait(run_id, done(5), "5 items")

    with up.client() as client:
        etag = client.get(f"/api/runs/{run_id}").headers["etag"]
        tried = client.post(f"/api/runs/{run_id}/cancel?dry_run=1")
        asked = client.post(f"/api/runs/{run_id}/pause", headers={"if-match": etag})
        late = client.post(f"/api/runs/{run_id}/cancel", headers={"if-match": etag})
        client.post(f"/api/runs/{run_id}/cancel", json={"force": True})
    run = up.wait(run_id, ended, "the end")

    assert etag.startswith('"1-running-none-')
    assert (tried.status_code, tried.json()["event"], tried.json()["dry_run"]) == (
        200,
        "control.requested",
        True,
    )
    assert asked.status_code == 202
    assert late.status_code == 412
    assert late.json()["error"]["code"] == "changed"
    assert run["status"] == "cancelled"


def test_a_stuck_run_is_noticed_with_its_cause_its_stack_is_read_and_it_recovers(
    up: Stack, ledger: Path
) -> None:
    run_id = start(up, ledger, count=3, speed=0.2, stuck_seconds=1)

    up.wait(run_id, lambda run: run["stuck"], "the watchdog")
    (one,) = [each for each in up.api("GET", "/api/stuck")["stuck"] if each["run"]["id"] == run_id]
    up.api("POST", f"/api/runs/{run_id}/stack")
    stack_of = until(lambda: [e for e in log(up, run_id) if e["data"].get("source") == "stack"], "the stack")
    until(lambda: [e for e in log(up, run_id) if e["type"] == "run.recovered"], "the recovery")
    up.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    run = up.wait(run_id, ended, "the end")

    assert one["limit"] == 1
    assert "alive" in one["cause"]
    assert "in square" in stack_of[0]["data"]["text"]
    assert (run["status"], run["stuck"]) == ("cancelled", False)
