"""The kind `generation`: many samples, several batches at once.

The declaration only; `job.py` is the loop and is imported by the child process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.spending import SPENDING
from pilothouse.sdk.kind import Column, Example, Kind, Metric
from pilothouse.sdk.panels import Counts, Curve, Distribution, Samples, Stats

COLUMNS = (
    Column("number", "Sample", "integer"),
    Column("verdict", "Verdict", filter=True),
    Column("topic", "Topic", filter=True),
    Column("difficulty", "Difficulty", filter=True),
    Column("type", "Type", filter=True),
    Column("model", "Model", filter=True),
    Column("words", "Words", "integer"),
    Column("tokens", "Tokens", "integer"),
    Column("tries", "Tries", "integer"),
    Column("replies", "Replies", "integer", shown=False),
    Column("unfit", "Replies of another form", "integer", shown=False),
    Column("reason", "Reason", shown=False),
    Column("duplicate_of", "Duplicate of", shown=False),
    Column("likeness", "Likeness", "percent", shown=False),
    Column("kept", "Kept", "boolean", shown=False),
    Column("text", "Text", shown=False),
    Column("sample", "Sample", "json", shown=False),
    *SPENDING,
    Column("fault", "Fault", shown=False),
)

METRICS = (
    Metric("kept", "Kept", "integer", "max"),
    Metric("rejected", "Rejected", "integer", "min"),
    Metric("duplicates", "Duplicates", "integer", "min"),
    Metric("failed", "Failed", "integer", "min"),
    Metric("valid", "Valid replies", "percent", "max"),
    Metric("tokens", "Tokens", "integer"),
    Metric("tokens_in", "Tokens in", "integer"),
    Metric("tokens_out", "Tokens out", "integer"),
    Metric("tokens_per_sample", "Tokens per sample", "number", "min"),
    Metric("tokens_per_second", "Tokens per second", "number", "max"),
    Metric("cost", "Cost", "money", "min"),
    Metric("cost_at_end", "Cost at the end", "money", "min"),
)

PANELS = (
    Stats("Summary", ("kept", "rejected", "duplicates", "failed", "valid")),
    Stats("Tokens and cost", ("tokens", "tokens_per_sample", "tokens_per_second", "cost", "cost_at_end")),
    Samples(
        "Newest samples",
        text=("text",),
        facts=("topic", "difficulty", "type", "model", "tokens"),
        verdict="verdict",
    ),
    Counts("Mix", by=("difficulty", "topic", "type", "verdict"), value="kept"),
    Curve("Kept over time", ("kept", "rejected", "duplicates", "failed")),
    Curve("Tokens over time", ("tokens",)),
    Curve("Cost over time", ("cost",)),
    Distribution("Length", value="words", format="integer", by="difficulty"),
)


def total(params: dict[str, Any]) -> int | None:
    """How many samples validated params ask for; None for an endless batch."""
    target: int | None = params["target"]
    return target


def examples() -> Sequence[Example]:
    """The example that ships in the package, whole and as a short one."""
    from pilothouse.kinds.generation.example import demo, quick

    return (
        Example("demo", "Legal questions and answers, offline model", demo()),
        Example("quick", "20 legal questions and answers", quick()),
    )


KIND = Kind(
    name="generation",
    title="Generation",
    prefix="batch",
    entry="pilothouse.kinds.generation.job:run",
    params=Params,
    summary="Many samples, several batches at once.",
    unit="sample",
    units="samples",
    phases=("Samples",),
    columns=COLUMNS,
    metrics=METRICS,
    panels=PANELS,
    headline="kept",
    live_params=("budget", "time_limit_seconds"),
    stuck_seconds=180.0,
    total=total,
    examples=examples,
)
