"""The kind `benchmark`: which prompt and which model judges best.

The declaration only; `job.py` is the loop and is imported by the child process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.spending import SPENDING
from pilothouse.sdk.kind import Column, Example, Kind, Metric
from pilothouse.sdk.panels import Breakdown, Confusion, Distribution, Heatmap, Meter, Stats

COLUMNS = (
    Column("model", "Model", filter=True),
    Column("prompt", "Prompt", filter=True),
    Column("case", "Case", filter=True),
    Column("predicted", "Predicted", filter=True),
    Column("expected", "Expected", filter=True),
    Column("correct", "OK", "boolean", filter=True),
    Column("confidence", "Confidence", "percent", shown=False),
    Column("reasoning", "Reasoning", shown=False),
    Column("answer", "Answer", shown=False),
    Column("parse_error", "Parse error", filter=True, shown=False),
    Column("milliseconds", "Time", "milliseconds"),
    *SPENDING,
    Column("attempts", "Attempts", "integer", shown=False),
    Column("input", "Input", shown=False),
)

METRICS = (
    Metric("accuracy", "Accuracy", "percent", "max"),
    Metric("errors", "Errors", "integer", "min"),
    Metric("parse_rate", "Answers with a vote", "percent", "max"),
    Metric("precision", "Precision", "percent", "max"),
    Metric("recall", "Recall", "percent", "max"),
    Metric("f1", "F1", "percent", "max"),
    Metric("p50_ms", "Time p50", "milliseconds", "min"),
    Metric("p95_ms", "Time p95", "milliseconds", "min"),
    Metric("tokens", "Tokens", "integer"),
    Metric("cost", "Cost", "money", "min"),
    Metric("evidence", "Evidence", "percent"),
)

PANELS = (
    Stats("Summary", ("accuracy", "errors", "parse_rate", "f1", "p50_ms", "p95_ms", "tokens", "cost")),
    Heatmap("Accuracy by model and prompt", rows="model", columns="prompt", value="correct"),
    Confusion(
        "Confusion", truth="expected", predicted="predicted", correct="correct", by=("model", "prompt")
    ),
    Breakdown("Per case", by="case", value="correct", hardest_first=True),
    Meter("Enough evidence", metric="evidence", finish_param="stop_when_decided"),
    Distribution("Speed", value="milliseconds", format="milliseconds", by="model"),
)


def total(params: dict[str, Any]) -> int:
    """How many tests validated params make."""
    parts = (len(params[part]) for part in ("prompts", "cases", "models"))
    count = int(params.get("repeats", 1))
    for part in parts:
        count *= part
    return count


def examples() -> Sequence[Example]:
    """The example that ships in the package, whole and as a short one."""
    from pilothouse.kinds.benchmark.example import demo, quick

    return (
        Example("demo", "Code findings: 4 prompts, offline model", demo()),
        Example("quick", "20 code findings, 2 prompts", quick()),
    )


KIND = Kind(
    name="benchmark",
    title="Benchmark",
    prefix="bench",
    entry="pilothouse.kinds.benchmark.job:run",
    params=Params,
    summary="Which prompt and which model judges best.",
    unit="test",
    units="tests",
    phases=("Tests",),
    columns=COLUMNS,
    metrics=METRICS,
    panels=PANELS,
    headline="accuracy",
    live_params=("stop_when_decided", "budget"),
    stuck_seconds=180.0,
    total=total,
    examples=examples,
)
