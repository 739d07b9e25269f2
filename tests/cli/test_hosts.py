"""What `pilothouse hosts` prints."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.cli.client import NO_SERVER, NO_SUCH_RUN, CliError
from pilothouse.cli.hosts import _machine, describe, spark

HOST: dict[str, Any] = {
    "name": "lab\x1b[31m",
    "free": 1,
    "running": [{"run_id": "run_1", "attempt": 1, "cpu": None}],
    "seen_seconds_ago": 1.0,
    "alive": True,
    "facts": {
        "cores": 2,
        "memory_bytes": 8_000_000_000,
        "gpus": [{"index": 0, "name": "Test device", "memory_bytes": 80_000_000_000}],
    },
    "samples": [
        {"time": "", "values": {"cpu_percent": 0.0, "memory_bytes": 1e9}},
        {
            "time": "",
            "values": {
                "cpu_percent": 100.0,
                "memory_bytes": 4e9,
                "gpu0_percent": 50.0,
                "gpu0_memory_bytes": 4e10,
                "gpu0_celsius": 61.0,
            },
        },
    ],
}


def test_a_host_is_told_with_its_last_hour() -> None:
    name, cpu, memory, gpu = describe(HOST)

    assert name == "lab[31m   1 running   1 free"
    assert cpu.split() == ["CPU", "▁█", "100", "%", "of", "2", "cores"]
    assert memory.split() == ["memory", "▂▅", "4.0", "GB", "of", "8.0", "GB"]
    assert gpu.endswith("50 %   40.0 GB of 80.0 GB   61 °C   Test device")


def test_a_host_that_is_away_says_for_how_long() -> None:
    (line,) = describe(HOST | {"samples": [], "alive": False, "seen_seconds_ago": 90.0})

    assert "not heard of for" in line


def test_the_peak_of_each_stretch_is_drawn() -> None:
    assert spark([0.0] * 50 + [100.0] + [0.0] * 49, 100.0, 4) == "▁▁█▁"
    assert spark([], 100.0) == ""


class Server:
    """Answers every call with a refusal."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code

    def get(self, path: str) -> Any:
        raise CliError("no", exit_code=self.exit_code)


def test_a_host_that_goes_while_it_is_listed_does_not_take_the_list_along() -> None:
    gone: Any = Server(NO_SUCH_RUN)
    away: Any = Server(NO_SERVER)

    assert _machine(gone, "lab") == {"facts": {}, "samples": []}
    with pytest.raises(CliError):
        _machine(away, "lab")
