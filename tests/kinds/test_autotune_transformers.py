"""A real inference server: `transformers serve` on a tiny model that is made here."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilothouse.kinds.autotune.command import argv, variables
from pilothouse.kinds.autotune.load import Generator
from pilothouse.kinds.autotune.measurement import Sample, numbers
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.parts import Load
from pilothouse.kinds.autotune.server import Server, free_port, wait_until_healthy
from pilothouse.kinds.autotune.space import Point

EXAMPLE = Path(__file__).parents[2] / "examples" / "autotune"
MISSING = [name for name in ("torch", "transformers", "tokenizers") if importlib.util.find_spec(name) is None]

PAIRS = 16
PROMPT = "Say something."

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("transformers"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model."""
    folder = tmp_path_factory.mktemp("model")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, EXAMPLE / "tiny_model.py", folder], env=environment, check=True, capture_output=True
    )
    return folder


def params(model: Path, **load: Any) -> Params:
    """The example's, on this model and with another load."""
    example = tomllib.loads((EXAMPLE / "transformers.toml").read_text())
    example["target"]["model"] = str(model)
    example["load"] |= load
    return Params.model_validate(example)


def plain(url: str, content: str, load: Load, model: str) -> tuple[float, float, int]:
    """Seconds to the first token and to the end, and tokens: a plain sequential client, read line by line."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    fields = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
    body = json.dumps(fields | {"max_tokens": load.max_tokens, "temperature": load.temperature})
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    first, tokens = 0.0, 0
    for line in response:
        event = json.loads(line[6:]) if line.startswith(b"data: {") else {}
        choices = event.get("choices")
        if choices and choices[0]["delta"].get("content"):
            first = first or time.perf_counter() - began
            tokens += 1
    seconds = time.perf_counter() - began
    connection.close()
    return first, seconds, tokens


@dataclass(frozen=True)
class Measured:
    """What was measured of a server: eight requests side by side, and pairs one after the other."""

    level: dict[str, Any]
    pairs: list[tuple[Sample, tuple[float, float, int]]]


@pytest.fixture(scope="module")
def measured(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Measured]:
    """Without continuous batching, and with it. A server takes ten seconds of processor time to start."""
    return {is_on: measure(model, tmp_path_factory.mktemp("server"), is_on) for is_on in (False, True)}


def measure(model: Path, folder: Path, is_on: bool) -> Measured:
    """Start a server, measure it in two ways, stop it."""
    checked, port = params(model, concurrencies=[8], max_tokens=24, prompts=[PROMPT]), free_port()
    point: Point = {"continuous-batching": is_on}
    environment = os.environ | variables(checked.target, checked.space, point)
    server = Server(argv(checked.target, checked.space, point, port), environment, folder, folder / "log")
    url = f"http://127.0.0.1:{port}/v1"
    generator = Generator(url, str(model), checked.load)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/health", 180, server.check)
        generator.level(8, 8, lambda samples: None)
        level = generator.level(8, 16, lambda samples: None)
        pairs = [
            (generator.ask(n), plain(url, f"[{n}] {PROMPT}", checked.load, str(model))) for n in range(PAIRS)
        ]
    finally:
        generator.close()
        server.stop()
    return Measured(numbers([level]), pairs)


def test_continuous_batching_pays_off_when_requests_are_side_by_side(
    measured: dict[bool, Measured],
) -> None:
    off, on = measured[False].level, measured[True].level

    assert (off["errors"], on["errors"]) == (0, 0)
    assert (off["tokens_estimated"], on["tokens_estimated"]) == (False, False)
    assert off["tokens"] == on["tokens"] == 16 * 24
    assert on["tokens_per_second"] > 1.5 * off["tokens_per_second"]
    assert on["ttft_p50_ms"] < off["ttft_p50_ms"]


@pytest.mark.parametrize("is_on", [False, True])
def test_a_plain_client_measures_about_the_same_of_it(measured: dict[bool, Measured], is_on: bool) -> None:
    """The two take turns. How near they are on a quiet machine is measured by `make bench`."""
    pairs = measured[is_on].pairs

    assert {sample.tokens for sample, _ in pairs} == {24}
    assert median(sample.seconds / seconds for sample, (_, seconds, _) in pairs) == pytest.approx(1, abs=0.4)
