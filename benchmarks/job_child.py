"""A job as the worker starts one, which tells what its handle costs and when it knew of a control.

The costs are CPU time of the job's own thread, while the link's threads send.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.spool import Spool

ITEMS = 20_000
SAFEPOINTS = 200_000
ITEM: dict[str, Any] = {"prompt": "p" * 60, "answer": "a" * 60, "score": 0.5, "model": "offline"}


def tell(**said: Any) -> None:
    """Say something to the benchmark."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure the handle, then wait for pauses."""
    server, token, run_id, pauses = sys.argv[1:5]
    folder = Path(tempfile.mkdtemp())
    link = Link(server, token, run_id, 1, spool=Spool(folder))
    run = RunHandle(link, id=run_id, name=run_id, attempt=1, params={}, folder=folder)
    link.start()
    began = time.thread_time()
    for number in range(ITEMS):
        run.item(f"k{number}", seconds=0.125, **ITEM)
    item = (time.thread_time() - began) / ITEMS
    while link.asked:
        time.sleep(0.01)
    began = time.thread_time()
    for _ in range(SAFEPOINTS):
        run.safepoint()
    safepoint = (time.thread_time() - began) / SAFEPOINTS
    tell(items=ITEMS, item_us=item * 1e6, safepoint_us=safepoint * 1e6)
    for _ in range(int(pauses)):
        while not link.asked:
            time.sleep(0.0005)
        knows = time.monotonic()
        run.safepoint()
        tell(knows=knows)
    link.close()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
