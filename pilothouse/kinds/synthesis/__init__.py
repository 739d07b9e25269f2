"""The kind `synthesis`: a synthetic table that is useful and private.

The declaration only; `job.py` is imported by the child process, and what needs
torch by what it starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.kinds.synthesis.params import Params
from pilothouse.sdk.kind import Column, Example, Extra, Kind, Metric
from pilothouse.sdk.panels import Comparison, Correlations, Curve, Gauges, Plan, Stats

EXTRA = Extra("synth", ("torch", "scipy", "sklearn", "pyarrow"))
PHASES = ("Planned", "Prepare", "Training", "Metrics", "Backup", "Report")

COLUMNS = (
    Column("step", "Step", filter=True),
    Column("attempt", "Attempt", "integer", filter=True),
    Column("method", "Method", filter=True),
    Column("epoch", "Epoch", "integer"),
    Column("generator_loss", "Generator loss", "number"),
    Column("critic_loss", "Critic loss", "number"),
    Column("loss", "Loss", "number", shown=False),
    Column("ks_mean", "KS mean", "number"),
    Column("corr_delta", "Corr delta", "number"),
    Column("mia_auc", "MIA AUC", "number"),
    Column("dup_rate", "Dup rate", "percent"),
    Column("verdict", "Verdict", filter=True),
    Column("detail", "Detail"),
    Column("plan", "Plan", "json", shown=False),
    Column("columns", "Columns", "json", shown=False),
    Column("preview", "First rows", "json", shown=False),
    Column("fingerprint", "Fingerprint", shown=False),
    Column("comparison", "Comparison", "json", shown=False),
    Column("correlations", "Correlations", "json", shown=False),
    Column("kept", "Kept", "boolean", shown=False),
)

METRICS = (
    Metric("ks_mean", "KS mean", "number", "min", limit=0.10),
    Metric("corr_delta", "Corr delta", "number", "min", limit=0.10, warn=0.15),
    Metric("mia_auc", "MIA AUC", "number", "min", limit=0.60),
    Metric("dup_rate", "Dup rate", "percent", "min", limit=0.05),
    Metric("attempt", "Attempt", "integer"),
    Metric("epoch", "Epoch", "integer"),
    Metric("generator_loss", "Generator loss", "number"),
    Metric("critic_loss", "Critic loss", "number"),
    Metric("loss", "Loss", "number", "min"),
)

PANELS = (
    Gauges(
        "Utility and privacy",
        ("ks_mean", "corr_delta", "mia_auc", "dup_rate"),
        (("Utility", 2), ("Privacy", 2)),
        phase="Metrics",
    ),
    Plan(
        "Plan",
        value="plan",
        step="attempt",
        verdict="verdict",
        detail="detail",
        kept="kept",
        phase="Planned",
    ),
    Comparison("Real against synthetic", value="comparison", phase="Metrics"),
    Correlations("What holds columns together", value="correlations", phase="Metrics"),
    Stats("Training", ("attempt", "epoch", "generator_loss", "critic_loss", "loss")),
    Curve("Losses", ("generator_loss", "critic_loss", "loss")),
)


def examples() -> Sequence[Example]:
    """Tables that are at hand."""
    return (
        Example("demo", "Customers: 600 rows, planned by rules", {"example": "customers"}),
        Example(
            "quick", "Iris with a Gaussian copula", {"example": "iris", "method": "copula", "backups": 0}
        ),
    )


def total(params: dict[str, Any]) -> int | None:
    """How many steps the first attempt has; None while the plan decides.

    Beside its epochs: plan, prepare, table, metrics, report.
    """
    epochs = 1 if params["method"] == "copula" else params["epochs"]
    return None if epochs is None or params["method"] == "agent" else int(epochs) + 5


KIND = Kind(
    name="synthesis",
    title="Synthetic table",
    prefix="synth",
    entry="pilothouse.kinds.synthesis.job:run",
    params=Params,
    summary="Makes a synthetic table and measures whether it is useful and private.",
    unit="step",
    units="steps",
    phases=PHASES,
    columns=COLUMNS,
    metrics=METRICS,
    panels=PANELS,
    headline="ks_mean",
    stuck_seconds=600.0,
    total=total,
    examples=examples,
    extra=EXTRA,
)
