"""G3 and G5: whatever is killed, whenever: a finished item is never executed again, and runs go on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import create, done, ended, insist, wait
from tests.chaos.prober import Prober
from tests.chaos.tally import TABLE, Tally
from tests.chaos.traces import marked
from tests.chaos.verdict import log_of, moment, verdict
from tests.e2e.stack import Stack, stack, until

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)

SIDE_BY_SIDE = 3
JOB_LIE_SECONDS = 1.0
RESTART_LIE_SECONDS = 5.0


def kill_one(run_id: str) -> bool:
    """SIGKILL any one process of a run; False when it has none."""
    pids = [pid for pid, (owner, _, _) in marked().items() if owner == run_id]
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(random.choice(pids), signal.SIGKILL)
        return True
    return False


def test_a_finished_item_is_never_executed_again(tmp_path: Path, add_row: AddRow) -> None:
    tally, wanted = Tally("G3"), scale.times(200, 3)
    count = 60 if scale.IS_LONG else 24
    more = {"PILOTHOUSE_KINDS": "tests.chaos.kinds:TIRELESS", "PILOTHOUSE_SLOTS": str(SIDE_BY_SIDE)}
    with stack(tmp_path / "data", more) as up, Prober(up) as prober:
        live: dict[str, Path] = {}
        while tally.kills < wanted or live:
            while tally.kills < wanted and len(live) < SIDE_BY_SIDE:
                ledger = tmp_path / f"ledger-{tally.runs + len(live)}"
                live[create(up, ledger, "tireless", count=count, speed=15, concurrency=2)] = ledger
            time.sleep(random.uniform(0, 0.4))  # the instant is what is tried
            run_id = random.choice(list(live))
            if tally.kills < wanted:
                tally.kills += kill_one(run_id)
            if ended(insist(up, "GET", f"/api/runs/{run_id}").json()):
                tally.add(verdict(up, run_id, live.pop(run_id)))
        tally.heed(prober)

    add_row(TABLE, **tally.row("any process of a job killed at a random instant"))
    assert tally.problems == []
    assert tally.executed > tally.repeated
    assert tally.lie_seconds <= scale.limit(JOB_LIE_SECONDS), tally.worst


def kill_both(up: Stack) -> None:
    """SIGKILL the server and the host in the same instant."""
    processes = [up.child("pilothouse.web.serve"), up.child("pilothouse.worker.host")]
    for process in processes:
        process.kill()
    for process in processes:
        process.wait(10)


def kill_supervisor(up: Stack) -> None:
    """SIGKILL `pilothouse up` itself, see that nothing of it stays, and start it again."""
    up.process.kill()
    up.process.wait(10)
    until(lambda: not up.is_up(), "the server to notice", 10)
    up.begin()


VICTIMS: dict[str, Callable[[Stack], None]] = {
    "server": lambda up: up.kill("pilothouse.web.serve"),
    "child": lambda up: up.kill("pilothouse.worker.child"),
    "host": lambda up: up.kill("pilothouse.worker.host"),
    "both": kill_both,
    "supervisor": kill_supervisor,
}
SHORT_VICTIMS = ("supervisor",)


def test_whoever_is_killed_the_runs_go_on(tmp_path: Path, add_row: AddRow) -> None:
    tally, rounds = Tally("G5"), scale.times(20, 1)
    victims = list(VICTIMS) if scale.IS_LONG else SHORT_VICTIMS
    slowest = 0.0
    with stack(tmp_path / "data") as up, Prober(up) as prober:
        for turn in range(rounds):
            for victim in victims:
                ledger = tmp_path / f"ledger-{turn}-{victim}"
                run_id = create(up, ledger, count=30, speed=8, concurrency=2)
                wait(up, run_id, done(random.randint(2, 10)), "some items")
                killed_at = time.time()
                VICTIMS[victim](up)
                tally.kills += 1
                wait(up, run_id, ended, "the end")
                tally.add(verdict(up, run_id, ledger))
                slowest = max(slowest, silence(up, run_id, killed_at))
        tally.heed(prober)

    who = ", ".join(victims)
    add_row(TABLE, **tally.row(f"{who} killed in a run; longest silence {slowest:.1f} s"))
    assert tally.problems == []
    assert tally.lie_seconds <= scale.limit(RESTART_LIE_SECONDS), tally.worst


def silence(up: Stack, run_id: str, since: float) -> float:
    """Seconds from a death to the next item that is finished."""
    times = [moment(event) for event in log_of(up, run_id) if event["type"] == "item.finished"]
    return min((time - since for time in times if time > since), default=0.0)
