"""Jobs for tests that write one line per execution to a file, which no log can lose or double."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

from pilothouse.sdk.handle import RunHandle


def maps(run: RunHandle) -> None:
    """Items side by side that ask for leave."""

    def work(number: int) -> dict[str, Any]:
        _execute(run, number)
        return {"n": number}

    for _ in run.map(work, range(run.params["items"]), key=str, concurrency=run.params["side"]):
        pass


def tracks(run: RunHandle) -> None:
    """Items too short to ask for leave."""
    for number in run.track(range(run.params["items"]), key=str):
        _execute(run, number)
        run.metric(number=number)
        run.log(f"did {number}")


def tells_its_key(run: RunHandle) -> None:
    """Writes the name of each item's side effect, and dies in the first attempt."""
    for number in run.track(range(3), key=str):
        with (run.folder / "keys").open("a") as file:
            file.write(f"{number} {run.idempotency_key(str(number))}\n")
        if number == 1 and run.attempt == 1:
            os.kill(os.getpid(), 9)


def leaves_an_orphan(run: RunHandle) -> None:
    """A process that takes part in the run dies with a result that it could not send."""
    code = (
        "import os, sys; from pathlib import Path; from pilothouse.sdk.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 1, 'attached-1')\n"
        'spool.add([b\'{"type":"item.finished","data":{"key":"orphan","seconds":1}}\'])\n'
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(run.folder)], check=False)
    run.item("own")


def _execute(run: RunHandle, number: int) -> None:
    own = run.folder / f"pid.{threading.get_ident()}"
    own.write_text(str(os.getpid()))
    own.replace(run.folder / "pid")  # in one step: who reads it never finds it empty
    with (run.folder / "ledger").open("a") as ledger:
        ledger.write(f"{number}\n")
    time.sleep(run.params["seconds"])
