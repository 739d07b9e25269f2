"""The API server in a process of its own, on a data folder whose disk a test may spoil."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.contracts.cluster import free_port
from tests.e2e.stack import until

ROOT = Path(__file__).parents[2]


def launch(data: Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a server; it may fail to."""
    environment = os.environ | {
        "PILOTHOUSE_DATA": str(data),
        "PILOTHOUSE_KINDS": "tests.jobs.counting:KIND",
        "PYTHONPATH": str(ROOT),
        **(more or {}),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pilothouse.web.serve"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def refusal(data: Path, more: Mapping[str, str] | None = None) -> str:
    """What a server that must not start says."""
    process = launch(data, {"PILOTHOUSE_PORT": str(free_port()), **(more or {})})
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, (process.returncode, said)
    return said


@dataclass
class Writing:
    """A job that a test plays against a server: it counts what was acknowledged."""

    process: subprocess.Popen[str]
    client: httpx2.Client
    run_id: str
    acked: int = 0
    refusals: list[httpx2.Response] = field(default_factory=list)

    def write(self, size: int = 20_000) -> bool:
        """Send the next item, or the one that was refused, again."""
        item = {"key": f"job.{self.acked + 1}", "seconds": 0.1, "data": {"pad": "x" * size}}
        body = {
            "attempt": 1,
            "client_seq": self.acked + 1,
            "events": [{"type": "item.finished", "data": item}],
        }
        answer = self.client.post(f"/api/runs/{self.run_id}/events", json=body)
        if answer.status_code == 200:
            self.acked += 1
            return True
        self.refusals.append(answer)
        return False

    def get(self, path: str = "") -> Any:
        """Look at the run, which must be possible."""
        answer = self.client.get(f"/api/runs/{self.run_id}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def serving(data: Path, more: Mapping[str, str] | None = None) -> Iterator[Writing]:
    """A server with a run whose first attempt has begun, and the job that writes to it."""
    port = free_port()
    settings = {"PILOTHOUSE_LEASE_SECONDS": "600", "PILOTHOUSE_PORT": str(port), **(more or {})}
    process = launch(data, settings)
    try:
        until(lambda: is_up(port) or process.poll() is not None, "the server")
        token = (data / "token").read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            made = client.post(
                "/api/runs", json={"kind": "counting", "params": {"ledger": str(data / "ledger")}}
            )
            assert made.status_code == 201, made.text
            claim = {"slots": 1, "running": [], "wait": 5}
            order = client.post("/api/hosts/nowhere/claim", json=claim).json()["orders"][0]
            beat = {"attempt": 1, "client_seq": 1, "events": []}
            client.post(f"/api/runs/{order['run_id']}/events", json=beat).raise_for_status()
            yield Writing(process, client, order["run_id"])
        assert process.poll() is None, "the server ended"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        finally:
            process.kill()


def is_up(port: int) -> bool:
    """Whether the server answers."""
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/api/health", timeout=5, verify=False).status_code == 200
    except httpx2.HTTPError:
        return False
