"""What a run goes through while a process dies at a point: each is a user's story of a few seconds."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.chaos.driver import control, create, done, ended, insist, paused, wait
from tests.chaos.traces import executions, marked
from tests.e2e.stack import Stack, until

COUNT = 30
Scenario = Callable[[Stack, Path], str]


def plain(up: Stack, ledger: Path) -> str:
    """A run from beginning to end."""
    return create(up, ledger, count=COUNT, speed=15, concurrency=2)


def pausing(up: Stack, ledger: Path) -> str:
    """Paused, held for a while, resumed."""
    return _paused(up, ledger, strength="hold")


def releasing(up: Stack, ledger: Path) -> str:
    """Paused so that the process leaves, then resumed as a new attempt."""
    return _paused(up, ledger, strength="release")


def _paused(up: Stack, ledger: Path, strength: str) -> str:
    run_id = create(up, ledger, count=2 * COUNT, speed=4, concurrency=2)
    wait(up, run_id, done(5), "5 items")
    control(up, run_id, "pause", strength=strength)
    run = wait(up, run_id, paused, "the pause")
    assert run["status"] == "paused"
    control(up, run_id, "resume")
    return run_id


def cancelling(up: Stack, ledger: Path) -> str:
    """Cancelled in the middle."""
    run_id = create(up, ledger, count=2 * COUNT, speed=4, concurrency=2)
    wait(up, run_id, done(5), "5 items")
    control(up, run_id, "cancel")
    return run_id


def refusing(up: Stack, ledger: Path) -> str:
    """A job that obeys nothing is cancelled, so that it has to be ended from outside."""
    body = {"kind": "hostile", "params": {"traces": str(ledger), "ways": ["signals"]}}
    run_id = str(insist(up, "POST", "/api/runs", body).json()["id"])
    wait(up, run_id, done(1), "the hostile job")
    control(up, run_id, "cancel")
    return run_id


def dying(up: Stack, ledger: Path) -> str:
    """A job that is killed in its tenth item; something else dies over it."""
    return create(up, ledger, count=COUNT, speed=15, concurrency=2, die_at=9)


def stalling(up: Stack, ledger: Path) -> str:
    """A job that is stopped for longer than its lease."""
    run_id = create(up, ledger, count=COUNT, speed=10)
    wait(up, run_id, done(5), "5 items")
    stopped = [pid for pid, (owner, attempt, _) in marked().items() if (owner, attempt) == (run_id, 1)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    wait(up, run_id, lambda run: run["attempt"] > 1 or ended(run), "the next attempt")
    return run_id


def away(up: Stack, ledger: Path) -> str:
    """The server is killed in the middle, and the job has to do without it for a moment."""
    run_id = create(up, ledger, count=COUNT, speed=8, concurrency=2)
    wait(up, run_id, done(5), "5 items")
    up.kill_server()
    return run_id


def recovering(up: Stack, ledger: Path) -> str:
    """Server and host die, and with it the job: the next attempt finds what nobody could send."""
    return _killed_unheard(up, ledger, "pilothouse.worker.host")


def leaving(up: Stack, ledger: Path) -> str:
    """The server dies, then the job: the host sends what the job could not."""
    return _killed_unheard(up, ledger, "pilothouse.worker.child")


def _killed_unheard(up: Stack, ledger: Path, module: str) -> str:
    run_id = create(up, ledger, count=COUNT, speed=8, concurrency=2)
    wait(up, run_id, done(5), "5 items")
    up.process.send_signal(signal.SIGSTOP)  # nobody starts another server meanwhile
    try:
        up.child("pilothouse.web.serve").kill()
        before = executions(ledger).total()
        until(lambda: executions(ledger).total() > before + 3, "items without the server")
        up.child(module).kill()
    finally:
        up.process.send_signal(signal.SIGCONT)
    return run_id


def stopping(up: Stack, ledger: Path) -> str:
    """Ctrl+C in the middle, and started again."""
    run_id = create(up, ledger, count=COUNT, speed=8, concurrency=2)
    wait(up, run_id, done(5), "5 items")
    up.stop()
    up.begin()
    return run_id
