"""`GET /metrics`: what operators want to see, in Prometheus' text format, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from pilothouse.engine.traffic import BOUNDS, Traffic
from pilothouse.model.run import Status
from pilothouse.web.context import Context, Ctx
from pilothouse.web.session import runs_by_status

router = APIRouter()


class _Reading(Collector):
    """One reading of a server, in the form the library writes."""

    def __init__(self, context: Context, runs: Mapping[Status, int]) -> None:
        self._context = context
        self._runs = runs

    def collect(self) -> Iterator[Metric]:
        """The families."""
        runs = GaugeMetricFamily("pilothouse_runs", "Runs by status.", labels=["status"])
        for status, count in self._runs.items():
            runs.add_metric([status], count)
        yield runs
        tails = self._context.tails.all
        yield GaugeMetricFamily(
            "pilothouse_watchers", "Watchers of single runs.", sum(t.watchers for t in tails)
        )
        yield GaugeMetricFamily("pilothouse_tails", "Logs held in memory for watchers.", len(tails))
        yield GaugeMetricFamily("pilothouse_hosts", "Hosts heard of.", len(self._context.scheduler.hosts))
        yield CounterMetricFamily(
            "pilothouse_fleet_changes",
            "Run headers sent to the browsers' streams.",
            self._context.fleet.version,
        )
        yield from _outgoing(self._context.tails.traffic)


def _outgoing(traffic: Traffic) -> Iterator[Metric]:
    """What goes out to watchers, and how soon."""
    yield GaugeMetricFamily("pilothouse_browsers", "Browsers' streams that are open.", traffic.browsers)
    yield CounterMetricFamily("pilothouse_events", "Events of watched runs.", traffic.events)
    yield CounterMetricFamily(
        "pilothouse_deliveries", "The same, once for each watcher of the run.", traffic.deliveries
    )
    bounds = [*map(str, BOUNDS), "+Inf"]
    counts = list(accumulate(traffic.delay_counts))
    yield HistogramMetricFamily(
        "pilothouse_delivery_seconds",
        "From an event's append until its run's waiting watchers were written to.",
        list(zip(bounds, counts, strict=True)),
        traffic.delay_seconds,
    )


@router.get("/metrics")
async def metrics(context: Ctx) -> Response:
    """Runs by status, watchers, tails and hosts of this server; events out and their delay."""
    registry = CollectorRegistry()
    registry.register(_Reading(context, await runs_by_status(context)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
