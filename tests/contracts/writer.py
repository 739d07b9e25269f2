"""A process that appends to a store as fast as it can and says what was acknowledged.

`python -m tests.contracts.writer URL RUN_ID ACKED…`, each ACKED as `writer=number`. It says
`writer number` on standard output after each acknowledgement, and sends what fails again.
"""

from __future__ import annotations

import asyncio
import os
import sys

from pilothouse.errors import Conflict, Unavailable
from pilothouse.model import event as e
from pilothouse.questions import RunQuery
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import a_run
from tests.contracts.audit import keys_of

RETRY_SECONDS = 0.02
OPEN_SECONDS = 60.0


async def main(url: str, run_id: str, acked: dict[str, int]) -> None:
    """Write until somebody ends this process."""
    store = SqlStore(url)
    async with asyncio.timeout(OPEN_SECONDS):
        while True:
            try:
                await store.open()
                break
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
    await begin(store, run_id)
    await asyncio.gather(*(write(store, run_id, writer, last) for writer, last in acked.items()))


async def begin(store: SqlStore, run_id: str) -> None:
    """Make the run and start its attempt, unless an earlier process did."""
    while True:
        try:
            run = await store.get(run_id) if await exists(store, run_id) else None
            if run is None:
                run, _ = await store.create(a_run(run_id))
            if run.attempt == 0:
                await store.append(run_id, [e.RunStarted(attempt=1)])
            return
        except (Unavailable, Conflict):
            await asyncio.sleep(RETRY_SECONDS)


async def exists(store: SqlStore, run_id: str) -> bool:
    """Whether the run was made already."""
    return any(run.id == run_id for run in (await store.list(RunQuery(limit=1000))).runs)


async def write(store: SqlStore, run_id: str, writer: str, last: int) -> None:
    """One writer: a batch after the other, each until it is acknowledged."""
    number = last + 1
    while True:
        bodies = [
            e.ItemFinished(key=key, seconds=0.1, data={"pad": "x" * 300}) for key in keys_of(writer, number)
        ]
        try:
            answer = await store.append(run_id, bodies, attempt=1, client_seq=number, writer=writer)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        assert answer.acked == number
        os.write(1, f"{writer} {number}\n".encode())
        number += 1


if __name__ == "__main__":
    pairs = (pair.split("=") for pair in sys.argv[3:])
    asyncio.run(main(sys.argv[1], sys.argv[2], {writer: int(number) for writer, number in pairs}))
