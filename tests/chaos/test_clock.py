"""G10: the wall clock jumps by a day, forth and back, while a run goes on; nobody is misled.

A small library, preloaded into every process of the stack, adds the jump to the
wall clock. Monotonic clocks stay as they are, as on a real machine.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from pilothouse.model.fold import active_seconds
from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Run
from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import control, create, done, ended, paused, wait
from tests.chaos.prober import Prober
from tests.chaos.tally import TABLE, Tally
from tests.chaos.verdict import verdict
from tests.e2e.stack import Stack, stack

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)

DAY = 24 * 3600
COUNT = 80 if scale.IS_LONG else 24
SPEED = 10 if scale.IS_LONG else 15


class Clock:
    """The wall clock of a stack."""

    def __init__(self, folder: Path) -> None:
        source, library = Path(__file__).with_name("clock.c"), folder / "clock.so"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("SKIPPED: a clock that jumps needs a C compiler (cc)")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self._file = folder / "jump"
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_JUMP": str(self._file)}

    def jump(self, seconds: int) -> None:
        """From now on, all clocks are wrong by so much."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))


def test_a_wall_clock_that_jumps_misleads_nobody(tmp_path: Path, add_row: AddRow) -> None:
    tally, clock, jumps = Tally("G10"), Clock(tmp_path), 0
    with stack(tmp_path / "data", clock.environment) as up, Prober(up) as prober:
        for turn in range(scale.times(10, 1)):
            ledger = tmp_path / f"ledger-{turn}"
            began = time.monotonic()
            run_id = create(up, ledger, count=COUNT, speed=SPEED)
            wait(up, run_id, done(5), "5 items")
            clock.jump(DAY)
            wait(up, run_id, done(COUNT * 3 // 4), "items under tomorrow's clock")
            left = eta(up, run_id)
            control(up, run_id, "pause")
            wait(up, run_id, paused, "the pause")
            rest_began = time.monotonic()
            clock.jump(-DAY)
            control(up, run_id, "resume")
            rested = time.monotonic() - rest_began
            wait(up, run_id, done(COUNT * 7 // 8), "items under yesterday's clock")
            clock.jump(0)
            run = wait(up, run_id, ended, "the end")
            took = time.monotonic() - began - rested
            jumps += 3
            tally.add(verdict(up, run_id, ledger))
            is_right = COUNT / SPEED * 0.9 <= run["active_seconds"] <= took + 0.5
            tally.problems += [] if is_right else [f"active {run['active_seconds']} s of {took:.1f} s"]
            tally.problems += [] if run["attempt"] == 1 else [f"{run['attempt']} attempts"]
            tally.problems += [] if left is None or left < 60 else [f"{left} s left, it says"]
        tally.heed(prober)

    add_row(TABLE, **tally.row(f"{jumps} jumps of the wall clock, by a day and by two"))
    assert tally.problems == []


def eta(up: Stack, run_id: str) -> float | None:
    """The seconds left, as the server estimates them."""
    run = Run.restore(up.run(run_id))
    return eta_seconds(run.progress, active_seconds(run, run.last_event_at or ""))
