"""The kind `training`: fine-tune a language model, watch and steer it.

The declaration only; `job.py` is the loop and is imported by the child process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.kinds.training.params import Params
from pilothouse.sdk.kind import Column, Example, Extra, Keep, Kind, Metric
from pilothouse.sdk.panels import Checkpoints, Curve, Hardware, Samples, Stats

COLUMNS = (
    Column("steps", "Steps"),
    Column("loss", "Loss", "number"),
    Column("eval_loss", "Eval loss", "number"),
    Column("is_best", "Best so far", "boolean"),
    Column("learning_rate", "Learning rate", "number"),
    Column("grad_norm", "Gradient norm", "number", shown=False),
    Column("epoch", "Epoch", "number"),
    Column("tokens", "Tokens so far", "integer", shown=False),
    Column("prompt", "Prompt", shown=False),
    Column("output", "The model says", shown=False),
    Column("expected", "Expected", shown=False),
    Column("checkpoint", "Checkpoint"),
    Column("place", "Place", shown=False),
    Column("step", "Step", "integer", shown=False),
)

METRICS = (
    Metric("loss", "Loss", "number", "min"),
    Metric("eval_loss", "Eval loss", "number", "min"),
    Metric("best_eval_loss", "Best eval loss", "number", "min"),
    Metric("learning_rate", "Learning rate", "number"),
    Metric("grad_norm", "Gradient norm", "number"),
    Metric("samples_per_second", "Samples/s", "number", "max"),
    Metric("tokens_per_second", "Tokens/s", "number", "max"),
    Metric("epoch", "Epoch", "number"),
    Metric("total_epochs", "Epochs in all", "integer"),
    Metric("gpu_memory_allocated_gb", "GPU memory (GB)", "number"),
)

PANELS = (
    Stats(
        "Summary", ("loss", "eval_loss", "best_eval_loss", "epoch", "samples_per_second", "tokens_per_second")
    ),
    Curve("Loss", ("loss", "eval_loss")),
    Curve("Learning rate", ("learning_rate",)),
    Curve("Gradient norm", ("grad_norm",)),
    Samples("Sample outputs", text=("prompt", "output", "expected"), facts=("steps", "eval_loss")),
    Checkpoints("Checkpoints", prefix="checkpoints/", metric="eval_loss", goal="min"),
    Hardware("Hardware"),
)


def total(params: dict[str, Any]) -> int | None:
    """The steps, where the params say them; epochs need the dataset."""
    return params.get("steps") if params.get("mode", "train") == "train" else None


def examples() -> Sequence[Example]:
    """A model from nothing on generated tickets: no download, no GPU."""
    demo = {"steps": 120, "batch_size": 16, "learning_rate": 3e-3, "save_steps": 20, "eval_steps": 20}
    return (
        Example("demo", "Support tickets: a 0.3 M-parameter model from scratch", demo),
        Example("quick", "20 steps to see how it works", {"steps": 20, "save_steps": 5, "eval_steps": 5}),
    )


KIND = Kind(
    name="training",
    title="Training",
    prefix="job",
    entry="pilothouse.kinds.training.job:run",
    params=Params,
    summary="Fine-tunes a language model.",
    unit="step",
    units="steps",
    phases=("Prepare", "Train", "Save"),
    columns=COLUMNS,
    metrics=METRICS,
    panels=PANELS,
    headline="loss",
    live_params=("learning_rate",),
    stuck_seconds=600.0,
    total=total,
    examples=examples,
    extra=Extra("train", ("torch", "transformers", "accelerate", "peft")),
    ends_at="step",
    keep=(Keep("checkpoints/", newest=3, metric="eval_loss"),),
)
