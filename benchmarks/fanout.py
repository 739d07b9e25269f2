"""One log to many watchers: ours against the queue design, every sequence number checked."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.processes import Child, ServerUnderTest, our_server, queue_server, watchers
from benchmarks.report import Report

DRAIN_SECONDS = 6.0
SECTION = "fan-out"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a number of watchers got of a rate of events.

    Attributes:
        wrong: Gaps, repeats, and pieces that differ from the log.
        missing: Deliveries that had not come when the time was over: late for ours, and
            for a server that drops events mostly lost.
    """

    watchers: int
    rate: float
    said: int
    delivered: int
    share: float
    delivered_per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    wakes_per_second: float
    server_cpu: float
    cores: float
    us_per_delivery: float
    missing: int
    wrong: int
    lag_p99_ms: float
    lag_max_ms: float
    client_cpu: float


def path_of(server: ServerUnderTest, run: str, after: int) -> str:
    """Where a run is streamed."""
    return f"/api/runs/{run}/events?after={after}" if server.token else f"/runs/{run}/stream"


def open_group(
    client: Child, server: ServerUnderTest, run: str, count: int, *, mode: str = "exact", **more: Any
) -> dict[str, Any]:
    """Connect watchers to a run's stream."""
    after = more.pop("after", 2)
    path = more.pop("path", path_of(server, run, after))
    chosen = mode if server.token or mode == "deaf" else "counting"
    return client.ask(
        "open", group=more.pop("group", "main"), count=count, port=server.port, token=server.token,
        path=path, after=after, mode=chosen,
    )  # fmt: skip


def measure(
    server: ServerUnderTest, client: Child, run: str, seq: int, count: int, rate: float, seconds: float
) -> tuple[Measured, int]:
    """Say events at a rate to an open group, and gather what came; also the log's new end."""
    server.ask("lag")
    said = round(rate * seconds)
    cpu, began = server.cpu(), time.monotonic()
    client.send("watch", name="main", seq=seq + said, seconds=seconds + DRAIN_SECONDS)
    published = server.ask("publish", run=run, rate=rate, seconds=seconds)
    seen = client.answer()
    cpu = server.cpu() - cpu
    lag = server.ask("lag")
    wall = max(seen["last_at"] - began, 1e-3)
    delivered = seen["delivered"]
    measured = Measured(
        watchers=count, rate=rate, said=said, delivered=delivered, share=delivered / (said * count),
        delivered_per_second=delivered / wall, p50_ms=seen["p50_ms"], p99_ms=seen["p99_ms"],
        max_ms=seen["max_ms"], wakes_per_second=seen["writes"] / wall, server_cpu=cpu, cores=cpu / wall,
        us_per_delivery=cpu / max(1, delivered) * 1e6, missing=said * count - delivered,
        wrong=seen["wrong"] + seen["repeated"], lag_p99_ms=lag["p99_ms"], lag_max_ms=lag["max_ms"],
        client_cpu=seen["client_cpu"],
    )  # fmt: skip
    return measured, int(published["seq"])


def matrix(
    server: ServerUnderTest, client: Child, counts: list[int], rates: list[float], seconds: float
) -> dict[tuple[int, float], Measured]:
    """Every number of watchers at every rate."""
    results: dict[tuple[int, float], Measured] = {}
    for count in counts:
        made = server.ask("run")
        run, seq = made["run"], made["seq"]
        opened = open_group(client, server, run, count)
        if opened["opened"] < count and server.token:
            raise RuntimeError(f"{opened['opened']} of {count} watchers got a stream")
        if opened["opened"] < count:
            break  # more than the baseline can take
        for rate in rates:
            results[count, rate], seq = measure(server, client, run, seq, count, rate, seconds)
        client.ask("close", name="main")
    return results


def run(report: Report) -> None:
    """Measure ours and the baseline, and compare."""
    counts = [100, 1_000] if report.quick else [100, 1_000, 5_000]
    rates = [10.0, 1_000.0] if report.quick else [10.0, 100.0, 1_000.0]
    seconds = 2.0 if report.quick else 5.0
    with our_server() as server, watchers() as client:
        ours = matrix(server, client, counts, rates, seconds)
    with queue_server() as server, watchers() as client:
        theirs = matrix(server, client, [1_000] if report.quick else counts, rates, seconds)
    for key in ours:
        _tell(report, ours[key], theirs.get(key))


def _tell(report: Report, ours: Measured, theirs: Measured | None) -> None:
    name = f"{ours.watchers:,} watchers × {ours.rate:,.0f}/s"
    more = {"more": {"ours": asdict(ours), "queue": asdict(theirs) if theirs else None}}
    goal = {(1_000, 1_000): 950_000.0, (5_000, 1_000): 4_500_000.0}.get((ours.watchers, int(ours.rate)))
    report.add(SECTION, f"{name}: delivered", ours.delivered_per_second, "/s", goal, "least", **more)
    report.add(SECTION, f"{name}: gaps, repeats, wrong bytes", ours.wrong, "", 0)
    report.add(SECTION, f"{name}: still to come when the time was over", (1 - ours.share) * 100, "%", 0)
    busy = (ours.watchers, ours.rate) == (1_000, 1_000)
    report.add(SECTION, f"{name}: p99", ours.p99_ms, "ms", 100.0 if busy else None)
    report.add(SECTION, f"{name}: server CPU", ours.cores, "cores", 0.35 if busy else None)
    report.add(SECTION, f"{name}: CPU per delivery", ours.us_per_delivery, "µs")
    report.add(SECTION, f"{name}: writes", ours.wakes_per_second, "/s")
    report.add(SECTION, f"{name}: loop lag p99", ours.lag_p99_ms, "ms")
    if theirs is None:
        return
    report.add(SECTION, f"{name}: queue design, not delivered", (1 - theirs.share) * 100, "%")
    report.add(SECTION, f"{name}: queue design p99", theirs.p99_ms, "ms")
    times = ours.delivered_per_second / max(1.0, theirs.delivered_per_second)
    report.add(SECTION, f"{name}: deliveries, ours : queue", times, "×", 50.0 if busy else None, "least")
    cheaper = theirs.us_per_delivery / ours.us_per_delivery
    calm = (ours.watchers, ours.rate) == (1_000, 10)
    report.add(
        SECTION, f"{name}: CPU per delivery, queue : ours", cheaper, "×", 8.0 if calm else None, "least"
    )
