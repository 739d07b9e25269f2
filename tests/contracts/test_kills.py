"""Whatever dies while it writes: what was acknowledged is there, once (G1).

The long forms are in `kills.py`; `PILOTHOUSE_KILLS` says how often these kill.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contracts.cluster import cluster
from tests.contracts.kills import killed_writers, stopped_database

pytestmark = pytest.mark.anyio

KILLS = int(os.environ.get("PILOTHOUSE_KILLS", "5"))
STOPS = max(2, KILLS // 20)


@pytest.mark.timeout(60 + 5 * KILLS)
async def test_what_was_acknowledged_before_a_kill_is_there_once(tmp_path: Path) -> None:
    toll = await killed_writers(f"sqlite:///{tmp_path / 'pilothouse.db'}", KILLS)

    assert toll.finding.is_clean, toll
    assert toll.acknowledged >= KILLS


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_what_was_acknowledged_before_postgresql_went_down_is_there_once() -> None:
    with cluster("synchronous_commit = off") as postgres:
        toll = await stopped_database(postgres.url, STOPS, postgres.crash)

    assert toll.finding.is_clean, toll
    assert toll.acknowledged >= STOPS


@pytest.mark.timeout(60 + 5 * KILLS)
async def test_a_killed_writer_costs_nothing_on_postgresql() -> None:
    with cluster() as postgres:
        toll = await killed_writers(postgres.url, STOPS)

    assert toll.finding.is_clean, toll
