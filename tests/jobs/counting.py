"""A kind for tests: squares numbers, one item each, and writes one line per execution to a file.

`speed` items a second; numbers in `bad` fail. The outside file is what proves
that no item is executed twice.
"""

from __future__ import annotations

import os
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.kind import Column, Kind, Metric
from pilothouse.sdk.panels import Stats


class Params(BaseModel):
    """What to count, how fast, and where to write it down."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=10, ge=0, le=100_000)
    speed: float = Field(default=100.0, gt=0)
    concurrency: int = Field(default=1, ge=1, le=64)
    bad: list[int] = Field(default_factory=list)
    ledger: str | None = None
    die_at: int | None = None
    die_always: bool = False
    stubborn: bool = False
    stuck_seconds: float | None = None


KIND = Kind(
    name="counting",
    title="Counting",
    prefix="count",
    entry="tests.jobs.counting:run",
    params=Params,
    summary="Squares numbers.",
    unit="number",
    units="numbers",
    columns=(Column("number", "Number", "integer"), Column("square", "Square", "integer")),
    metrics=(Metric("sum", "Sum", "integer"),),
    panels=(Stats("Numbers", ("sum",)),),
    headline="sum",
    live_params=("speed",),
    total=lambda params: int(params["count"]),
)


def run(run: RunHandle) -> None:
    """Square every number."""
    total = sum(done.data.get("square", 0) for done in run.finished())
    with run.phase("Count", 1, of=1):
        numbers = range(run.params["count"])
        for done in run.map(
            lambda number: square(run.params, number, run.attempt),
            numbers,
            key=str,
            concurrency=run.params["concurrency"],
            describe=lambda number: {"number": number},
        ):
            total += done.data.get("square", 0)
            run.metric(sum=total)


def square(params: dict[str, Any], number: int, attempt: int) -> dict[str, Any]:
    """One item."""
    if params["ledger"]:
        with open(params["ledger"], "a") as ledger:  # noqa: PTH123  append is atomic for short lines
            ledger.write(f"{number}\n")
    if number == params["die_at"] and (attempt == 1 or params["die_always"]):
        os.kill(os.getpid(), 9)
    end = time.monotonic() + 1 / params["speed"]
    while time.monotonic() < end:
        time.sleep(min(0.02, 1 / params["speed"]))
    if params["stubborn"]:
        time.sleep(3600)
    if number in params["bad"]:
        raise ValueError(f"{number} is bad")
    return {"square": number * number}
