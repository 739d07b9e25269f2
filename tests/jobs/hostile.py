"""A kind for tests: a job that will not go, and leaves processes in every place where one can hide.

Each way is chosen in `ways`. Every process that the job starts carries the path
`traces` in its command line, so `survivors(traces)` finds it whatever it did to its
session, its parent, its signals and its environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.kind import Kind

Way = Literal["signals", "session", "daemon", "lock", "bomb", "shim"]
DEAF = "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n"
STAY = DEAF + "print('ready', flush=True)\nwhile True: time.sleep(60)\n"
LEAVE_HOME = (
    "import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nos.chdir('/')\n" + STAY
)
BOMB = (
    DEAF
    + """
import os
print('ready', flush=True)
most, alive = {most}, 0
for _ in range(20 * most):
    if alive < most:
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        alive += 1
    time.sleep(0.001)
    while alive and os.waitpid(-1, os.WNOHANG)[0]: alive -= 1
while True: time.sleep(60)
"""
)


class Params(BaseModel):
    """How to misbehave.

    Attributes:
        ways: `signals`: ignore TERM, INT and HUP, and swallow the cancel. `session`: a child in a
            session of its own. `daemon`: a process that has left its parent, its session and its
            environment. `lock`: hold the interpreter lock in foreign code for ever. `bomb`: a child
            that forks until `bomb` processes live, and anew for each that dies. `shim`: kill
            the process that was put in charge of this one.
        traces: A path that no other test uses; nothing is written there.
        bomb: Processes of the bomb, at most 200.
    """

    model_config = ConfigDict(extra="forbid")

    traces: str
    ways: list[Way] = ["signals", "session", "daemon"]
    bomb: int = Field(default=40, ge=1, le=200)
    stuck_seconds: float | None = None


KIND = Kind(
    name="hostile",
    title="Hostile",
    prefix="hostile",
    entry="tests.jobs.hostile:run",
    params=Params,
    summary="Will not go.",
    unit="threat",
    units="threats",
)


def run(run: RunHandle) -> None:
    """Do one item, start what is asked for, and stay for ever."""
    params = Params(**run.params)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if "signals" in params.ways else ():
        signal.signal(number, signal.SIG_IGN)
    for way in run.map(lambda way: {"pid": _start(way, params) or os.getpid()}, params.ways, key=str):
        run.log(f"armed: {way.key}")
    run.log("ready")
    if "shim" in params.ways and run.attempt == 1:
        run._link.flush(10.0)
        os.kill(os.getppid(), signal.SIGKILL)
    if "lock" in params.ways:
        run._link.flush(10.0)
        ctypes.PyDLL(None).sleep(3600)
    while True:
        try:
            time.sleep(1)
            run.safepoint()
        except BaseException:
            if "signals" not in params.ways:
                raise


def _start(way: Way, params: Params) -> int | None:
    match way:
        case "session":
            return _python(STAY, params.traces)
        case "daemon":
            return _python(LEAVE_HOME, params.traces, {})
        case "bomb":
            return _python(BOMB.format(most=params.bomb), params.traces)
        case "signals" | "lock" | "shim":  # done by the job's own thread
            pass
    return None


def _python(code: str, traces: str, environment: dict[str, str] | None = None) -> int:
    """Start a process and wait until it, or what it became, is ready."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, traces],
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout
    process.stdout.readline()
    return process.pid


def survivors(traces: Path | str, run_id: str = "") -> list[psutil.Process]:
    """Processes alive that a hostile job with these traces has started.

    With the run's id also its own process and its shim, which are known by their environment.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and (
                str(traces) in process.cmdline()
                or (run_id and process.environ().get("PILOTHOUSE_RUN_ID") == run_id)
            ):
                found.append(process)
    return found
