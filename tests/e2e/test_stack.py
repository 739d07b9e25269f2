"""`pilothouse stack`, and a job that is cut off from its server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, until
from tests.jobs.hostile import survivors

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("stack")]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Pilothouse whose jobs do not wait long for a server."""
    more = {
        "PILOTHOUSE_KINDS": "tests.jobs.counting:KIND,tests.jobs.hostile:KIND",
        "PILOTHOUSE_ORPHAN_SECONDS": "0.3",
    }
    running = Stack(tmp_path_factory.mktemp("stack") / "data", more)
    yield running
    running.stop()


def test_a_job_lost_in_foreign_code_shows_where_it_is(impatient: Stack, tmp_path: Path) -> None:
    body = {"kind": "hostile", "params": {"traces": str(tmp_path / "traces"), "ways": ["lock"]}}
    run_id = impatient.api("POST", "/api/runs", body)["id"]
    impatient.wait(run_id, lambda run: run["progress"]["done"] == 1, "the job to be armed")

    began = time.monotonic()
    shown = impatient.cli("stack", run_id)
    print(f"shown after {time.monotonic() - began:.2f} s")
    impatient.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    impatient.wait(run_id, lambda run: run["status"] == "cancelled", "the cancel")
    refused = impatient.cli("stack", run_id, check=False)

    assert "tests/jobs/hostile.py" in shown.stdout
    assert refused.returncode == 8
    assert "is cancelled; no process works for it" in refused.stderr
    assert survivors(tmp_path / "traces", run_id) == []


def test_a_job_cut_off_for_too_long_leaves_and_the_run_goes_on_later(impatient: Stack, ledger: Path) -> None:
    params = {"count": 200, "speed": 50, "ledger": str(ledger)}
    run_id = impatient.api("POST", "/api/runs", {"kind": "counting", "params": params})["id"]
    impatient.wait(run_id, lambda run: run["progress"]["done"] > 5, "5 items")

    with impatient.without_server():
        until(lambda: survivors(ledger, run_id) == [], "the job to leave")
    run = impatient.wait(run_id, lambda run: run["ended_at"] is not None, "the end")

    events = impatient.api("GET", f"/api/runs/{run_id}/events?after=0&limit=5000")["events"]
    (interrupted,) = [event["data"] for event in events if event["type"] == "run.interrupted"]
    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 200, 2)
    assert "cut off" in interrupted["reason"]
    assert interrupted["crash"] is False
    executed = [int(line) for line in ledger.read_text().split()]
    assert set(executed) == set(range(200))
    assert len(executed) <= 201, "only the item in hand may be done again"
    until(lambda: survivors(ledger, run_id) == [], "the job's process to go")
