"""G6: an attempt that was cut off and wakes again writes nothing any more."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.driver import create, done, ended, wait
from tests.chaos.tally import TABLE, Tally
from tests.chaos.traces import marked
from tests.chaos.verdict import verdict
from tests.e2e.stack import Stack, stack, until

pytestmark = [
    pytest.mark.timeout(scale.LONG_SECONDS),
    pytest.mark.skipif(not scale.IS_LONG, reason="waits for leases to run out: make chaos"),
]

LEASE = {"PILOTHOUSE_LEASE_SECONDS": "6", "PILOTHOUSE_SLOTS": "1"}


@contextmanager
def second_host(up: Stack) -> Iterator[None]:
    """Another host on the same server."""
    command = [sys.executable, "-m", "pilothouse.worker.host", "--name", "second", "--watch-stdin"]
    more = {"PILOTHOUSE_SERVER": up.url, "PILOTHOUSE_TOKEN": up.token, "PILOTHOUSE_DATA": str(up.data)}
    process = subprocess.Popen(
        command, env=up.environment | more, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.communicate()


def frozen(up: Stack, run_id: str) -> list[int]:
    """Stop the first host with all processes of a run, as a machine that is suspended."""
    pids = [up.child("pilothouse.worker.host").pid]
    pids += [pid for pid, (owner, _, _) in marked().items() if owner == run_id]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def stale_writes(up: Stack, run_id: str) -> int:
    """Events that an attempt wrote after a later one had begun, as the database has them."""
    with closing(sqlite3.connect(f"file:{up.data / 'pilothouse.db'}?mode=ro", uri=True)) as database:
        query = """
            select count(*) from events as stale join runs on runs.number = stale.run
            where runs.id = ? and stale.client_seq is not null and exists (
                select 1 from events as later
                where later.run = stale.run and later.seq < stale.seq and later.attempt > stale.attempt
            )
        """
        return int(database.execute(query, (run_id,)).fetchone()[0])


def test_an_attempt_that_wakes_after_its_lease_writes_nothing(tmp_path: Path, add_row: AddRow) -> None:
    tally, stale = Tally("G6"), 0
    with stack(tmp_path / "data", LEASE) as up:
        for turn in range(scale.times(10, 1)):
            ledger = tmp_path / f"ledger-{turn}"
            run_id = create(up, ledger, count=60, speed=8)
            wait(up, run_id, done(3), "3 items")
            pids = frozen(up, run_id)
            with second_host(up):
                try:
                    wait(up, run_id, lambda run: run["attempt"] == 2, "the second attempt")
                    wait(up, run_id, done(15), "items of the second attempt")
                finally:
                    for pid in pids:
                        os.kill(pid, signal.SIGCONT)
                tally.kills += 1
                wait(up, run_id, ended, "the end")
                leave(run_id)
            tally.add(verdict(up, run_id, ledger))
            stale += stale_writes(up, run_id)

    add_row(TABLE, **tally.row(f"job and host stopped past the lease, then woken: {stale} stale writes"))
    assert tally.problems == []
    assert stale == 0


def leave(run_id: str) -> None:
    """Wait until no process of the attempt that was cut off is left."""
    cut_off = (run_id, 1)
    until(lambda: cut_off not in [key[:2] for key in marked().values()], "the first attempt to leave")
