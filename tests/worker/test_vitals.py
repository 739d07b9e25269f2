"""What a job uses of its machine: the whole family of its processes, seldom, cheaply, and never in its way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pilothouse.sdk.link import Link
from pilothouse.sdk.sampler import cores
from pilothouse.worker import machine
from pilothouse.worker.gpu import Gpus
from pilothouse.worker.vitals import Vitals, use_by_psutil, use_of
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn

HANG = 60
GIB = 2**30


class FakeNvml:
    """NVIDIA's library with two devices; the second tells nothing of its power."""

    class NVMLError(Exception):
        """What the library raises."""

    def nvmlInit(self) -> None:
        """Begin."""

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, _handle: int) -> bytes:
        return b"Test device"

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}abc"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=80 * GIB, used=(handle + 1) * GIB)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return SimpleNamespace(gpu=40 + handle, memory=3)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        if handle:
            raise self.NVMLError
        return 310_500

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        assert sensor == 0
        return 60 + handle


class Flaky:
    """GPUs that cannot be opened at first, and of which the next two looks fail."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Any:
        """Open them."""
        self._fail(1)
        return self

    def read(self, *_: Any) -> dict[str, float]:
        self._fail(4)
        return {"gpu0_percent": 7.0}

    def visible(self) -> list[Any]:
        return []

    @property
    def devices(self) -> tuple[Any, ...]:
        return ()

    def _fail(self, until: int) -> None:
        self.calls += 1
        if self.calls <= until:
            raise RuntimeError("the driver is being replaced")


class NoDriver(FakeNvml):
    """The library where there is no driver."""

    def nvmlInit(self) -> None:
        raise self.NVMLError


@pytest.fixture
def link(server: LinkServer) -> Iterator[Link]:
    """A link of the first attempt."""
    server.add_run()
    link = Link(server.url, "secret", "run_1", 1)
    link.start()
    yield link
    link.close()


def system(server: LinkServer) -> list[dict[str, Any]]:
    """The values of the metrics that tell of the machine."""
    return [body.values for body in server.bodies("metric")]


def test_the_use_of_a_grandchild_without_a_parent_is_the_jobs(server: LinkServer, spawn: Spawn) -> None:
    server.add_run().sample_seconds = 0.05

    child = spawn("uses_its_machine")
    server.wait_for(
        lambda: any(
            values["system/memory_bytes"] > 200_000_000 and values["system/cpu_percent"] > 5
            for values in system(server)
        )
    )
    server.cancel()

    assert child.wait(HANG) == 3
    assert all(values["system/cpu_percent"] <= 100 for values in system(server))
    assert "system/memory_total_bytes" in system(server)[0]
    assert all("system/memory_total_bytes" not in values for values in system(server)[1:])
    assert server.log.run.moved == 2


def test_the_steps_are_the_age_of_the_run_so_a_later_attempt_goes_on_from_there(
    server: LinkServer, link: Link
) -> None:
    vitals = Vitals(link, 1_000.0, 0.01)

    vitals.start()
    server.wait_for(lambda: len(system(server)) > 3)
    vitals.stop()

    steps = [body.step for body in server.bodies("metric")]
    assert steps == sorted(steps)
    assert 1_000 <= steps[0] <= 1_010


def test_the_gpus_are_told_beside_the_processor(server: LinkServer, link: Link) -> None:
    vitals = Vitals(link, 0.0, 0.01, lambda: Gpus(FakeNvml()))

    vitals.start()
    server.wait_for(lambda: len(system(server)) > 1)
    vitals.stop()

    first, second = system(server)[:2]
    assert first["system/gpu0_memory_total_bytes"] == 80 * GIB
    assert second["system/gpu0_power_watts"] == 310.5
    assert second["system/gpu1_celsius"] == 61


def test_a_look_that_fails_is_told_once_and_ends_no_later_look(server: LinkServer, link: Link) -> None:
    vitals = Vitals(link, 0.0, 0.01, Flaky())

    vitals.start()
    server.wait_for(lambda: len(system(server)) > 1)
    vitals.stop()

    told = [body.text for body in server.bodies("log")]
    assert [values["system/gpu0_percent"] for values in system(server)[:2]] == [7.0, 7.0]
    assert len(told) == 1
    assert "could not be read: RuntimeError: the driver is being replaced." in told[0]


def test_a_paused_run_is_not_looked_at(server: LinkServer, link: Link) -> None:
    vitals = Vitals(link, 0.0, 0.01)
    server.pause()
    link.wait_until(lambda: link.state.pending == "pause", HANG)
    link.ask("run.paused", {})
    link.wait_until(lambda: link.state.status == "paused", HANG)

    vitals.start()
    server.resume()
    server.wait_for(lambda: system(server))
    vitals.stop()

    types = [event.body.type for event in server.log.events]
    assert "metric" not in types[: types.index("run.resumed")]
    assert "system/cpu_percent" in system(server)[-1] or len(system(server)) == 1


def test_a_machine_that_cannot_be_looked_at_disturbs_nobody(server: LinkServer, link: Link) -> None:
    def broken() -> Gpus:
        raise OSError("no such device")

    Vitals(link, 0.0, 0.01, broken).start()

    assert link.ask("metric", {"step": 1, "values": {"loss": 1.0}})


@pytest.mark.parametrize(
    ("age", "cost", "pause"),
    [(0, 0.001, 5.0), (3_600, 0.001, 5.0), (7_200, 0.001, 10.0), (1e6, 0.001, 60.0), (0, 0.1, 20.0)],
)
def test_a_look_becomes_rarer_with_the_runs_age_and_with_its_cost(
    link: Link, age: float, cost: float, pause: float
) -> None:
    assert Vitals(link, 0.0)._pause(age, cost) == pytest.approx(pause)


def test_a_look_costs_less_than_one_part_in_two_hundred() -> None:
    costs = []
    for _ in range(20):
        began = time.thread_time()
        use_of(os.getpid())
        costs.append(time.thread_time() - began)

    assert min(costs) < 0.025


def test_pages_that_forked_processes_share_count_once() -> None:
    code = (
        "import os, sys, time\n"
        "held = b'x' * 300_000_000\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0: break\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin and parent.stdout
    for _ in range(4):
        parent.stdout.readline()

    use = use_of(parent.pid)

    parent.stdin.close()
    parent.wait(HANG)
    parent.stdout.close()
    assert 150_000_000 < use.memory_bytes < 450_000_000  # of the children: the parent holds a quarter


def test_both_ways_to_look_agree() -> None:
    one, other = use_of(os.getpid()), use_by_psutil(os.getpid())

    assert one.seconds == pytest.approx(other.seconds, abs=0.5)
    assert one.memory_bytes == pytest.approx(other.memory_bytes, rel=0.3)


def test_without_its_library_or_a_driver_there_are_no_gpus() -> None:
    gone = Gpus(NoDriver())

    assert (gone.devices, gone.read()) == ((), {})


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [0, 1]),
        ("1", [1]),
        ("0, 1", [0, 1]),
        ("", []),
        ("-1", []),
        ("GPU-1a", [1]),
        ("MIG-GPU-5", [0, 1]),
    ],
)
def test_only_devices_that_the_job_may_see_are_told(visible: str | None, expected: list[int]) -> None:
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}

    gpus = Gpus(FakeNvml())

    assert [gpu.index for gpu in gpus.visible(environ)] == expected
    assert {name[3] for name in gpus.read(environ)} == {str(index) for index in expected}


def test_what_a_device_does_not_tell_is_left_out() -> None:
    told = Gpus(FakeNvml()).read({})

    assert "gpu1_power_watts" not in told
    assert told["gpu1_percent"] == 41


def test_a_control_group_limits_cores_and_memory(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("100000000\n")

    assert cores(tmp_path) == 0.5
    assert machine.memory_bytes(tmp_path) == 100_000_000


@pytest.mark.parametrize("text", ["max 100000", "max", "", "nonsense", "5 0"])
def test_no_limit_is_the_whole_machine(tmp_path: Path, text: str) -> None:
    (tmp_path / "cpu.max").write_text(text)
    (tmp_path / "memory.max").write_text(text)

    assert cores(tmp_path) >= 1
    assert machine.memory_bytes(tmp_path) > 100_000_000
