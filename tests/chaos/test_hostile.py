"""G4: a cancel ends every process of a job that will not go, and a pause lets nothing new begin."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import control, create, done, ended, insist, paused, wait
from tests.chaos.prober import Prober
from tests.chaos.tally import TABLE, Tally
from tests.chaos.traces import executions
from tests.chaos.verdict import log_of, verdict
from tests.e2e.stack import Stack, stack
from tests.jobs.hostile import survivors

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)

CANCEL_SECONDS = 10.0
FORCE_SECONDS = 1.5
PAUSE_SECONDS = 1.0
ITEM_SECONDS = 0.5
SIDE_BY_SIDE = 2
WAYS = (
    ["signals", "session", "daemon"],
    ["signals", "lock"],
    ["signals", "session", "daemon", "bomb"],
    ["signals", "daemon", "shim"],
)


def test_a_job_that_will_not_go_is_gone(tmp_path: Path, add_row: AddRow) -> None:
    tally, slowest = Tally("G4"), {False: 0.0, True: 0.0}
    gentle, forced = scale.times(50, 0), scale.times(20, 1)
    tries = [(turn, False) for turn in range(gentle if scale.IS_LONG else 0)]
    tries += [(turn, True) for turn in range(gentle, gentle + forced)]
    more = {"PILOTHOUSE_KINDS": "tests.jobs.hostile:KIND", "PILOTHOUSE_SLOTS": str(SIDE_BY_SIDE)}
    with stack(tmp_path / "data", more) as up, Prober(up) as prober, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for seconds, force, left, problems in pool.map(lambda each: ended_by(up, tmp_path, *each), tries):
            tally.runs += 1
            tally.survivors += left
            tally.problems += problems
            slowest[force] = max(slowest[force], seconds)
        tally.heed(prober)

    took = f"slowest {slowest[False]:.1f} s, by force {slowest[True]:.1f} s"
    add_row(TABLE, **tally.row(f"{len(tries)} hostile jobs cancelled, {forced} of them by force; {took}"))
    assert tally.problems == []
    assert tally.survivors == 0
    assert slowest[False] <= scale.limit(CANCEL_SECONDS)
    assert slowest[True] <= scale.limit(FORCE_SECONDS)


def ended_by(up: Stack, folder: Path, turn: int, force: bool) -> tuple[float, bool, int, list[str]]:
    """Cancel one hostile job: how long it took, how, what is left of it, and what was wrong."""
    traces, ways = str(folder / f"traces-{turn}"), WAYS[turn % len(WAYS)]
    body = {"kind": "hostile", "params": {"traces": traces, "ways": ways}}
    run_id = str(insist(up, "POST", "/api/runs", body).json()["id"])
    ready = len(ways) if "shim" not in ways else 1
    before = wait(up, run_id, done(ready), "the hostile job")
    began = time.monotonic()
    answer = control(up, run_id, "cancel", force=force)
    run = wait(up, run_id, ended, "the cancel")
    took = time.monotonic() - began
    problems = [] if answer.is_success and run["status"] == "cancelled" else [answer.text, run["status"]]
    kept = run["progress"]["done"] >= before["progress"]["done"]
    problems += [] if kept else ["results are lost"]
    last = log_of(up, run_id)[-1]
    problems += [] if last["data"]["confirmed_dead"] else ["cancelled before it is confirmed dead"]
    return took, force, len(survivors(traces, run_id)), problems


def allowed(up: Stack, run_id: str, asked: int) -> set[str]:
    """Keys that had leave before a control was asked for."""
    log = log_of(up, run_id)
    return {e["data"]["key"] for e in log if e["type"] == "item.started" and e["seq"] < asked}


def test_nothing_begins_after_a_pause_and_it_is_soon(tmp_path: Path, ledger: Path, add_row: AddRow) -> None:
    tally, slowest = Tally("G4 pause"), 0.0
    with stack(tmp_path / "data") as up:
        run_id = create(up, ledger, count=100_000, speed=1 / ITEM_SECONDS, concurrency=2)
        for _ in range(scale.times(50, 1)):
            at = wait(up, run_id, done(1), "an item")["progress"]["done"]
            began = time.monotonic()
            asked = control(up, run_id, "pause").json()["event_seq"]
            begun = executions(ledger)
            wait(up, run_id, paused, "the pause")
            slowest = max(slowest, time.monotonic() - began)
            late = set(executions(ledger) - begun) - allowed(up, run_id, asked)
            tally.problems += [f"{sorted(late)} began after the pause"] if late else []
            control(up, run_id, "resume")
            wait(up, run_id, done(at + 3), "items after the pause")
        control(up, run_id, "cancel")
        wait(up, run_id, ended, "the cancel")
        tally.add(verdict(up, run_id, ledger))

    add_row(TABLE, **tally.row(f"paused after the item in hand ({ITEM_SECONDS} s): slowest {slowest:.1f} s"))
    assert tally.problems == []
    assert slowest <= ITEM_SECONDS + scale.limit(PAUSE_SECONDS)
