"""What a killed process had sent, and was never told of, is not in the log a second time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.model import event as e
from pilothouse.sdk.recovery import complete
from pilothouse.sdk.spool import Spool
from tests.web.clients import Job, Json, a_job
from tests.web.serving import Running


@pytest.fixture
def job(server: Running) -> Job:
    """A run whose first attempt has begun."""
    return a_job(server)


def line(text: str) -> Json:
    """A line of the console as a job sends it."""
    return {"type": "log", "data": {"level": "info", "source": "stdout", "text": text}}


def killed(api: httpx2.Client, job: Job, folder: Path, writer: str) -> None:
    """Leave what a process leaves that was killed when two of its three lines were stored, before the answer came."""
    spool = Spool(folder, 1, writer)
    spool.add([json.dumps(line(text), separators=(",", ":")).encode() for text in ("one", "two", "three")])
    batch: Json = {"attempt": 1, "writer": writer, "client_seq": 1, "events": [line("one"), line("two")]}
    assert api.post(f"{job.path}/events", json=batch).is_success
    spool.close()


def sent_again(api: httpx2.Client, job: Job, folder: Path, attempt: int) -> list[str]:
    """The lines that a new process of an attempt makes its own."""
    given: dict[str, Any] = api.get(f"{job.path}/assignment", params={"attempt": attempt}).json()
    spool = Spool(folder, attempt, "next")
    complete(given, spool)
    texts = [json.loads(event)["data"]["text"] for _, event in spool.batch()]
    spool.close()
    return texts


def test_the_next_attempt_sends_no_line_again_that_the_store_has(
    api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    killed(api, job, tmp_path, "job")
    job.say(e.RunInterrupted(reason="killed"), e.RunStarted(attempt=2))

    assert sent_again(api, job, tmp_path, 2) == ["three"]


def test_another_process_of_the_attempt_sends_no_line_again_that_the_store_has(
    api: httpx2.Client, job: Job, tmp_path: Path
) -> None:
    killed(api, job, tmp_path, "attached-7-00ff")

    assert sent_again(api, job, tmp_path, 1) == ["three"]
