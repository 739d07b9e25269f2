"""A kind for tests of the page: it declares every panel of the vocabulary and feeds all of them.

Each item is one trial of a small search. `count` 0 leaves every panel empty.
Numbers come from a seeded generator, so two runs show the same.
"""

from __future__ import annotations

import math
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pilothouse.sdk import panels as draw
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.kind import Column, Extra, Keep, Kind, Metric

MODELS = ("small", "large")
TOPICS = ("contract law", "tort law", "criminal law", "family law", "tax law", "property law")
LEVELS = ("easy", "medium", "hard")
CHECKPOINT_EVERY = 10
GB = 1_000_000_000


class Params(BaseModel):
    """How many trials, how fast, and which table."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=30, ge=0, le=5_000, title="Trials")
    pause_seconds: float = Field(
        default=0.0, ge=0, title="Pause after each", json_schema_extra={"x-unit": "s"}
    )
    wait_seconds: float = Field(
        default=0.0, ge=0, title="Pause at the end", json_schema_extra={"x-unit": "s"}
    )
    rows: list[dict[str, Any]] = Field(
        default_factory=list,
        title="Table",
        description="CSV, JSON or JSONL.",
        json_schema_extra={"format": "table", "default": []},
    )
    limit: float = Field(
        default=220.0, title="Latency limit", json_schema_extra={"x-group": "limits", "x-unit": "ms"}
    )


PANELS = (
    draw.Gauges(
        "Utility and privacy",
        ("ks_mean", "corr_delta", "mia_auc", "duplicates"),
        (("Utility", 2), ("Privacy", 2)),
        phase="Metrics",
    ),
    draw.Stats("Numbers", ("loss", "eval_loss")),
    draw.Comparison("Real and synthetic", value="columns", phase="Metrics"),
    draw.Correlations("Held together", value="ties", phase="Metrics"),
    draw.Plan(
        "The plan", value="plan", step="attempt", verdict="word", detail="why", kept="kept", phase="Plan"
    ),
    draw.BestSoFar("Best so far", value="score"),
    draw.Pareto("Trade-off", (("throughput", "max"), ("p95_ms", "min"), ("score", "min")), best="in_limit"),
    draw.ParallelCoordinates("Settings and score", ("param_*", "score"), value="score"),
    draw.Importances("What matters", prefix="importance/"),
    draw.Counts("Mix", ("topic", "level"), value="in_limit"),
    draw.Samples("Samples", ("question", "answer"), facts=("topic", "level", "p95_ms"), verdict="verdict"),
    draw.Curve("Loss", ("loss", "eval_loss")),
    draw.Checkpoints("Checkpoints", prefix="checkpoints/", metric="eval_loss"),
    draw.Hardware("Hardware"),
    draw.Heatmap("Within the limit", rows="model", columns="level", value="in_limit"),
    draw.Confusion("Confusion", truth="level", predicted="guess", correct="in_limit", by=("model",)),
    draw.Breakdown("By topic", by="topic", value="in_limit"),
    draw.Distribution("Latency", value="p95_ms", format="milliseconds", by="model"),
    draw.Meter("Enough evidence", metric="evidence"),
)

KIND = Kind(
    name="gallery",
    title="Gallery",
    prefix="gallery",
    entry="tests.jobs.gallery:run",
    params=Params,
    summary="Shows every panel.",
    unit="trial",
    units="trials",
    phases=("Plan", "Search", "Metrics"),
    columns=(
        Column("model", "Model", filter=True),
        Column("topic", "Topic", filter=True),
        Column("level", "Level"),
        Column("score", "Score", "number"),
        Column("throughput", "Throughput tok/s", "integer"),
        Column("p95_ms", "P95 latency", "milliseconds"),
        Column("in_limit", "In the limit", "boolean"),
        Column("param_tp", "tp", "integer", shown=False),
        Column("param_batch", "batch", "integer", shown=False),
    ),
    metrics=(
        Metric("ks_mean", "KS mean", goal="min", limit=0.10),
        Metric("corr_delta", "Corr delta", goal="min", limit=0.10, warn=0.15),
        Metric("mia_auc", "MIA AUC", goal="min", limit=0.60),
        Metric("duplicates", "Duplicates", "percent", goal="min", limit=0.05),
        Metric("loss", "Loss", goal="min"),
        Metric("eval_loss", "Eval loss", goal="min"),
        Metric("evidence", "Evidence", "percent"),
    ),
    panels=PANELS,
    keep=(Keep("checkpoints/", newest=2, metric="eval_loss"),),
    headline="eval_loss",
    total=lambda params: int(params["count"]),
    extra=Extra("train", ("json", "a_module_that_nobody_has")),
)


def run(run: RunHandle) -> None:
    """Search, save checkpoints on the way, measure at the end."""
    with run.phase("Plan", 1, of=3):
        run.note("planned", f"{run.params['count']} trials.")
    with run.phase("Search", 2, of=3), tempfile.TemporaryDirectory() as folder:
        for done in run.map(lambda number: trial(run.params, number), range(run.params["count"]), key=str):
            step = int(done.key) + 1
            watch(run, step)
            if step % CHECKPOINT_EVERY == 0:
                save(run, Path(folder), step)
        notes = Path(folder) / "notes.txt"
        notes.write_text("what a reader looks for\n")
        run.artifact(notes)
    if run.params["count"]:
        with run.phase("Metrics", 3, of=3):
            measure(run)
    time.sleep(run.params["wait_seconds"])


def trial(params: dict[str, Any], number: int) -> dict[str, Any]:
    """One item: a point of the search, and a text."""
    time.sleep(params["pause_seconds"])
    chance = random.Random(number)
    if chance.random() < 0.07:
        raise MemoryError("the server did not become healthy: out of memory")
    tp, batch = chance.choice((1, 2, 4, 8)), chance.choice((32, 64, 128, 256, 512))
    kernel = chance.choice(("flash", "paged", "eager"))
    score = 2.2 + abs(math.log2(tp) - 1) * 0.5 + abs(math.log2(batch) - 8) * 0.3
    score += (kernel == "eager") * 0.8 + chance.random() * 0.3
    latency = 60 + 45 * score + chance.random() * 30
    topic, level = chance.choice(TOPICS), chance.choice(LEVELS)
    verdict = chance.choice(("kept", "kept", "kept", "rejected: too short", "duplicate of 3"))
    return {
        "model": chance.choice(MODELS),
        "param_tp": tp,
        "param_batch": batch,
        "param_memory": round(0.5 + chance.random() * 0.45, 2),
        "param_kernel": kernel,
        "score": round(score, 3),
        "throughput": round(3000 / score + chance.random() * 200),
        "p95_ms": round(latency, 1),
        "in_limit": latency <= params["limit"],
        "topic": topic,
        "level": level,
        "guess": level if chance.random() < 0.8 else chance.choice(LEVELS),
        "verdict": verdict,
        "question": f"Q: A case of {topic}, {level}. Who bears the loss when the goods perish before delivery?",
        "answer": "A: The seller bears it until the goods are delivered, <b>unless</b> the parties agreed otherwise. "
        + "The risk passes with possession and not with title. " * chance.randint(1, 6),
    } | (measured(chance) if number % 15 == 14 else {})


def measured(chance: random.Random) -> dict[str, Any]:
    """What a trial tells that was measured: distributions, ties, and a plan whose first step is red."""
    steps = [
        {"title": "conditional GAN", "settings": {"epochs": 150, "batch size": 60}},
        {"title": "Gaussian copula", "settings": {}},
        {"title": "variational autoencoder", "settings": {"epochs": 150}},
    ]
    why = (
        "600 rows with 5 numeric and 4 categorical columns: enough for a network that can hold both together."
    )
    return {
        "columns": columns(chance),
        "ties": ties(chance),
        "plan": {"steps": steps, "rationale": why, "by": "rules"},
        "attempt": 1,
        "word": "fail",
        "why": "KS mean 0.226 (fail) · correlation delta 0.112 (warn)",
    }


def ties(chance: random.Random) -> dict[str, Any]:
    """Correlations of some columns, real and a bit off."""
    names = ["age", "bmi", "smoker", "region", "children", "charges", "a very long name of a column"]
    real, made = ([[float(row == at) for at in range(len(names))] for row in range(len(names))] for _ in "ab")
    for row in range(len(names)):
        for at in range(row):
            tie = round(chance.uniform(-1, 1), 3)
            real[row][at] = real[at][row] = tie
            made[row][at] = made[at][row] = round(tie * chance.uniform(0.3, 1), 3)
    return {"columns": names, "real": real, "synthetic": made}


def columns(chance: random.Random) -> list[dict[str, Any]]:
    """Two distributions for each of some columns."""
    bins = [str(low) for low in range(18, 90, 6)]
    return [
        pair(chance, "age", bins, 41.2, 40.8),
        pair(chance, "bmi", [str(low) for low in range(16, 46, 2)], 27.9, 28.4),
        pair(chance, "smoker", ["no", "yes"]),
        pair(chance, "region", ["north-east", "north-west", "south-east", "south-west", "abroad"]),
        pair(chance, "children", ["0", "1", "2", "3", "4", "5+"], 1.1, 1.2),
    ]


def pair(chance: random.Random, name: str, labels: list[str], *means: float) -> dict[str, Any]:
    """One column: a bell of real shares, and one that is a bit off."""
    middle, width = len(labels) / 2.4, max(1.0, len(labels) / 4)
    real = [math.exp(-(((at - middle) / width) ** 2)) for at in range(len(labels))]
    made = [share * (0.7 + 0.6 * chance.random()) for share in real]
    real, made = ([share / sum(each) for share in each] for each in (real, made))
    gap = max(abs(sum(real[:at]) - sum(made[:at])) for at in range(1, len(labels) + 1))
    extra = {"real_mean": means[0], "synthetic_mean": means[1]} if means else {}
    return {
        "column": name,
        "ks": round(gap, 4),
        "labels": labels,
        "real": [round(share, 4) for share in real],
        "synthetic": [round(share, 4) for share in made],
        "real_missing": 0.02,
        "synthetic_missing": 0.018,
        **extra,
    }


def watch(run: RunHandle, step: int) -> None:
    """The numbers of one step."""
    chance = random.Random(step)
    loss = 3 * math.exp(-step / 12) + 0.2 + chance.random() * 0.1
    run.metric(step=step, loss=loss, evidence=min(1.0, step / 60))
    if step % 5 == 0:
        run.metric(step=step, eval_loss=loss * 1.05 + (0.02 * max(0, step - 20)))
        importance = {"batch": 0.61, "tp": 0.22, "kernel": 0.14, "memory": 0.03}
        run.metric(step=step, **{f"importance/{name}": share for name, share in importance.items()})
    run.metric(
        step=step,
        **{
            "system/cpu_percent": 40 + 40 * chance.random(),
            "system/memory_bytes": 2.1 * GB + step * 10_000_000,
            "system/memory_total_bytes": 16 * GB,
            "system/gpu0_percent": 80 + 19 * chance.random(),
            "system/gpu0_memory_bytes": 18.5 * GB,
            "system/gpu0_memory_total_bytes": 24 * GB,
            "system/gpu0_power_watts": 300 + 20 * chance.random(),
            "system/gpu0_celsius": 66 + step / 2,
        },
    )


def save(run: RunHandle, folder: Path, step: int) -> None:
    """A checkpoint file."""
    path = folder / f"step-{step}.bin"
    path.write_bytes(bytes(40_000 + step))
    run.artifact(path, name=f"checkpoints/{path.name}")


def measure(run: RunHandle) -> None:
    """The gauges: two pass, one warns, one fails."""
    run.metric(ks_mean=0.081, corr_delta=0.112, mia_auc=0.71, duplicates=0.004)
