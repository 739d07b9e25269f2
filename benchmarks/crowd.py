"""Crowds at their worst: all asleep, one deaf, all back at once, ten thousand; and what each costs in memory."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.fanout import measure, open_group
from benchmarks.processes import Child, ServerUnderTest, our_server, queue_server, watchers
from benchmarks.report import Report

SECTION = "crowd"
DATABASE = "sqlite:///{data}/bench.db"
WARM = 300
SETTLE_SECONDS = 0.5


def run(report: Report) -> None:
    """Every scene, each on a server of its own."""
    _asleep(report, 3.0 if report.quick else 8.0)
    _deaf(report, 2.0 if report.quick else 5.0)
    _storm(report, 200 if report.quick else 1_000, 2_000 if report.quick else 10_000)
    _lag(report, 2_000 if report.quick else 10_000, 3.0 if report.quick else 6.0)
    _memory(report, 500 if report.quick else 2_000)


def _asleep(report: Report, seconds: float) -> None:
    """Four events a second to 1,000 watchers with nothing else to do."""
    with our_server() as server, watchers() as client:
        made = server.ask("run")
        open_group(client, server, made["run"], 1_000)
        seen, _ = measure(server, client, made["run"], made["seq"], 1_000, 4, seconds)
    report.add(SECTION, "one event to 1,000 idle watchers: p99", seen.p99_ms, "ms", 20.0)
    report.add(SECTION, "one event to 1,000 idle watchers: p50", seen.p50_ms, "ms")


def _deaf(report: Report, seconds: float) -> None:
    """100 watchers at 1,000 events/s, without and with ten that never read."""
    with our_server() as server, watchers() as client:
        made = server.ask("run")
        run_id, seq = made["run"], made["seq"]
        open_group(client, server, run_id, 100)
        _, seq = measure(server, client, run_id, seq, 100, 1_000, seconds)
        sizes = [server.rss()]
        before, seq = measure(server, client, run_id, seq, 100, 1_000, seconds)
        sizes.append(server.rss())
        open_group(client, server, run_id, 10, mode="deaf", group="deaf", after=seq)
        after, seq = measure(server, client, run_id, seq, 100, 1_000, seconds)
        sizes.append(server.rss())
    grown = max(0, (sizes[2] - sizes[1]) - (sizes[1] - sizes[0]))  # the log itself grows as well
    more = {"more": {"p99_ms_without": before.p99_ms, "missing": after.missing, "rss": sizes}}
    report.add(SECTION, "ten stalled watchers: memory of each", grown / 10 / 1e3, "kB", 150.0, **more)
    report.add(
        SECTION, "ten stalled watchers: the others' p99, after : before", after.p99_ms / before.p99_ms, "×"
    )
    report.add(SECTION, "ten stalled watchers: the others miss", after.missing + after.wrong, "", 0)


def _storm(report: Report, count: int, events: int) -> None:
    """All reconnect at once, so many events back, while one run goes on elsewhere."""
    with our_server() as server, watchers() as client, watchers() as other:
        made, live = server.ask("run"), server.ask("run")
        run_id, seq = made["run"], server.ask("burst", run=made["run"], count=events)["seq"]
        open_group(other, server, live["run"], 10)
        other.send("watch", name="main", seq=live["seq"] + 200, seconds=30)
        server.send("publish", run=live["run"], rate=50, seconds=4)
        cpu = server.cpu()
        opened = open_group(client, server, run_id, count, after=2)
        seen = client.ask("watch", name="main", seq=seq, seconds=40)
        cpu = server.cpu() - cpu
        server.answer()
        aside = other.answer()
    seconds = seen["last_at"] - opened["began"]
    name = f"{count:,} clients reconnect, {events:,} events back"
    wrong = seen["behind"] + seen["wrong"] + seen["repeated"]
    more = {"more": {"seen": seen, "live": aside, "server_cpu": cpu, "opened": opened["seconds"]}}
    full = count == 1_000
    report.add(SECTION, f"{name}: all have all", seconds, "s", 1.5 if full else None, **more)
    report.add(SECTION, f"{name}: bytes", seen["bytes"] / seconds / 1e9, "GB/s")
    report.add(SECTION, f"{name}: wrong or behind", wrong, "", 0)
    report.add(SECTION, f"{name}: live p99 beside it", aside["p99_ms"], "ms", 500.0)


def _lag(report: Report, count: int, seconds: float) -> None:
    """How late the loop is while many are served."""
    with our_server() as server, watchers() as client:
        made = server.ask("run")
        opened = open_group(client, server, made["run"], count)
        seen, _ = measure(server, client, made["run"], made["seq"], count, 10, seconds)
    more = {"more": {"p99_ms": seen.p99_ms, "missing": seen.missing, "opened_s": opened["seconds"]}}
    full = count == 10_000
    report.add(
        SECTION,
        f"{count:,} watchers × 10/s: loop lag p99",
        seen.lag_p99_ms,
        "ms",
        15.0 if full else None,
        **more,
    )
    report.add(SECTION, f"{count:,} watchers × 10/s: p99", seen.p99_ms, "ms")
    report.add(SECTION, f"{count:,} watchers × 10/s: wrong or missing", seen.missing + seen.wrong, "", 0)


def _memory(report: Report, count: int) -> None:
    """Resident bytes of the server process per idle watcher."""
    with our_server(DATABASE) as server, watchers() as client:
        run_id = server.ask("run")["run"]
        each = _per_watcher(server, client, run_id, count)
        report.add(SECTION, "memory per idle SSE watcher", each / 1024, "KiB", 12.0)
    with our_server(DATABASE) as server, watchers() as client:
        run_id = server.ask("run")["run"]
        path = f"/api/runs/{run_id}/ws?after=2"
        each = _per_watcher(server, client, run_id, count, mode="websocket", path=path)
        report.add(SECTION, "memory per idle WebSocket", each / 1024, "KiB", 20.0)
    with queue_server() as server, watchers() as client:
        run_id = server.ask("run")["run"]
        each = _per_watcher(server, client, run_id, count)
        report.add(SECTION, "memory per idle watcher of the queue design", each / 1024, "KiB")


def _per_watcher(server: ServerUnderTest, client: Child, run_id: str, count: int, **more: Any) -> float:
    open_group(client, server, run_id, WARM, group="warm", **more)
    time.sleep(SETTLE_SECONDS)
    before = server.rss()
    open_group(client, server, run_id, count, **more)
    time.sleep(SETTLE_SECONDS)
    return (server.rss() - before) / count
