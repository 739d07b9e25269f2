"""Jobs that will not go: after a cancel, or the death of whoever started them, nothing of them is alive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack, until
from tests.jobs.hostile import survivors

KINDS = {"PILOTHOUSE_KINDS": "tests.jobs.counting:KIND,tests.jobs.hostile:KIND"}
CASES = {
    "deaf": ["signals", "session", "daemon"],
    "lock": ["signals", "daemon", "lock"],
    "bomb": ["signals", "bomb"],
}
LEAVES_ITS_SHIM = ["signals", "session", "daemon", "shim"]
HANG = 40.0

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("hostile")]


@pytest.fixture(scope="module")
def hostiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Pilothouse with the hostile kind."""
    running = Stack(tmp_path_factory.mktemp("stack") / "data", KINDS)
    yield running
    running.stop()


def start(stack: Stack, traces: Path, ways: list[str]) -> str:
    """A hostile job that has done all it came for."""
    body = {"kind": "hostile", "params": {"traces": str(traces), "ways": ways}}
    run_id: str = stack.api("POST", "/api/runs", body)["id"]
    stack.wait(run_id, lambda run: run["progress"]["done"] == len(ways), "the job to be armed")
    return run_id


def ended(run: dict[str, Any]) -> bool:
    return run["ended_at"] is not None


@pytest.mark.parametrize(
    ("ways", "force"),
    [(["lock", *CASES["deaf"], "bomb"], False), *((ways, True) for ways in CASES.values())],
    ids=["everything", *(f"{name}, by force" for name in CASES)],
)
def test_a_cancel_leaves_nobody_alive(hostiles: Stack, tmp_path: Path, ways: list[str], force: bool) -> None:
    run_id = start(hostiles, tmp_path / "traces", ways)
    began = time.monotonic()

    hostiles.api("POST", f"/api/runs/{run_id}/cancel", {"force": force})
    run = hostiles.wait(run_id, ended, "the cancel")
    took = time.monotonic() - began

    assert survivors(tmp_path / "traces", run_id) == []
    print(f"cancelled after {took:.2f} s")
    assert (run["status"], run["progress"]["done"]) == ("cancelled", len(ways))
    last = hostiles.api("GET", f"/api/runs/{run_id}/events?after={run['head'] - 1}")["events"][-1]
    assert (last["type"], last["data"]["confirmed_dead"]) == ("run.cancelled", True)
    assert took < HANG


def test_a_job_that_kills_its_shim_loses_all_that_it_started(hostiles: Stack, tmp_path: Path) -> None:
    run_id = start(hostiles, tmp_path / "traces", LEAVES_ITS_SHIM)

    run = hostiles.wait(
        run_id, lambda run: run["attempt"] > 1 and run["status"] == "running", "a new attempt"
    )

    assert [each.cmdline() for each in survivors(tmp_path / "traces")] == []
    assert run["progress"]["done"] == len(LEAVES_ITS_SHIM)
    hostiles.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    hostiles.wait(run_id, ended, "the cancel")


@pytest.mark.parametrize("ways", CASES.values(), ids=CASES.keys())
def test_the_death_of_the_host_leaves_nobody_alive_and_the_run_goes_on(
    hostiles: Stack, tmp_path: Path, ways: list[str]
) -> None:
    run_id = start(hostiles, tmp_path / "traces", ways)
    old = {process.pid for process in survivors(tmp_path / "traces", run_id)}
    assert old

    hostiles.child("pilothouse.worker.host").kill()
    began = time.monotonic()
    until(
        lambda: not old & {each.pid for each in survivors(tmp_path / "traces", run_id)}, "them to die", HANG
    )
    print(f"gone after {time.monotonic() - began:.2f} s")
    hostiles.wait(run_id, lambda run: run["attempt"] > 1 and run["status"] == "running", "the next attempt")

    hostiles.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    run = hostiles.wait(run_id, ended, "the cancel")
    assert (run["status"], run["progress"]["done"]) == ("cancelled", len(ways))
    assert survivors(tmp_path / "traces", run_id) == []


def test_the_death_of_the_server_touches_no_job(hostiles: Stack, tmp_path: Path) -> None:
    run_id = start(hostiles, tmp_path / "traces", ["session"])
    before = {process.pid for process in survivors(tmp_path / "traces", run_id)}

    hostiles.kill_server()
    until(hostiles.is_up, "the server")
    run = hostiles.wait(run_id, lambda run: run["status"] == "running", "the run")

    assert run["attempt"] == 1
    assert {process.pid for process in survivors(tmp_path / "traces", run_id)} == before
    hostiles.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    hostiles.wait(run_id, ended, "the cancel")


def test_the_death_of_server_and_host_leaves_nobody_alive_and_the_run_goes_on(
    hostiles: Stack, tmp_path: Path
) -> None:
    run_id = start(hostiles, tmp_path / "traces", ["signals", "daemon"])
    old = {process.pid for process in survivors(tmp_path / "traces", run_id)}

    hostiles.child("pilothouse.worker.host").kill()
    hostiles.kill_server()
    until(
        lambda: not old & {each.pid for each in survivors(tmp_path / "traces", run_id)}, "them to die", HANG
    )
    run = hostiles.wait(
        run_id, lambda run: run["attempt"] > 1 and run["status"] == "running", "the next attempt"
    )

    assert run["progress"]["done"] == 2
    hostiles.api("POST", f"/api/runs/{run_id}/cancel", {"force": True})
    hostiles.wait(run_id, ended, "the cancel")
    assert survivors(tmp_path / "traces", run_id) == []


def test_the_death_of_the_supervisor_ends_everything(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", KINDS)
    run_id = start(stack, tmp_path / "traces", ["signals", "session", "daemon", "lock"])
    both = [stack.child("pilothouse.worker.host"), stack.child("pilothouse.web.serve")]

    stack.process.kill()
    stack.process.wait(HANG)
    began = time.monotonic()
    until(
        lambda: not (survivors(tmp_path / "traces", run_id) or any(process.is_running() for process in both)),
        "everything to end",
        HANG,
    )

    print(f"gone after {time.monotonic() - began:.2f} s")
    stack.stop()
