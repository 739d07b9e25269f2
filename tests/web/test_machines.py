"""What hosts tell of their machines: kept, told, and remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.serving import COUNTING, Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server with an empty queue of its own."""
    with running(tmp_path, {"counting": COUNTING}, lease_seconds=600) as server:
        yield server


MACHINE = {
    "facts": {
        "cores": 2,
        "memory_bytes": 8_000_000_000,
        "gpus": [{"index": 0, "name": "Test device", "memory_bytes": 80_000_000_000}],
    },
    "values": {"cpu_percent": 37.5, "memory_bytes": 2e9, "gpu0_percent": 90.0},
}


def test_what_a_hosts_machine_was_busy_with_is_kept_for_an_hour(server: Running) -> None:
    with server.client() as api:
        sent = api.post("/api/hosts/lab/claim?instance=a", json={"slots": 1, "machine": MACHINE})
        api.post("/api/hosts/lab/claim?instance=a", json={"slots": 1})

        told = api.get("/api/hosts/lab/resources").json()

    assert sent.status_code == 200, sent.text
    assert told["name"] == "lab"
    assert told["facts"] == MACHINE["facts"]
    assert [sample["values"] for sample in told["samples"]] == [MACHINE["values"]]


def test_a_host_that_told_nothing_of_its_machine_has_no_samples(server: Running) -> None:
    with server.client() as api:
        api.post("/api/hosts/lab/claim", json={"slots": 1})

        told = api.get("/api/hosts/lab/resources")
        unknown = api.get("/api/hosts/nobody/resources")

    assert told.json() == {"name": "lab", "facts": {}, "samples": []}
    assert unknown.status_code == 404


@pytest.mark.rows("S5.77")
def test_what_a_machine_was_busy_with_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'a.db'}"
    with running(tmp_path, {"counting": COUNTING}, database=database) as server, server.client() as api:
        api.post("/api/hosts/lab/claim?instance=a", json={"slots": 1, "machine": MACHINE})

    with running(tmp_path, {"counting": COUNTING}, database=database) as server, server.client() as api:
        told = api.get("/api/hosts/lab/resources?hours=24").json()
        machines = api.get("/api/machines").json()["machines"]
        beyond = api.get("/api/hosts/lab/resources?hours=1000")

    assert told["facts"] == MACHINE["facts"]
    assert [sample["values"] for sample in told["samples"]] == [MACHINE["values"]]
    assert [(machine["name"], machine["facts"]) for machine in machines] == [("lab", MACHINE["facts"])]
    assert (beyond.status_code, beyond.json()["error"]["field"]) == (422, "hours")


@pytest.mark.parametrize("value", ["NaN", "much", None, 1e999])
def test_a_sample_is_a_number(server: Running, value: Any) -> None:
    machine = MACHINE | {"values": {"cpu_percent": value}}

    with server.client() as api:
        sent = api.post(
            "/api/hosts/lab/claim",
            content=json.dumps({"slots": 1, "machine": machine}),
            headers={"Content-Type": "application/json"},
        )

    assert sent.status_code == 422
