"""Acknowledged durable appends: the store, the link, and the least that SQLite could cost."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.control import payload
from benchmarks.fanout import measure, open_group
from benchmarks.processes import ServerUnderTest, our_server, watchers
from benchmarks.report import Report
from pilothouse.contracts import NewRun
from pilothouse.model import event as e
from pilothouse.stores.sql import SqlStore

SECTION = "appends"
DATABASE = "sqlite:///{data}/bench.db"
POSTGRES = "PILOTHOUSE_TEST_POSTGRES"
BATCH = 50
APPENDERS = 32


def run(report: Report) -> None:
    """The naive way and ours, side by side; then through HTTP."""
    seconds = 1.0 if report.quick else 4.0
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        naive = naive_rate(Path(folder) / "naive1.db", 1, seconds)
        ours = asyncio.run(store_rate(f"sqlite:///{folder}/ours.db", 1, 1, seconds))
        naive_batch = naive_rate(Path(folder) / "naive50.db", BATCH, seconds)
        together = asyncio.run(store_rate(f"sqlite:///{folder}/ours32.db", APPENDERS, 1, seconds))
        batch = asyncio.run(store_rate(f"sqlite:///{folder}/ours50.db", 1, BATCH, seconds))
    cpus = {"ours": ours.cpu_us, "naive": naive.cpu_us}
    report.add(SECTION, "SQLite FULL, one by one", ours.rate, "/s", 3_000.0, "least", {"cpu_us": cpus})
    report.add(SECTION, "naive sqlite3, one transaction each", naive.rate, "/s")
    report.add(SECTION, "one by one, ours : naive", ours.rate / naive.rate, "×")
    report.add(SECTION, f"SQLite FULL, {APPENDERS} appenders side by side", together.rate, "/s")
    report.add(SECTION, f"SQLite FULL, batches of {BATCH}", batch.rate, "/s", 30_000.0, "least")
    report.add(SECTION, f"naive sqlite3, {BATCH} per transaction", naive_batch.rate, "/s")
    report.add(SECTION, f"batches of {BATCH}, ours : naive", batch.rate / naive_batch.rate, "×")
    report.add(SECTION, f"batches of {BATCH}: CPU per event", batch.cpu_us, "µs")
    report.add(SECTION, f"naive sqlite3, {BATCH} per transaction: CPU per event", naive_batch.cpu_us, "µs")
    if os.environ.get(POSTGRES):
        _postgres(report, os.environ[POSTGRES], seconds)
    _link(report, seconds)
    _first_watcher(report, seconds)


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a second, and the CPU time of each in microseconds."""

    rate: float
    cpu_us: float


def naive_rate(path: Path, batch: int, seconds: float) -> Rate:
    """Events a second of plain sqlite3: one table, one insert, nothing folded."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE events (run TEXT, seq INTEGER, frame BLOB, PRIMARY KEY (run, seq))")
    seq = 0
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        rows = [("r", seq + n, json.dumps({"seq": seq + n, "pad": "x" * 220})) for n in range(batch)]
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")
        seq += batch
    spent, cpu = time.perf_counter() - began, time.process_time() - cpu
    database.close()
    return Rate(seq / spent, cpu / seq * 1e6)


async def store_rate(url: str, appenders: int, batch: int, seconds: float) -> Rate:
    """Events a second of the store, with so many appenders that each wait for their commit."""
    store = SqlStore(url)
    await store.open()
    run_id = f"bench_{time.time_ns()}"
    await store.create(NewRun(run_id, "bench", run_id, "bench", {}))
    await store.append(run_id, [e.RunStarted(attempt=1)])
    end = time.perf_counter() + seconds
    counts = [0] * appenders

    async def append_always(number: int) -> None:
        while time.perf_counter() < end:
            bodies = [
                e.ItemFinished(key=f"{number}.{counts[number] + n}", seconds=0.125, data=payload())
                for n in range(batch)
            ]
            await store.append(run_id, bodies, attempt=1)
            counts[number] += batch

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(append_always(number) for number in range(appenders)))
    spent, cpu = time.perf_counter() - began, time.process_time() - cpu
    await store.close()
    return Rate(sum(counts) / spent, cpu / sum(counts) * 1e6)


def _postgres(report: Report, url: str, seconds: float) -> None:
    for name, appenders, batch in (
        ("one by one", 1, 1),
        ("32 side by side", 32, 1),
        ("batches of 50", 1, 50),
    ):
        report.add(
            SECTION, f"PostgreSQL, {name}", asyncio.run(store_rate(url, appenders, batch, seconds)).rate, "/s"
        )


def _link(report: Report, seconds: float) -> None:
    """A job's batches over HTTP, each acknowledged after its commit."""
    with our_server(DATABASE) as server:
        for batch in (1, BATCH):
            rate, posts = link_rate(server, batch, seconds)
            name = "one by one" if batch == 1 else f"batches of {batch}"
            report.add(SECTION, f"through the link, {name}", rate, "/s", more={"posts_per_second": posts})


def link_rate(server: ServerUnderTest, batch: int, seconds: float) -> tuple[float, float]:
    """Events and requests a second of one job that waits for every answer."""
    run_id = server.ask("run")["run"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    sent = posts = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        events = [
            {"type": "item.finished", "data": {"key": f"k{sent + n}", "seconds": 0.125, "data": payload()}}
            for n in range(batch)
        ]
        body = json.dumps({"attempt": 1, "client_seq": sent + 1, "events": events})
        connection.request("POST", f"/api/runs/{run_id}/events", body, headers)
        answer = json.loads(connection.getresponse().read())
        sent += batch
        posts += 1
        if answer["acked"] != sent:
            raise RuntimeError(f"not acknowledged: {answer}")
    spent = time.perf_counter() - began
    connection.close()
    return sent / spent, posts / spent


def _first_watcher(report: Report, seconds: float) -> None:
    """From the call that appends, through the commit, to the first watcher."""
    with our_server(DATABASE) as server, watchers() as client:
        made = server.ask("run")
        open_group(client, server, made["run"], 1)
        seen, _ = measure(server, client, made["run"], made["seq"], 1, 50, max(seconds, 2.0))
    report.add(SECTION, "append → first watcher, SQLite FULL: p50", seen.p50_ms, "ms", 5.0)
    report.add(SECTION, "append → first watcher, SQLite FULL: p99", seen.p99_ms, "ms", 25.0)


def median(times: int, measured: Callable[[], Any]) -> float:
    """The median of the seconds that a call takes."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        measured()
        spent.append(time.perf_counter() - began)
    return sorted(spent)[times // 2]
