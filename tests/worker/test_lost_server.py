"""The server dies, then the job is killed: no finished item is lost, none is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn

HANG = 60
UNWRITTEN_ITEMS = 10  # of a millisecond: by so many the thread that writes them down may be behind at a kill


def ledger(folder: Path) -> list[str]:
    path = folder / "ledger"
    return path.read_text().split() if path.exists() else []


def kill(child: subprocess.Popen[str], folder: Path) -> None:
    """Kill the process that runs the job, not the shim above it."""
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    child.wait(HANG)


def run_until(child: subprocess.Popen[str], folder: Path, count: int) -> None:
    """Let the job execute so many items more."""
    goal, end = len(ledger(folder)) + count, time.monotonic() + HANG
    while len(ledger(folder)) < goal:
        assert child.poll() is None and time.monotonic() < end
        time.sleep(0.002)


def proof(server: LinkServer, folder: Path, items: int, side: int, kills: int) -> None:
    """Every item has one result; what was done twice was in hand at a kill or not yet written down, and is flagged."""
    assert sorted(map(int, server.keys("item.finished"))) == list(range(items))
    executions = Counter(ledger(folder))
    assert sorted(map(int, executions)) == list(range(items))
    repeated = {key for key, count in executions.items() if count > 1}
    flagged = {body.key for body in server.bodies("item.finished") if body.possible_duplicate}
    assert repeated <= flagged
    assert sum(executions.values()) - items <= kills * (side + UNWRITTEN_ITEMS)
    assert len(flagged) <= kills * (2 * side + UNWRITTEN_ITEMS)


@pytest.mark.parametrize(
    ("job", "seconds", "side"), [("maps", 0.002, 1), ("maps", 0.004, 4), ("tracks", 0.001, 1)]
)
def test_a_dead_server_and_a_killed_job_lose_nothing_and_repeat_nothing_that_was_finished(
    server: LinkServer, spawn: Spawn, tmp_path: Path, job: str, seconds: float, side: int
) -> None:
    folder = tmp_path / "folder"
    server.add_run(items=600, seconds=seconds, side=side)

    child = spawn(f"tests.jobs.ledger:{job}")
    server.wait_for(lambda: len(server.log.finished) > 20)
    server.stop()
    run_until(child, folder, 200)
    kill(child, folder)
    heard = len(server.log.finished)
    server.start()
    server.next_attempt()
    child = spawn(f"tests.jobs.ledger:{job}", attempt=2)

    assert child.wait(HANG) == 0
    assert server.status() == "completed"
    assert heard < 600
    proof(server, folder, 600, side, kills=1)


@pytest.mark.long
def test_kill_after_kill_the_log_has_every_line_once_and_in_order(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    folder, kills = tmp_path / "folder", 4
    server.add_run(items=800, seconds=0.001)

    for attempt in range(1, kills + 1):
        child = spawn("tests.jobs.ledger:tracks", attempt=attempt)
        server.wait_for(lambda: server.log.stored)
        server.stop()
        run_until(child, folder, 60)
        kill(child, folder)
        server.start()
        server.next_attempt()
    child = spawn("tests.jobs.ledger:tracks", attempt=kills + 1)

    assert child.wait(HANG) == 0
    proof(server, folder, 800, 1, kills)
    keys = [int(key) for key in server.keys("item.finished")]
    assert keys == sorted(keys)
    assert list((tmp_path / "folder").glob("spool-*")) == []


def test_a_job_that_is_cut_off_saves_stops_and_goes_on_where_it_was(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    server.add_run(items=5_000, seconds=0.002)

    child = spawn("tests.jobs.ledger:tracks", PILOTHOUSE_ORPHAN_SECONDS="0.5")
    server.wait_for(lambda: len(server.log.finished) > 20)
    server.stop()
    code = child.wait(HANG)
    executed = len(ledger(folder))
    server.log.run.params["items"] = executed + 10
    server.start()
    server.next_attempt()
    child = spawn("tests.jobs.ledger:tracks", attempt=2)

    assert code == 5
    assert child.wait(HANG) == 0
    assert ledger(folder) == [str(number) for number in range(executed + 10)]


def test_what_died_beside_the_job_is_sent_before_the_last_word(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    assert spawn("tests.jobs.ledger:leaves_an_orphan").wait(HANG) == 0

    assert server.status() == "completed"
    assert sorted(server.keys("item.finished")) == ["orphan", "own"]


def test_the_side_effect_of_an_item_has_one_name_in_all_attempts(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run()

    assert spawn("tests.jobs.ledger:tells_its_key").wait(HANG) == -signal.SIGKILL
    server.next_attempt()
    assert spawn("tests.jobs.ledger:tells_its_key", attempt=2).wait(HANG) == 0

    lines = (tmp_path / "folder" / "keys").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "1", "2"]
    assert lines[1] == lines[2]
    assert len(set(lines)) == 3
