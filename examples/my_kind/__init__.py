"""The kind `my_kind`: how near is π? Darts are thrown at a square, and those within the circle are counted.

The declaration only; `job.py` does the work, in a process of its own.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk.kind import Column, Example, Kind, Metric
from pilothouse.sdk.panels import Curve, Distribution, Stats


class Params(BaseModel):
    """What a user fills in; the form, the checks and the messages are made of it."""

    model_config = ConfigDict(extra="forbid")

    batches: int = Field(
        default=40, ge=1, le=100_000, title="Batches", description="How often darts are thrown."
    )
    darts: int = Field(default=20_000, ge=1, le=10_000_000, title="Darts", description="Darts in one batch.")
    seed: int = Field(default=7, ge=0, title="Seed", description="The same seed throws the same darts.")
    wait_seconds: float = Field(
        default=0.1,
        ge=0,
        le=60,
        title="Wait",
        description="Seconds after each batch, so that there is something to watch. May be changed meanwhile.",
    )


def total(params: dict[str, Any]) -> int:
    """How many items validated params make."""
    return int(params["batches"])


KIND = Kind(
    name="my_kind",
    title="My kind",
    prefix="my_kind",
    entry="my_kind.job:run",
    params=Params,
    summary="Estimates π by throwing darts.",
    unit="batch",
    units="batches",
    columns=(
        Column("batch", "Batch", "integer"),
        Column("inside", "Inside", "integer"),
        Column("estimate", "Its own estimate"),
    ),
    metrics=(Metric("pi", "π so far"), Metric("error", "Distance from π", goal="min")),
    panels=(
        Stats("Result", ("pi", "error")),
        Curve("Nearer and nearer", ("pi",)),
        Distribution("Estimates of single batches", value="estimate"),
    ),
    headline="pi",
    live_params=("wait_seconds",),
    total=total,
    examples=lambda: (Example("quick", "Ten small batches", {"batches": 10, "darts": 1_000}),),
)
