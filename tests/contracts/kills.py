"""Kills writers, or the database under them, at random instants, and counts what that costs.

`await killed_writers(url, 300)` is the long form; the test suite runs a few.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pilothouse.stores.sql import SqlStore
from tests.contracts.audit import Finding, audit

WRITERS = ("job", "rank-1", "rank-2")
RUN_ID = "bench_kills"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Toll:
    """What the kills came to."""

    kills: int
    acknowledged: int
    finding: Finding

    def row(self) -> dict[str, int]:
        """The counts, for a table."""
        found = self.finding
        return {
            "kills": self.kills,
            "acknowledged": self.acknowledged,
            "events": found.events,
            "lost": len(found.lost),
            "doubled": len(found.doubled),
            "gaps": len(found.gaps),
            "differing fields": len(found.differing),
        }


class Ledger:
    """What writers were told, kept outside of the store and of their process."""

    def __init__(self) -> None:
        self.acked = dict.fromkeys(WRITERS, 0)

    def hear(self, output: IO[bytes], count: int) -> bool:
        """Read so many acknowledgements, or up to the end; False when it came to the end."""
        for _ in range(count):
            line = output.readline()
            if not line.endswith(b"\n"):
                return False
            writer, number = line.split()
            self.acked[writer.decode()] = int(number)
        return True

    def hear_all(self, output: IO[bytes]) -> None:
        """Read what a dead writer said before it died."""
        self.hear(output, sys.maxsize)


async def killed_writers(url: str, kills: int, seed: int = 1) -> Toll:
    """SIGKILL a process that writes, start the next one, which sends again what was not acknowledged.

    Args:
        url: The database; it is left as it is.
        kills: How often.
        seed: Of the random instants.
    """
    chance, ledger = random.Random(seed), Ledger()
    for _ in range(kills):
        with a_writer(url, ledger) as process:
            assert process.stdout
            assert ledger.hear(process.stdout, chance.randint(1, 200)), "the writer gave up"
            await asyncio.sleep(chance.random() * 0.02)  # an instant that no acknowledgement chooses
            process.send_signal(signal.SIGKILL)
            ledger.hear_all(process.stdout)
    return await toll(url, kills, ledger)


async def stopped_database(url: str, stops: int, stop: Callable[[], None], seed: int = 1) -> Toll:
    """Stop the database under one process that writes and that sends again what fails.

    Args:
        url: The database.
        stops: How often.
        stop: Stops the database at once, as a power cut would, and starts it again.
        seed: Of the random instants.
    """
    chance, ledger = random.Random(seed), Ledger()
    with a_writer(url, ledger) as process:
        assert process.stdout
        for _ in range(stops):
            assert ledger.hear(process.stdout, chance.randint(1, 200)), "the writer gave up"
            stop()
        ledger.hear(process.stdout, 200)
        process.send_signal(signal.SIGKILL)
        ledger.hear_all(process.stdout)
    return await toll(url, stops, ledger)


async def toll(url: str, kills: int, ledger: Ledger) -> Toll:
    """Hold the store against the ledger."""
    store = SqlStore(url)
    await store.open()
    try:
        return Toll(kills, sum(ledger.acked.values()), await audit(store, RUN_ID, ledger.acked))
    finally:
        await store.close()


@contextmanager
def a_writer(url: str, ledger: Ledger) -> Iterator[subprocess.Popen[bytes]]:
    """A process that goes on where the ledger ends."""
    acked = (f"{writer}={number}" for writer, number in ledger.acked.items())
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.writer", url, RUN_ID, *acked],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
