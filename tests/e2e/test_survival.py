"""Runs survive what happens around them: every item once, whatever dies."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.xdist_group("survival")


def start(up: Stack, ledger: Path, **params: Any) -> str:
    body = {"kind": "counting", "params": {"ledger": str(ledger), **params}}
    run_id: str = up.api("POST", "/api/runs", body)["id"]
    return run_id


def executed(ledger: Path) -> list[int]:
    return [int(line) for line in ledger.read_text().split()] if ledger.exists() else []


def log(up: Stack, run_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while batch := up.api("GET", f"/api/runs/{run_id}/events?after={len(events)}&limit=5000")["events"]:
        events += batch
    return events


def finished(up: Stack, run_id: str) -> list[str]:
    return [event["data"]["key"] for event in log(up, run_id) if event["type"] == "item.finished"]


def done(count: int) -> Any:
    return lambda run: run["progress"]["done"] >= count


def ended(run: dict[str, Any]) -> bool:
    return run["ended_at"] is not None


@pytest.mark.rows("S1.38", "S2.90", "S3.7", "S4.88", "S5.67", "S5.87")
@pytest.mark.long
def test_a_server_killed_twice_costs_no_item_and_repeats_none(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=200, speed=80, concurrency=2)

    up.wait(run_id, done(30), "30 items")
    up.kill_server()
    up.wait(run_id, done(100), "100 items")
    up.kill_server()
    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 200, 1)
    assert sorted(executed(ledger)) == list(range(200))
    assert sorted(map(int, finished(up, run_id))) == list(range(200))
    assert [event["seq"] for event in log(up, run_id)] == list(range(1, run["head"] + 1))


def test_a_killed_job_goes_on_without_repeating_what_is_finished(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=40, speed=200, die_at=15)

    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 40, 2)
    assert sorted(executed(ledger)) == sorted([*range(40), 15])
    assert sorted(map(int, finished(up, run_id))) == list(range(40))


@pytest.mark.long
def test_a_job_that_always_dies_fails_after_three_attempts_and_keeps_its_results(
    up: Stack, ledger: Path
) -> None:
    run_id = start(up, ledger, count=20, speed=200, die_at=7, die_always=True)

    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["attempt"], run["progress"]["done"]) == ("failed", 3, 7)
    assert run["failure"]["reason"] == "worker_lost"
    assert run["failure"]["signal"] == signal.SIGKILL


@pytest.mark.long
def test_a_host_that_dies_takes_its_jobs_along_and_they_resume(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=150, speed=60)
    up.wait(run_id, done(20), "20 items")

    up.child("pilothouse.worker.host").kill()
    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 150, 2)
    assert sorted(set(executed(ledger))) == list(range(150))
    assert len(executed(ledger)) <= 151


@pytest.mark.rows("S1.12", "S1.15", "S1.34")
def test_nothing_new_starts_after_a_pause_was_accepted(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=2000, speed=100, concurrency=4)
    up.wait(run_id, done(20), "20 items")

    answer = up.api("POST", f"/api/runs/{run_id}/pause", {})
    up.wait(run_id, lambda run: run["status"] == "paused", "the pause")

    assert answer["pending"] == "pause"
    events = log(up, run_id)
    asked = next(event["seq"] for event in events if event["type"] == "control.requested")
    assert [event for event in events if event["type"] == "item.started" and event["seq"] > asked] == []
    started = {event["data"]["key"] for event in events if event["type"] == "item.started"}
    assert started == set(finished(up, run_id)), "an item in hand was not finished"
    up.api("POST", f"/api/runs/{run_id}/cancel", {})
    up.wait(run_id, ended, "the cancel")


@pytest.mark.rows("S1.13", "S1.20", "S1.73", "S5.69")
def test_a_pause_outlives_a_server_restart_and_resumes_where_it_was(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=60, speed=60)
    up.wait(run_id, done(10), "10 items")
    up.api("POST", f"/api/runs/{run_id}/pause", {})
    paused = up.wait(run_id, lambda run: run["status"] == "paused", "the pause")

    up.kill_server()
    still = up.wait(run_id, lambda run: run["status"] == "paused", "the server")
    up.api("POST", f"/api/runs/{run_id}/resume", {})
    run = up.wait(run_id, ended, "the end")

    assert still["progress"]["done"] == paused["progress"]["done"]
    assert (run["status"], run["attempt"]) == ("completed", 1)
    assert sorted(executed(ledger)) == list(range(60))


@pytest.mark.rows("S1.14", "S1.19", "S1.70", "S1.75", "S3.54", "S3.57", "S3.59", "S5.70")
def test_a_cancel_keeps_what_is_finished_and_leaves_no_process(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=500, speed=50)
    up.wait(run_id, done(10), "10 items")

    up.api("POST", f"/api/runs/{run_id}/cancel", {})
    run = up.wait(run_id, ended, "the cancel")

    assert run["status"] == "cancelled"
    assert len(finished(up, run_id)) == run["progress"]["done"] >= 10
    until(lambda: not job_processes(up), "the job's process to go")


@pytest.mark.rows("S1.14", "S3.59")
def test_a_job_that_ignores_a_cancel_is_ended_all_the_same(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=5, speed=100, stubborn=True)
    until(lambda: executed(ledger), "the first item")

    up.api("POST", f"/api/runs/{run_id}/cancel", {})
    run = up.wait(run_id, ended, "the cancel")

    assert run["status"] == "cancelled"
    until(lambda: not job_processes(up), "the job's process to go")


@pytest.mark.rows("S1.69")
def test_failed_items_are_streamed_and_counted_and_end_nothing(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=12, speed=200, bad=[3, 7])

    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["progress"]["done"], run["progress"]["failed"]) == ("completed", 12, 2)
    items = up.api("GET", f"/api/runs/{run_id}/items?state=failed")["items"]
    assert {item["error"] for item in items} == {"ValueError: 3 is bad", "ValueError: 7 is bad"}


@pytest.mark.rows("S1.83")
def test_a_retry_does_only_what_failed_and_reuses_the_rest(up: Stack, ledger: Path) -> None:
    first = start(up, ledger, count=12, speed=200, bad=[3, 7])
    up.wait(first, ended, "the end")
    before = len(executed(ledger))

    second = up.api("POST", f"/api/runs/{first}/retry", {"only": "failed"})
    run = up.wait(second["id"], ended, "the retry's end")

    assert (run["retry_of"], run["progress"]["done"], run["progress"]["reused"]) == (first, 12, 10)
    assert sorted(executed(ledger)[before:]) == [3, 7]


@pytest.mark.long
def test_ctrl_c_and_a_new_start_continue_the_runs_that_were_going(tmp_path: Path, ledger: Path) -> None:
    data = tmp_path / "data"
    first = Stack(data)
    run_id = start(first, ledger, count=120, speed=60)
    first.wait(run_id, done(20), "20 items")
    first.stop()

    second = Stack(data)
    try:
        run = second.wait(run_id, ended, "the end")
    finally:
        second.stop()

    assert (run["status"], run["progress"]["done"]) == ("completed", 120)
    assert sorted(set(executed(ledger))) == list(range(120))
    assert len(executed(ledger)) <= 121


def job_processes(up: Stack) -> list[psutil.Process]:
    """Children of the host that run job code."""
    found = []
    for process in psutil.Process(up.process.pid).children(recursive=True):
        try:
            if "pilothouse.worker.child" in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_the_log_is_valid_json_to_the_last_line(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=5, speed=200)
    up.wait(run_id, ended, "the end")

    exported = up.cli("export", run_id, "--format", "jsonl", "-o", "-").stdout

    assert [json.loads(line)["square"] for line in exported.splitlines()] == [0, 1, 4, 9, 16]
