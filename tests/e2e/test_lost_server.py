"""The server stays dead while the job goes on and is killed: nothing is lost, nothing finished is repeated."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import scale
from tests.e2e.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("survival")]


@contextmanager
def no_server(up: Stack) -> Iterator[None]:
    """Kill the API server, and hold up the supervisor that would start another one."""
    os.kill(up.process.pid, signal.SIGSTOP)
    try:
        server = up.child("pilothouse.web.serve")
        server.kill()
        until(lambda: not up.is_up(), "the server's death")
        yield
    finally:
        os.kill(up.process.pid, signal.SIGCONT)


def executed(ledger: Path) -> list[int]:
    return [int(line) for line in ledger.read_text().split()] if ledger.exists() else []


def results(up: Stack, run_id: str) -> list[dict[str, Any]]:
    path = f"/api/runs/{run_id}/events?limit=5000&types=item.finished&after=0"
    return [event["data"] for event in up.api("GET", path)["events"]]


def start(up: Stack, ledger: Path, **params: Any) -> str:
    body = {"kind": "counting", "params": {"ledger": str(ledger), **params}}
    run_id: str = up.api("POST", "/api/runs", body)["id"]
    return run_id


@pytest.mark.parametrize(("speed", "concurrency"), [(100, 4), *([(100, 1)] if scale.IS_LONG else [])])
def test_a_dead_server_and_a_killed_job_lose_no_item_and_repeat_only_what_was_in_hand(
    up: Stack, ledger: Path, speed: int, concurrency: int
) -> None:
    run_id = start(up, ledger, count=300, speed=speed, concurrency=concurrency)
    up.wait(run_id, lambda run: run["progress"]["done"] >= 20, "20 items")

    with no_server(up):
        heard = len(executed(ledger))
        until(lambda: len(executed(ledger)) >= heard + 80, "80 items without a server")
        up.child("pilothouse.worker.child").kill()
    run = up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")

    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 300, 2)
    assert sorted(int(item["key"]) for item in results(up, run_id)) == list(range(300))
    repeated = {number for number, count in Counter(executed(ledger)).items() if count > 1}
    flagged = {int(item["key"]) for item in results(up, run_id) if item["possible_duplicate"]}
    assert repeated <= flagged
    assert len(flagged) <= 2 * concurrency
    assert set(executed(ledger)) == set(range(300))


def test_a_job_that_outlives_its_server_sends_all_it_did_meanwhile(up: Stack, ledger: Path) -> None:
    run_id = start(up, ledger, count=150, speed=200)
    up.wait(run_id, lambda run: run["progress"]["done"] >= 10, "10 items")

    with no_server(up):
        until(lambda: len(executed(ledger)) == 150, "the last item, without a server")
    run = up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")

    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 150, 1)
    assert [int(item["key"]) for item in results(up, run_id)] == list(range(150))
    folder = up.data / "runs" / run_id
    until(lambda: not list(folder.glob("spool-*")), "the spool to go")
