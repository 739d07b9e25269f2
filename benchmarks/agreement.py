"""Whether autotune's load generator measures what others measure of the same server.

Both methods take turns in short rounds, and what is compared is the median of the
rounds' ratios, so that whatever else the machine does falls on both. The second one is
`plain_client.py`, a process for each request side by side; the third is what the server
itself counts, where it does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import httpx2

from benchmarks.processes import Child
from benchmarks.report import Report
from pilothouse.kinds.autotune.command import argv, variables
from pilothouse.kinds.autotune.load import Generator
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.parts import Load
from pilothouse.kinds.autotune.server import Server, free_port, wait_until_healthy
from pilothouse.kinds.autotune.space import Point

SECTION = "autotune"
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "autotune"
CONCURRENCIES = (1, 4)
EACH = 3  # requests of a round, for each that is side by side
GOAL = 0.10
PROMPT = "Tell me about sql queries."


@dataclass(frozen=True, slots=True)
class Figures:
    """One method's figures of one round: seconds, and tokens a second of all that is side by side."""

    ttft: float
    tpot: float
    throughput: float


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs.

    Attributes:
        first: Tells the requests that the server counted, and the seconds to their first tokens; None: it
            does not count.
    """

    name: str
    url: str
    model: str
    max_tokens: int
    first: Callable[[], tuple[float, float]] | None = None


def run(report: Report) -> None:
    """How far each figure is from the other method's, in per cent."""
    rounds = 8 if report.quick else 32
    servers = [stamping, offline]
    if all(importlib.util.find_spec(name) for name in ("torch", "transformers", "tokenizers")):
        servers.append(transformers)
    for serve in servers:
        with serve() as target:
            for concurrency in CONCURRENCIES:
                _compare(report, target, concurrency, rounds)


def _compare(report: Report, target: Target, concurrency: int, rounds: int) -> None:
    load = Load(
        concurrencies=[concurrency],
        max_tokens=target.max_tokens,
        temperature=0,
        prompts=[PROMPT],
        are_prompts_unique=False,
    )
    pairs: list[tuple[Figures, Figures]] = []
    told: list[float] = []
    with ExitStack() as clients:
        generator = Generator(target.url, target.model, load)
        clients.callback(generator.close)
        others = [_other(target) for _ in range(concurrency)]
        for other in others:
            clients.callback(other.stop)
        _ours(generator, concurrency)
        _theirs(others)
        for number in range(rounds):
            others_first = _theirs(others) if number % 2 else None
            before = target.first() if target.first else None
            ours = _ours(generator, concurrency)
            if target.first and before:
                after = target.first()
                told.append(ours.ttft * (after[0] - before[0]) / (after[1] - before[1]))
            pairs.append((ours, others_first or _theirs(others)))
    for name in ("ttft", "tpot", "throughput"):
        mine, theirs = ([getattr(pair[side], name) for pair in pairs] for side in (0, 1))
        ratio = median(one / another for one, another in zip(mine, theirs, strict=True))
        _add(report, target, concurrency, name, ratio, ours=median(mine), other=median(theirs))
    if told:
        _add(report, target, concurrency, "ttft against the server's own", median(told))


def _add(report: Report, target: Target, concurrency: int, name: str, ratio: float, **more: float) -> None:
    words = f"{target.name}, {concurrency} at once: {name}, ours/other {ratio:.3f}"
    report.add(SECTION, words, abs(ratio - 1) * 100, "% apart", GOAL * 100, more={"ratio": ratio, **more})


def _ours(generator: Generator, concurrency: int) -> Figures:
    level = generator.level(concurrency, EACH * concurrency, lambda samples: None)
    if errors := [sample.error for sample in level.samples if sample.error]:
        raise RuntimeError(errors[0])
    return Figures(
        fmean(sample.ttft or 0 for sample in level.samples),
        fmean(sample.tpot or 0 for sample in level.samples),
        sum(sample.tokens for sample in level.samples) / level.seconds,
    )


def _other(target: Target) -> Child:
    fields: dict[str, Any] = {
        "model": target.model,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": target.max_tokens,
        "temperature": 0,
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return Child("benchmarks.plain_client", target.url, json.dumps(fields))


def _theirs(others: list[Child]) -> Figures:
    for other in others:
        other.send("ask", count=EACH)
    found = [measured for other in others for measured in other.answer()["measured"]]
    return Figures(
        fmean(first - began for began, first, _, _ in found),
        fmean((ended - first) / (tokens - 1) for _, first, ended, tokens in found),
        sum(tokens for *_, tokens in found)
        / (max(each[2] for each in found) - min(each[0] for each in found)),
    )


@contextmanager
def stamping() -> Iterator[Target]:
    """A server that computes nothing and stamps what arrives."""
    with _printing("tests.kinds.stamping_server") as line:
        url = f"http://127.0.0.1:{line.strip()}"

        def first() -> tuple[float, float]:
            times = httpx2.get(url).json()["first"]
            return len(times), sum(times)

        yield Target("stamping server", f"{url}/v1", "m", 6, first)


@contextmanager
def offline() -> Iterator[Target]:
    """The offline model's, at 50 ms a token: what it computes is little beside that."""
    words = ("pilothouse.llm.offline", "--port", "0", "--ms-per-token", "50", "--order", "1")
    with _printing(*words) as line:
        url = line.split()[3]

        def first() -> tuple[float, float]:
            lines = httpx2.get(url.removesuffix("/v1") + "/metrics").text.splitlines()
            told = {name: float(value) for name, value in map(str.split, lines)}
            return (
                told["pilothouse_offline_requests_total"],
                told["pilothouse_offline_first_token_seconds_sum"],
            )

        yield Target("offline model", url, "offline", 12, first)


@contextmanager
def transformers() -> Iterator[Target]:
    """`transformers serve` with continuous batching, on the example's tiny model."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        model = str(Path(folder) / "model")
        subprocess.run([sys.executable, EXAMPLE / "tiny_model.py", model], env=environment, check=True)
        example = tomllib.loads((EXAMPLE / "transformers.toml").read_text())
        example["target"]["model"] = model
        params, port = Params.model_validate(example), free_port()
        point: Point = {"continuous-batching": True}
        server = Server(
            argv(params.target, params.space, point, port),
            environment | variables(params.target, params.space, point),
            Path(folder),
            Path(folder) / "log",
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}/health", params.target.health_seconds, server.check)
            yield Target("transformers serve", f"http://127.0.0.1:{port}/v1", model, 32)
        finally:
            server.stop()


@contextmanager
def _printing(*args: str) -> Iterator[str]:
    """A server that prints where it is in its first line."""
    with subprocess.Popen([sys.executable, "-m", *args], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.kill()
