"""What a host's machine is busy with, told once per look."""

from __future__ import annotations

import threading
from typing import Any

import psutil
import pytest

from pilothouse.worker.gpu import Gpus
from pilothouse.worker.resources import Resources
from tests.worker.test_vitals import FakeNvml, Flaky


def taken(resources: Resources) -> dict[str, Any]:
    """The first look."""
    resources.start()
    while (look := resources.take()) is None:
        threading.Event().wait(0.01)
    resources.close()
    return look


def test_a_look_tells_the_machine_and_its_gpus() -> None:
    look = taken(Resources(0.01, lambda: Gpus(FakeNvml())))

    assert look["facts"]["cores"] == psutil.cpu_count()
    assert [gpu["name"] for gpu in look["facts"]["gpus"]] == ["Test device"] * 2
    assert 0 <= look["values"]["cpu_percent"] <= 100
    assert 0 < look["values"]["memory_bytes"] < look["facts"]["memory_bytes"]
    assert look["values"]["gpu1_celsius"] == 61


def test_a_look_that_fails_is_told_once_and_ends_no_later_look(caplog: pytest.LogCaptureFixture) -> None:
    look = taken(Resources(0.01, Flaky()))

    assert look["values"]["gpu0_percent"] == 7.0
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_look_is_told_once() -> None:
    resources = Resources()
    resources._newest = {"facts": {}, "values": {}}

    assert resources.take() is not None
    assert resources.take() is None
