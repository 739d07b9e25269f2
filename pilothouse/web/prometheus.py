"""`GET /metrics`: what operators want to see, in Prometheus' text format, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pilothouse.contracts import RunQuery
from pilothouse.model.run import Status
from pilothouse.web.context import Context, Ctx

router = APIRouter()


class _Reading(Collector):
    """One reading of a server, in the form the library writes."""

    def __init__(self, context: Context, runs: dict[str, int]) -> None:
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


@router.get("/metrics")
async def metrics(context: Ctx) -> Response:
    """Runs by status, watchers, tails and hosts of this server."""
    runs = {}
    for status in Status:
        runs[str(status)] = (await context.store.list(RunQuery(statuses=(status,), limit=1))).total
    registry = CollectorRegistry()
    registry.register(_Reading(context, runs))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
