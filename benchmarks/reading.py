"""Reading a log back: a replay, and the first page of a very long run."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.appends import median
from benchmarks.fanout import open_group
from benchmarks.processes import ServerUnderTest, free_port, our_server, watchers
from benchmarks.report import Report
from pilothouse.contracts import NewRun
from pilothouse.model import event as e
from pilothouse.stores.sql import SqlStore

SECTION = "reading"
DATABASE = "sqlite:///{data}/bench.db"
EVENTS = 10_000
PAGE = 5_000
FILL_SECONDS = 120.0


def run(report: Report) -> None:
    """Replay one run; look at a long one."""
    _replay(report)
    _long_run(report, 100_000 if report.quick else 1_000_000)


def _replay(report: Report) -> None:
    with our_server(DATABASE) as server, watchers() as client:
        run_id = server.ask("run")["run"]
        seq = server.ask("burst", run=run_id, count=EVENTS)["seq"]
        opened = open_group(client, server, run_id, 1, after=2)
        seen = client.ask("watch", name="main", seq=seq, seconds=20)
        wrong = seen["behind"] + seen["wrong"]
        by_sse = seen["last_at"] - opened["began"]
        began = time.perf_counter()
        polled = _poll_all(server, run_id)
        by_polling = time.perf_counter() - began
    report.add(SECTION, f"replay of {EVENTS:,} events by SSE", by_sse * 1e3, "ms", more={"wrong": wrong})
    report.add(
        SECTION, f"replay of {EVENTS:,} events by polling", by_polling * 1e3, "ms", more={"got": polled}
    )


def _poll_all(server: ServerUnderTest, run_id: str) -> int:
    after = got = 0
    while True:
        page = json.loads(server.get(f"/api/runs/{run_id}/events?after={after}&limit={PAGE}"))["events"]
        if not page:
            return got
        if page[0]["seq"] != after + 1:
            raise RuntimeError(f"a gap after {after}")
        got += len(page)
        after = page[-1]["seq"]


def _long_run(report: Report, events: int) -> None:
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        began = time.perf_counter()
        events = asyncio.run(_fill(url, events))
        filled = time.perf_counter() - began
        server = ServerUnderTest(
            "benchmarks.our_server", free_port(), folder, url, token=Path(folder) / "token"
        )
        try:
            items = median(5, lambda: server.get("/api/runs/long/items?limit=200"))
            newest = median(5, lambda: server.get("/api/runs/long/events?newest=1&limit=1000"))
            snapshot = median(5, lambda: server.get("/api/runs/long"))
        finally:
            server.stop()
    name = f"a run of {events:,} events"
    with our_server(DATABASE) as empty:
        beside = empty.started_seconds
    report.add(SECTION, f"{name}: append them all", filled, "s")
    report.add(SECTION, f"{name}: start of the server", server.started_seconds, "s", 3.0)
    report.add(SECTION, "start of the server on an empty database", beside, "s")
    report.add(SECTION, f"{name}: first page of items", items * 1e3, "ms", 300.0)
    report.add(SECTION, f"{name}: newest 1,000 events", newest * 1e3, "ms")
    report.add(SECTION, f"{name}: snapshot", snapshot * 1e3, "ms", 500.0)


async def _fill(url: str, events: int) -> int:
    """Append so many events, or as many as fit into two minutes; gives their number."""
    deadline = time.perf_counter() + FILL_SECONDS
    first = 0
    store = SqlStore(url)
    await store.open()
    await store.create(NewRun("long", "bench", "long", "bench", {}))
    await store.append("long", [e.RunStarted(attempt=1)])
    await store.renew("long", 1, 36_000.0)
    while first < events and time.perf_counter() < deadline:
        await store.append(
            "long",
            [
                e.ItemFinished(key=f"k{first + n}", seconds=0.125, data={"pad": "x" * 90, "n": n})
                for n in range(1_000)
            ],
        )
        first += 1_000
    await store.close()
    return first
