"""G7: a control that was accepted survives the death of the server in the next milliseconds, and is obeyed."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import Run, control, create, done, ended, insist, wait
from tests.chaos.prober import Prober
from tests.chaos.tally import TABLE, Tally
from tests.chaos.verdict import verdict
from tests.e2e.stack import Stack, stack, until

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)

WITHIN_SECONDS = 0.05
QUICK_KILLS = 4
QUICK_SECONDS = 5.5
SIDE_BY_SIDE = 2


class Kills:
    """Kills the server now and then; a supervisor gives up on a server that dies young five times."""

    def __init__(self, up: Stack) -> None:
        self.count = 0
        self._up = up

    def strike(self) -> None:
        """Kill it within 50 ms from now."""
        time.sleep(random.uniform(0, WITHIN_SECONDS))  # the instant is what is tried
        self._up.kill_server()
        self.count += 1

    def rest(self) -> None:
        """Let the server grow old enough, every fifth time."""
        if self.count % QUICK_KILLS == 0:
            born = self._up.child("pilothouse.web.serve").create_time()
            until(lambda: time.time() - born > QUICK_SECONDS, "the server's age")


def is_obeyed(word: str, run: Run, before: Run) -> bool:
    """Whether a run does what was asked of it."""
    wanted = {"pause": "paused", "resume": "running", "cancel": "cancelled"}[word]
    is_moving = run["progress"]["done"] > before["progress"]["done"]
    return bool(run["status"] == wanted and (is_moving or word != "resume"))


def test_an_accepted_control_survives_the_server(tmp_path: Path, add_row: AddRow) -> None:
    tally, wanted, asked = Tally("G7"), scale.times(200, 2), 0
    more = {"PILOTHOUSE_SLOTS": str(SIDE_BY_SIDE + 1)}
    with stack(tmp_path / "data", more) as up, Prober(up) as prober, ThreadPoolExecutor() as pool:
        words, kills = story(), Kills(up)
        live: dict[str, Path] = {}
        while asked < wanted or live:
            word = next(words) if asked < wanted else "cancel"
            while len(live) < SIDE_BY_SIDE:
                ledger = tmp_path / f"ledger-{tally.runs + len(live)}"
                run_id = create(up, ledger, count=100_000, speed=20)
                live[run_id] = ledger
                wait(up, run_id, done(1), "the first item")
            before = {run_id: insist(up, "GET", f"/api/runs/{run_id}").json() for run_id in live}
            answers = list(pool.map(lambda run_id, word=word: control(up, run_id, word), live))
            kills.strike()
            asked += sum(answer.status_code == 202 for answer in answers)
            tally.problems += [a.text for a in answers if a.status_code != 202]
            for run_id, was in before.items():
                wait(up, run_id, lambda run, was=was, word=word: is_obeyed(word, run, was), word)  # type: ignore[misc]
                if ended(insist(up, "GET", f"/api/runs/{run_id}").json()):
                    tally.add(verdict(up, run_id, live.pop(run_id)))
            kills.rest()
        tally.kills = kills.count
        tally.heed(prober)

    add_row(TABLE, **tally.row(f"server killed ≤ 50 ms after the 202 of {asked} controls; all obeyed"))
    assert tally.problems == []


def story() -> Iterator[str]:
    """What a restless user asks."""
    return cycle(["pause", "resume", "cancel"])
