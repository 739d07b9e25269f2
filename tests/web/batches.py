"""A server for the dialect of batches, and batches that a test plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from tests.web.clients import Job, Json, until
from tests.web.serving import COUNTING, Running, running

STREAM = "/api/generate/batch/stream"
BODY: Json = {
    "name": "october",
    "model": "gpt-oss-120b",
    "base_url": "https://api.cerebras.ai/v1",
    "api_key_env": "CEREBRAS_API_KEY",
    "instructions": "Write a legal question.",
    "target": 25,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server with the kinds that ship, and no runs."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path / "data", kinds, lease_seconds=600) as server:
        yield server


def a_batch(server: Running, api: httpx2.Client, *, started: bool = True, **changes: Any) -> Job:
    """A batch, by default one that runs."""
    job = Job(server, api.post("/api/generate/batch", json=BODY | changes).json()["batch_id"])
    if started:
        job.say(e.RunStarted(attempt=1), e.ProgressTold(total=25))
    return job


def known(server: Running, count: int) -> None:
    """Wait until the stream of all runs knows so many."""
    until(server, lambda: len(server.server.context.fleet.take(0)[0]) == count)


def a_sample(job: Job, number: int) -> None:
    """One more sample, and what is counted after it."""
    data = {"verdict": "kept", "kept": True, "topic": "tax", "tokens": 400}
    values: dict[str, float | str | None] = {"kept": number, "tokens": 400 * number}
    job.say(e.ItemFinished(key=str(number), seconds=0.2, data=data), e.Metric(step=number, values=values))
