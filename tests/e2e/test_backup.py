"""A backup of a server that runs, and the way back: watchers begin anew, runs go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack, stack

pytestmark = pytest.mark.long


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def start(up: Stack, ledger: Path, **params: Any) -> str:
    """A counting run."""
    body = {"kind": "counting", "params": {"ledger": str(ledger), **params}}
    return str(up.api("POST", "/api/runs", body)["id"])


def done(count: int) -> Any:
    """Whether a run has so many items."""
    return lambda run: run["progress"]["done"] >= count


def ended(run: dict[str, Any]) -> bool:
    """Whether a run is over."""
    return run["ended_at"] is not None


@contextmanager
def watching(up: Stack, run_id: str, last: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The frames that a watcher gets who comes back from a place."""
    headers = {"last-event-id": last, "accept": "text/event-stream"}
    with up.client() as client, client.stream("GET", f"/api/runs/{run_id}/events", headers=headers) as stream:
        yield (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))


def test_after_a_restore_watchers_begin_anew_and_runs_go_on(data: Path, ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with stack(data) as up:
        whole, cut = start(up, ledger, count=5), start(up, ledger, count=150, speed=40)
        up.wait(whole, ended, "the first run's end")
        up.wait(cut, done(20), "20 items")
        said = up.cli("backup", str(copy)).stderr
        kept = up.run(cut)["progress"]["done"]
        later = start(up, ledger, count=1)
        after = up.wait(cut, done(kept + 20), "20 items more")
        place = f"{after['epoch']}-{after['head']}"
        refused = up.cli("restore", str(copy), check=False)
    restored = up.cli("restore", str(copy)).stderr

    with stack(data) as up:
        with watching(up, cut, place) as frames:
            types = [next(frames)["type"], next(frames)["type"]]
            first = next(frames)
        run = up.wait(cut, ended, "the end")
        events = up.api("GET", f"/api/runs/{cut}/events?after=0&limit=5000")["events"]
        with up.client() as client:
            gone = client.get(f"/api/runs/{later}").status_code

    assert "whole" in said
    assert (refused.returncode, "another server" in refused.stderr) == (8, True)
    assert "Interrupted:    1 runs" in restored
    assert types == ["hello", "reset"]
    assert (first["seq"], first["data"]["epoch"]) == (1, run["epoch"])
    assert run["epoch"] != after["epoch"]
    assert (run["status"], run["progress"]["done"], run["attempt"]) == ("completed", 150, 2)
    assert [event["seq"] for event in events] == list(range(1, run["head"] + 1))
    assert "the database was restored" in [e["data"].get("reason") for e in events]
    assert gone == 404
