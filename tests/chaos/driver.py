"""What a patient user does: asks again until there is an answer, and looks until it is so."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.stack import Stack, until

Run = dict[str, Any]
PATIENCE_SECONDS = 30.0


def insist(up: Stack, method: str, path: str, body: Any = None, key: str | None = None) -> httpx2.Response:
    """Ask until the server answers; a refusal is an answer."""
    headers = {"idempotency-key": key} if key else {}
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with up.client() as client:
                answer = client.request(method, path, json=body, headers=headers)
            if answer.status_code < 500:
                return answer
            problem = answer.text
        except (httpx2.HTTPError, OSError) as error:
            problem = repr(error)
        assert time.monotonic() < end, f"{method} {path}: {problem}"
        time.sleep(0.05)


def create(up: Stack, ledger: Path, kind: str = "counting", **params: Any) -> str:
    """Make a run, once, however often it has to be asked for."""
    body = {"kind": kind, "params": {"ledger": str(ledger), **params}}
    answer = insist(up, "POST", "/api/runs", body, key=uuid.uuid4().hex)
    assert answer.is_success, answer.text
    run_id: str = answer.json()["id"]
    return run_id


def control(up: Stack, run_id: str, word: str, **body: Any) -> httpx2.Response:
    """Pause, resume or cancel a run."""
    return insist(up, "POST", f"/api/runs/{run_id}/{word}", body)


def wait(up: Stack, run_id: str, is_reached: Callable[[Run], bool], what: str) -> Run:
    """Look at a run until it is so; a server that is away meanwhile is waited for."""

    def look() -> Run | None:
        run: Run = insist(up, "GET", f"/api/runs/{run_id}").json()
        return run if is_reached(run) else None

    return until(look, what) or {}


def done(count: int) -> Callable[[Run], bool]:
    """So many items are finished, or the run has ended."""
    return lambda run: run["progress"]["done"] >= count or ended(run)


def ended(run: Run) -> bool:
    """The run has ended."""
    return run["ended_at"] is not None


def paused(run: Run) -> bool:
    """The run is paused, or has ended."""
    return run["status"] == "paused" or ended(run)
