"""The steps of the demo, declared.

What the core can do starts at once on the offline model. What needs machine
learning waits for its packages, and what asks the trained model waits for that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from pilothouse.cli.demo import tickets
from pilothouse.cli.demo.plan import Runs, Step
from pilothouse.kinds.autotune.command import HOST, beside
from pilothouse.kinds.autotune.server import free_port

EXTRAS = ("synth", "tune", "train")
TORCH = "torch==2.13.0"  # a build for the processor, where there is one; others may bring gigabytes
FOR_EVER = 7 * 86_400.0
VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_EXTRA = re.compile(r"""extra\s*==\s*["'](\w+)["']""")
Params = dict[str, Any]
Kinds = Sequence[Mapping[str, Any]]


def missing(kinds: Kinds) -> list[Mapping[str, Any]]:
    """The kinds whose packages are not here."""
    return [kind for kind in kinds if kind["extra"] and kind["extra"]["missing"]]


def examples(kinds: Kinds) -> list[Step]:
    """The example of each kind that can start here and now."""
    able = [kind for kind in kinds if kind not in missing(kinds)]
    demos = [(kind["name"], each) for kind in able for each in kind["examples"] if each["name"] == "demo"]
    return [Step(name, name, demo["title"], _always(demo["params"])) for name, demo in demos]


def everything(kinds: Kinds, data: Path) -> list[Step]:
    """Train a model, serve it, and let the other kinds work with it.

    Args:
        kinds: The server's declarations; they tell whether packages must be installed first.
        data: The data folder, absolute.
    """
    core = [step for step in examples(kinds) if step.kind in ("benchmark", "generation", "autotune")]
    packages = [install()] if missing(kinds) else []
    return [*core, *packages, *Model(data).steps(tuple(step.name for step in packages))]


def titles(kinds: Kinds, data: Path) -> set[tuple[str, str]]:
    """Kind and title of every run that a demo may have made, whatever was installed then."""
    demos = {
        (kind["name"], each["title"]) for kind in kinds for each in kind["examples"] if each["name"] == "demo"
    }
    return demos | {(step.kind, step.title) for step in [install(), *Model(data).steps(())]}


def install() -> Step:
    """The packages for machine learning."""
    command = [sys.executable, "-m", "pilothouse.cli.demo.install", TORCH, *requirements(EXTRAS)]
    params = {"command": command, "restart": True}
    return Step("packages", "script", "Install torch, transformers and more", _always(params))


def requirements(extras: Sequence[str]) -> list[str]:
    """What these extras of the package bring, as pip takes it, none twice."""
    found = []
    for line in requires("pilothouse") or ():
        requirement, _, marker = line.partition(";")
        match = _EXTRA.search(marker)
        if match and match[1] in extras:
            found.append(requirement.strip())
    return list(dict.fromkeys(found))


class Model:
    """A model of 0.3 million weights: trained, served, and asked.

    Args:
        data: The data folder, absolute.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._url = f"http://{HOST}:{free_port()}"

    def steps(self, first: tuple[str, ...]) -> list[Step]:
        """What happens with it, and beside it.

        Args:
            first: Steps that must have ended well before.
        """
        health = f"{self._url}/health"
        table = _always({"example": "customers"})
        return [
            Step("train", "training", "A small model learns support tickets", self._train, first),
            Step("table", "synthesis", "A synthetic table of customers", table, first, ("train",)),
            Step("serve", "script", "Serve the trained model", self._serve, ("train",), answers=health),
            Step(
                "refine",
                "training",
                "The trained model learns on (LoRA)",
                self._refine,
                ("train",),
                ("serve",),
            ),
            Step("judge", "benchmark", "Who takes a ticket? Three ways to ask", self._judge, ("serve",)),
            Step("write", "generation", "Tickets that the trained model writes", self._write, ("serve",)),
            Step(
                "tune", "autotune", "The trained model's server: batching on or off", self._tune, ("serve",)
            ),
        ]

    def _folder(self, runs: Runs) -> str:
        return str(self._data / "runs" / runs["train"] / "model")

    def _train(self, runs: Runs) -> Params:
        return {
            "dataset": str(tickets.write_dataset(self._data / "demo" / "tickets.jsonl")),
            "steps": 300,
            "batch_size": 16,
            "learning_rate": 4e-3,
            "max_length": 512,
            "logging_steps": 5,
            "eval_steps": 25,
            "save_steps": 100,
        }

    def _refine(self, runs: Runs) -> Params:
        lora = {"model": self._folder(runs), "method": "lora", "learning_rate": 1e-3, "threads": 1}
        lora |= {"steps": 80, "eval_steps": 20, "save_steps": 40}
        return self._train(runs) | lora

    def _serve(self, runs: Runs) -> Params:
        port = self._url.rpartition(":")[2]
        command = [beside("transformers"), "serve", self._folder(runs), "--host", HOST, "--port", port]
        return {"command": command, "environment": VARIABLES, "stuck_seconds": FOR_EVER}

    def _judge(self, runs: Runs) -> Params:
        return tickets.benchmark(self._endpoint(runs))

    def _write(self, runs: Runs) -> Params:
        return tickets.generation(self._endpoint(runs))

    def _tune(self, runs: Runs) -> Params:
        flags = {"cb-num-blocks": 256}
        server = {
            "server": "transformers",
            "model": self._folder(runs),
            "flags": flags,
            "environment": VARIABLES,
        }
        return {
            "target": server,
            "space": [{"name": "continuous-batching", "type": "categorical", "values": [False, True]}],
            "strategy": "grid",
            "objectives": ["throughput"],
            "load": {"concurrencies": [1, 4], "requests": 12, "warmup": 2, "max_tokens": 24},
        }

    def _endpoint(self, runs: Runs) -> Params:
        return {"name": "trained", "base_url": f"{self._url}/v1", "model": self._folder(runs)}


def _always(params: Params) -> Callable[[Runs], Params]:
    return lambda runs: params
