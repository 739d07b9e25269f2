"""The built-in kinds keep what every kind promises."""

from __future__ import annotations

import sys

from pilothouse.llm import offline
from pilothouse.testing.kind_contract import KindContract

TRACKS = """
import sys, time
import pilothouse as ph

with ph.run("unused") as run:
    for number in run.track(range(12), key=str):
        time.sleep(float(sys.argv[1]))
"""


class TestBenchmark(KindContract):
    path = "pilothouse.kinds.benchmark:KIND"
    rare = frozenset({"evidence"})
    environment = {offline.VARIABLE: "3"}


class TestScript(KindContract):
    """A command that attaches itself, so that it has items."""

    path = "pilothouse.kinds.script:KIND"
    params = {"command": [sys.executable, "-c", TRACKS, "0.05"]}
    steered = {"command": [sys.executable, "-c", TRACKS, "0.3"]}


class TestGeneration(KindContract):
    path = "pilothouse.kinds.generation:KIND"
    rare = frozenset({"likeness"})


class TestSynthesis(KindContract):
    path = "pilothouse.kinds.synthesis:KIND"
    rare = frozenset({"epoch", "generator_loss", "critic_loss", "loss"})


class TestAutotune(KindContract):
    path = "pilothouse.kinds.autotune:KIND"
    rare = frozenset({"output", "slo_met", "pareto"})


class TestTraining(KindContract):
    """Checkpoints often, so that there are many items."""

    path = "pilothouse.kinds.training:KIND"
    rare = frozenset({"gpu_memory_allocated_gb"})
    steered = {
        "steps": 120,
        "save_steps": 1,
        "eval_steps": 60,
        "batch_size": 4,
        "offer_checkpoints": False,
    }
