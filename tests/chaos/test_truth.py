"""G8: a slow but healthy run is never taken for dead, however little processor time it gets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import create, done, ended, wait
from tests.chaos.prober import Prober
from tests.chaos.tally import TABLE, Tally
from tests.chaos.traces import marked
from tests.chaos.verdict import verdict
from tests.e2e.stack import stack

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)

LEASE = {"PILOTHOUSE_LEASE_SECONDS": "8"}
BURNERS_PER_CORE = 6
SPIN = "import time; end = time.monotonic() + 120\nwhile time.monotonic() < end: pass"


@contextmanager
def starved(pids: list[int]) -> Iterator[None]:
    """Processes that leave little of every core to others, and the least of it to some."""
    for pid in pids:
        os.setpriority(os.PRIO_PROCESS, pid, 19)
    count = BURNERS_PER_CORE * (os.cpu_count() or 1)
    burners = [subprocess.Popen([sys.executable, "-I", "-S", "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@pytest.mark.skipif(not scale.IS_LONG, reason="takes every core for a while: make chaos")
def test_a_run_that_gets_little_processor_time_is_not_taken_for_dead(tmp_path: Path, add_row: AddRow) -> None:
    tally = Tally("G8")
    with stack(tmp_path / "data", LEASE) as up, Prober(up) as prober:
        for turn in range(scale.times(3, 1)):
            ledger = tmp_path / f"ledger-{turn}"
            run_id = create(up, ledger, count=200, speed=20, concurrency=2)
            wait(up, run_id, done(5), "5 items")
            with starved([pid for pid, (owner, _, _) in marked().items() if owner == run_id]):
                run = wait(up, run_id, done(100), "items on a starved machine")
            tally.problems += [] if run["attempt"] == 1 else ["it was taken for dead"]
            wait(up, run_id, ended, "the end")
            tally.add(verdict(up, run_id, ledger))
        tally.heed(prober)

    add_row(
        TABLE, **tally.row(f"{BURNERS_PER_CORE} greedy processes per core; {prober.looks} looks at the list")
    )
    assert tally.problems == []
