"""A process that dies at any named point costs nothing: the system goes on by itself, and every promise holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import scale, scenarios
from tests.chaos.conftest import AddRow
from tests.chaos.driver import create, ended, wait
from tests.chaos.points import POINTS
from tests.chaos.prober import Prober
from tests.chaos.verdict import Verdict, log_of, moment, verdict
from tests.e2e.stack import Stack, until
from tests.house.pages import ROOT

TABLE = "Failpoints: killed at a point, recovered by itself"
CHOSEN = [name for name, point in POINTS.items() if scale.IS_LONG or point.is_quick]
SERVER_DIES_TOO = (scenarios.away, scenarios.recovering)
JOB_LIE_SECONDS = 1.0
RESTART_LIE_SECONDS = 5.0


def test_the_matrix_holds_every_point_of_the_source_and_no_other() -> None:
    named = [
        name
        for path in (ROOT / "pilothouse").rglob("*.py")
        for name in re.findall(r'failpoint\.reach\("([a-z.]+)"\)', path.read_text())
    ]

    assert sorted(named) == sorted(POINTS)
    assert len(named) >= 20


@contextmanager
def armed(name: str, folder: Path) -> Iterator[tuple[Stack, Path]]:
    """A stack in which the first process that comes to a point dies there, and the file that says so."""
    point, marker = POINTS[name], folder / "died"
    more = {"PILOTHOUSE_FAILPOINT": f"{name}:{point.turn}", "PILOTHOUSE_FAILPOINT_ONCE": str(marker)}
    try:
        up = Stack(folder / "data", more | point.more)
    except AssertionError:
        assert marker.exists(), "it did not start, and nobody died at the point"
        up = Stack(folder / "data", more | point.more)
    try:
        yield up, marker
    finally:
        up.stop()


@pytest.mark.parametrize("name", CHOSEN)
def test_a_death_at_a_point_costs_nothing(name: str, tmp_path: Path, ledger: Path, add_row: AddRow) -> None:
    point, found, prober, died, seconds = POINTS[name], Verdict(), None, "nobody", ""
    try:
        with armed(name, tmp_path) as (up, marker), Prober(up) as prober:
            run_id = point.scenario(up, ledger)
            wait(up, run_id, ended, "the end")
            until(marker.exists, f"a death at {name}", 10)
            died = marker.read_text().split()[0]
            after = create(up, tmp_path / "after", count=3)
            wait(up, after, ended, "the end of a run after it")
            found = verdict(up, run_id, ledger)
            seconds = recovery(log_of(up, run_id), marker)
            found.problems += verdict(up, after, tmp_path / "after").problems
    finally:
        add_row(
            TABLE,
            point=name,
            died=died,
            recovered=seconds,
            end=found.status,
            attempts=found.attempts,
            repeated=found.repeated,
            lie=f"{prober.lie_seconds:.1f} s" if prober else "",
            verdict="; ".join(found.problems) or ("ok" if found.status else "no end"),
        )

    assert found.problems == []
    assert died == point.dies
    assert found.status != "failed"
    is_job_only = died == "child" and point.scenario not in SERVER_DIES_TOO
    promised = JOB_LIE_SECONDS if is_job_only else RESTART_LIE_SECONDS
    assert prober.lie_seconds <= scale.limit(promised), prober.lie


def recovery(log: list[dict[str, Any]], marker: Path) -> str:
    """Seconds from the death to the next thing that happened to the run, beside being told of the death."""
    died_at = marker.stat().st_mtime
    later = [moment(event) for event in log if event["type"] != "run.interrupted"]
    return next((f"{time - died_at:.1f} s" for time in later if time > died_at), "after the end")
