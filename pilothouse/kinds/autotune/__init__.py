"""The kind `autotune`: the fastest settings of an inference server.

The declaration only; `job.py` is the loop and is imported by the child process.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilothouse.kinds.autotune.params import Params, total
from pilothouse.sdk.kind import Column, Example, Kind, Metric
from pilothouse.sdk.panels import (
    BestSoFar,
    Curve,
    Distribution,
    Importances,
    ParallelCoordinates,
    Pareto,
    Stats,
)

COLUMNS = (
    Column("number", "Experiment", "integer", shown=False),
    Column("outcome", "Outcome", filter=True),
    Column("point", "Settings"),
    Column("score", "Score", "number"),
    Column("tokens_per_second", "Tokens/s", "number"),
    Column("ttft_p95_ms", "First token p95", "milliseconds"),
    Column("tpot_p95_ms", "Per token p95", "milliseconds"),
    Column("latency_p95_ms", "Latency p95", "milliseconds"),
    Column("slo_met", "Promises kept", "boolean", filter=True),
    Column("difference", "Against the best"),
    Column("reason", "Reason", filter=True),
    Column("error_rate", "Errors", "percent", shown=False),
    Column("goodput", "Goodput", "number", shown=False),
    Column("requests_per_second", "Requests/s", "number", shown=False),
    Column("ttft_p50_ms", "First token p50", "milliseconds", shown=False),
    Column("ttft_p99_ms", "First token p99", "milliseconds", shown=False),
    Column("tpot_p50_ms", "Per token p50", "milliseconds", shown=False),
    Column("tpot_p99_ms", "Per token p99", "milliseconds", shown=False),
    Column("latency_p50_ms", "Latency p50", "milliseconds", shown=False),
    Column("latency_p99_ms", "Latency p99", "milliseconds", shown=False),
    Column("requests", "Requests", "integer", shown=False),
    Column("errors", "Failed requests", "integer", shown=False),
    Column("tokens", "Tokens", "integer", shown=False),
    Column("tokens_estimated", "Tokens estimated from chunks", "boolean", shown=False),
    Column("deploy_seconds", "Start of the server", "seconds", shown=False),
    Column("benchmark_seconds", "Measured for", "seconds", shown=False),
    Column("scores", "Scores", "json", shown=False),
    Column("params", "Parameters", "json", shown=False),
    Column("levels", "By concurrency", "json", shown=False),
    Column("basis", "Measured as", shown=False),
    Column("output", "Last lines of the server", shown=False),
)
METRICS = (
    Metric("best_score", "Best score, low is good", "number", "min"),
    Metric("score", "Score", "number", "min"),
    Metric("failed", "Failed", "integer", "min"),
    Metric("slo_met", "Kept all promises", "integer", "max"),
    Metric("pareto", "Not beaten", "integer"),
    Metric("load/experiment", "Experiment", "integer"),
    Metric("load/requests", "Requests", "integer"),
    Metric("load/of", "of", "integer"),
    Metric("load/concurrency", "Side by side", "integer"),
    Metric("load/errors", "Failed requests", "integer", "min"),
    Metric("load/tokens_per_second", "Tokens/s now", "number", "max"),
)

PANELS = (
    Stats(
        "Summary",
        ("best_score", "slo_met", "failed", "load/experiment", "load/requests", "load/tokens_per_second"),
    ),
    BestSoFar("Best so far", value="score", goal="min"),
    Pareto(
        "Throughput against latency",
        axes=(
            ("tokens_per_second", "max"),
            ("latency_p95_ms", "min"),
            ("ttft_p95_ms", "min"),
            ("tpot_p95_ms", "min"),
            ("goodput", "max"),
        ),
        best="slo_met",
        score="score",
    ),
    Importances("What matters", prefix="importance/"),
    ParallelCoordinates("Settings and score", fields=("param_*", "score"), value="score", goal="min"),
    Distribution("Latency", value="latency_p95_ms", format="milliseconds", by="outcome"),
    Curve("Load", metrics=("load/tokens_per_second",)),
)


def examples() -> Sequence[Example]:
    """Studies of the offline model's server, whole and short."""
    order = {"name": "order", "type": "grid", "values": [1, 2, 3]}
    load = {"concurrencies": [1, 4], "requests": 12, "warmup": 2, "max_tokens": 48}
    return (
        Example(
            "demo",
            "The offline model's server: 12 settings",
            {
                "target": {"server": "offline"},
                "space": [order, {"name": "max-batch", "type": "grid", "values": [1, 2, 4, 8]}],
                "strategy": "grid",
                "objectives": ["latency"],
                "slo": [{"metric": "ttft_p95_ms", "limit": 2000}],
                "load": load,
            },
        ),
        Example(
            "quick",
            "The offline model's server: 3 settings",
            {
                "target": {"server": "offline"},
                "space": [order],
                "strategy": "grid",
                "load": {"concurrencies": [2], "requests": 8, "warmup": 1, "max_tokens": 24},
            },
        ),
    )


KIND = Kind(
    name="autotune",
    title="Autotune",
    prefix="task",
    entry="pilothouse.kinds.autotune.job:run",
    params=Params,
    summary="The fastest settings of an inference server.",
    unit="experiment",
    units="experiments",
    phases=("Deploy", "Warm-up", "Benchmark"),
    phases_of_items=True,
    columns=COLUMNS,
    metrics=METRICS,
    panels=PANELS,
    headline="best_score",
    live_params=("experiments",),
    stuck_seconds=600.0,
    total=total,
    examples=examples,
)
