"""Batches as a user runs them: real processes that are killed, paused and cancelled, on one dataset."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.e2e.stack import Stack, until
from tests.e2e.test_survival import ended, job_processes, log
from tests.llm.provider import Provider, Said, good

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("generation")]


class Writer(Provider):
    """Writes another text each time, not at once."""

    seconds = 0.05

    def next(self) -> Said:
        time.sleep(self.seconds)
        return good(" ".join(f"w{random.randrange(10**6)}" for _ in range(20)))

    def asked(self) -> Counter[str]:
        """How often each sample was asked for."""
        texts = [request["messages"][0]["content"] for request in list(self.requests)]
        return Counter(texts)


@pytest.fixture
def writer() -> Iterator[Writer]:
    writer = Writer()
    yield writer
    writer.stop()


def start(up: Stack, writer: Writer, name: str, **params: Any) -> str:
    body = {
        "models": [{"name": "writer", "base_url": writer.base_url}],
        "instructions": f"{name} {{number}}",
        "concurrency": 2,
        **params,
    }
    run_id: str = up.api("POST", "/api/runs", {"kind": "generation", "params": body})["id"]
    return run_id


def kill_job(up: Stack, run_id: str) -> None:
    """SIGKILL the process of one run."""

    def mine() -> psutil.Process | None:
        for process in job_processes(up):
            try:
                if process.environ().get("PILOTHOUSE_RUN_ID") == run_id:
                    return process
            except psutil.Error:
                continue
        return None

    process = until(mine, "the job's process")
    assert process
    process.kill()


def kept(count: int) -> Any:
    return lambda run: (run["metrics"].get("kept") or 0) >= count


def names_in(up: Stack, dataset: str) -> list[str]:
    database = sqlite3.connect(up.data / "datasets" / f"{dataset}.db")
    try:
        return [name for (name,) in database.execute("SELECT name FROM entries ORDER BY number")]
    finally:
        database.close()


@pytest.mark.rows("S2.13", "S2.77")
def test_batches_that_are_killed_fill_one_dataset_exactly_and_repeat_no_sample(
    up: Stack, writer: Writer
) -> None:
    writer.seconds = 0.15
    shared = {"target": None, "dataset": "law", "dataset_target": 150}
    one = start(up, writer, "one", **shared)
    other = start(up, writer, "other", **shared, concurrency=1)

    up.wait(one, kept(8), "8 samples")
    finished = {event["data"]["key"] for event in log(up, one) if event["type"] == "item.finished"}
    before = writer.asked()
    kill_job(up, one)
    up.wait(one, lambda run: run["attempt"] == 2 and kept(14)(run), "6 more")
    kill_job(up, one)
    runs = [up.wait(each, ended, "the end") for each in (one, other)]

    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert runs[0]["attempt"] == 3
    names = names_in(up, "law")
    assert len(names) == len(set(names)) == 150
    assert sum(run["metrics"]["kept"] for run in runs) == 150
    assert all(writer.asked()[f"one {key}"] == before[f"one {key}"] for key in finished)
    assert sum(count > 1 for count in writer.asked().values()) <= 4  # what was in hand, twice two
    keys = [event["data"]["key"] for event in log(up, one) if event["type"] == "item.finished"]
    assert len(keys) == len(set(keys))


def test_a_batch_is_paused_with_its_memory_freed_and_goes_on(up: Stack, writer: Writer) -> None:
    run_id = start(up, writer, "freed", target=30)
    up.wait(run_id, kept(5), "5 samples")

    up.api("POST", f"/api/runs/{run_id}/pause", {"strength": "release"})
    paused = up.wait(run_id, lambda run: run["status"] == "paused", "the pause")
    asked = sum(writer.asked().values())
    up.api("POST", f"/api/runs/{run_id}/resume", {})
    run = up.wait(run_id, ended, "the end")

    assert paused["progress"]["done"] == asked
    assert (run["status"], run["attempt"], run["metrics"]["kept"]) == ("completed", 2, 30)
    assert set(writer.asked().values()) == {1}
    with up.client() as client:
        lines = client.get(f"/api/runs/{run_id}/artifacts/samples.jsonl").text.splitlines()
    assert sorted(json.loads(line)["number"] for line in lines) == list(range(1, 31))


@pytest.mark.rows("S2.34", "S2.44", "S2.88")
def test_a_cancel_keeps_what_is_made_and_frees_the_places(up: Stack, writer: Writer) -> None:
    run_id = start(up, writer, "stopped", target=None, dataset="freed", dataset_target=500)
    up.wait(run_id, kept(12), "12 samples")

    up.api("POST", "/api/generate/batch/stop", {"batch_id": run_id})
    run = up.wait(run_id, ended, "the end")

    assert run["status"] == "cancelled"
    assert len(names_in(up, "freed")) >= run["metrics"]["kept"] >= 12
    with up.client() as client:
        lines = client.get(f"/api/runs/{run_id}/artifacts/samples.jsonl").text.splitlines()
    assert len(lines) == run["metrics"]["kept"]
    again = start(up, writer, "again", target=3, dataset="freed", dataset_target=500)
    assert up.wait(again, ended, "the end")["status"] == "completed"
