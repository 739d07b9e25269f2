"""G1: what was acknowledged is there, once, whatever dies while it is written.

The kills themselves are those of `tests/contracts/kills.py`, of which `make test` does a few.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.tally import TABLE, Tally
from tests.contracts.cluster import cluster
from tests.contracts.kills import Toll, killed_writers, stopped_database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(scale.LONG_SECONDS),
    pytest.mark.skipif(not scale.IS_LONG, reason="tests/contracts/test_kills.py is the short form"),
]


def add(tally: Tally, toll: Toll, did: str, add_row: AddRow) -> None:
    """Turn a toll into a row; everything in it must be clean."""
    found = toll.finding
    tally.kills, tally.events = toll.kills, found.events
    tally.lost, tally.doubled = len(found.lost), len(found.doubled)
    tally.problems += [] if found.is_clean else [str(found)]
    add_row(TABLE, **tally.row(f"{did}; {toll.acknowledged} acknowledged"))
    assert found.is_clean, toll


async def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path, add_row: AddRow) -> None:
    tally = Tally("G1 sqlite")

    toll = await killed_writers(f"sqlite:///{tmp_path / 'pilothouse.db'}", scale.times(300, 0))

    add(tally, toll, "kill -9 of the writer at random instants", add_row)


async def test_a_killed_writer_on_postgresql_loses_nothing_that_was_acknowledged(add_row: AddRow) -> None:
    tally = Tally("G1 postgresql")

    with cluster() as postgres:
        toll = await killed_writers(postgres.url, scale.times(50, 0))

    add(tally, toll, "kill -9 of the writer at random instants", add_row)


async def test_a_database_that_goes_down_loses_nothing_that_was_acknowledged(add_row: AddRow) -> None:
    tally = Tally("G1 database")

    with cluster() as postgres:
        toll = await stopped_database(postgres.url, scale.times(8, 0), postgres.crash)

    add(tally, toll, "PostgreSQL stopped as by a power cut, under a writer that tries again", add_row)
