"""A synthesis on the whole of Pilothouse: killed, paused with release, cancelled; the table is the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import up
from tests.e2e.stack import Stack, until
from tests.kinds.synthesis.conftest import records

__all__ = ["up"]

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("synthesis")]
EPOCHS = 12
PARAMS: dict[str, Any] = {
    "rows": records(200),
    "method": "ctgan",
    "epochs": EPOCHS,
    "batch_size": 20,
    "backups": 0,
}


def begin(up: Stack, **more: Any) -> str:
    body = {"kind": "synthesis", "params": PARAMS | more}
    return str(up.api("POST", "/api/runs", body)["id"])


def keys(up: Stack, run_id: str) -> list[str]:
    """The keys of finished items, oldest first; a key that was done twice would stand here twice."""
    events = up.api("GET", f"/api/runs/{run_id}/events?types=item.finished&limit=5000")["events"]
    return [event["data"]["key"] for event in events]


def table(up: Stack, run_id: str) -> bytes:
    with up.client() as client:
        answer = client.get(f"/api/runs/{run_id}/artifacts/synthetic.csv")
    assert answer.status_code == 200, answer.text
    return answer.content


def learned(up: Stack, run_id: str, epochs: int) -> None:
    """Wait until so many epochs are finished."""
    up.wait(run_id, lambda run: run["metrics"].get("epoch", 0) >= epochs, f"{epochs} epochs")


def jobs(up: Stack) -> dict[str, psutil.Process]:
    """The processes of jobs by run."""
    found = {}
    for process in psutil.Process(up.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "pilothouse.worker.child" in process.cmdline():
                found[process.environ()["PILOTHOUSE_RUN_ID"]] = process
    return found


def kill(up: Stack, run_id: str) -> None:
    """SIGKILL the process of the job."""
    jobs(up)[run_id].kill()


def pause_and_resume(up: Stack, run_id: str) -> None:
    """Give the memory back, and come back as another process."""
    up.api("POST", f"/api/runs/{run_id}/pause", {"strength": "release"})
    up.wait(run_id, lambda run: run["status"] == "paused", "the pause")
    up.api("POST", f"/api/runs/{run_id}/resume")


@pytest.fixture(scope="module")
def whole(up: Stack) -> bytes:
    """The table of a run that nobody disturbs."""
    run_id = begin(up)
    ended = up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")
    assert ended["status"] == "completed", ended["failure"]
    return table(up, run_id)


@pytest.mark.parametrize("disturb", [kill, pause_and_resume], ids=["killed", "paused with release"])
def test_a_disturbed_run_repeats_nothing_and_makes_the_same_table(
    up: Stack, whole: bytes, disturb: Callable[[Stack, str], None]
) -> None:
    disturbed = begin(up)

    learned(up, disturbed, 3)
    disturb(up, disturbed)
    ended = up.wait(disturbed, lambda run: run["ended_at"] is not None, "the end")
    assert ended["status"] == "completed", ended["failure"]

    expected = [
        "plan",
        "prepare",
        *(f"1/epoch-{n}" for n in range(1, EPOCHS + 1)),
        "1/table",
        "1/metrics",
        "report",
    ]
    assert up.run(disturbed)["attempt"] == 2
    assert keys(up, disturbed) == expected
    assert table(up, disturbed) == whole


@pytest.mark.rows("S3.58", "S3.59")
def test_a_cancelled_run_stops_learning_and_leaves_no_process(up: Stack) -> None:
    run_id = begin(up, epochs=100_000)
    learned(up, run_id, 2)

    up.api("POST", f"/v1/runs/{run_id}/cancel")
    up.wait(run_id, lambda run: run["status"] == "cancelled", "the cancel")

    until(lambda: run_id not in jobs(up), "the end of the process")
    assert keys(up, run_id)[2] == "1/epoch-1"


def test_a_table_that_cannot_be_learned_from_fails_the_run_in_clear_words(up: Stack) -> None:
    run_id = begin(up, rows=[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])

    ended = up.wait(run_id, lambda run: run["ended_at"] is not None, "the end")

    assert ended["status"] == "failed"
    assert ended["failure"]["message"] == "rows: the table has 2 rows."
    assert ended["failure"]["hint"] == "Give one with at least 20 rows, better 200."
