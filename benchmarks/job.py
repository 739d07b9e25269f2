"""What the handle costs in the job, and how soon the job knows of a control."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request

from benchmarks.processes import Child, ServerUnderTest, our_server
from benchmarks.report import Report

SECTION = "job"
IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import pilothouse
pilothouse.RunHandle
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
IMPORTS = 11
PAUSE_SECONDS = 10.0
DRAIN_SECONDS = 60.0


def run(report: Report) -> None:
    """Import in a fresh interpreter; items, safepoints and pauses in a real child."""
    wall, cpu = import_seconds()
    report.add(SECTION, "import of the SDK", wall * 1e3, "ms", 60.0)
    report.add(SECTION, "import of the SDK, CPU", cpu * 1e3, "ms", 60.0)
    pauses = 10 if report.quick else 40
    with our_server("sqlite:///{data}/bench.db") as server:
        made = server.ask("run")
        job = Child(
            "benchmarks.job_child", server_url(server), server.token, made["run"], str(pauses), core=1
        )
        try:
            costs = job.answer()
            report.add(SECTION, "run.item", costs["item_us"], "µs", 5.0)
            report.add(SECTION, "a safepoint with nothing asked", costs["safepoint_us"], "µs", 2.0)
            _wait_for_items(server, made["run"], costs["items"])
            knows, paused = zip(*(_pause(server, job, made["run"]) for _ in range(pauses)), strict=True)
        finally:
            job.stop()
    report.add(SECTION, "control: request → the job knows, p95", _p95(knows) * 1e3, "ms", 50.0)
    report.add(SECTION, "control: request → the run is paused, p95", _p95(paused) * 1e3, "ms", 200.0)


def import_seconds() -> tuple[float, float]:
    """Wall and CPU time, the medians over fresh interpreters."""
    walls, cpus = zip(*(_import() for _ in range(IMPORTS)), strict=True)
    return sorted(walls)[IMPORTS // 2], sorted(cpus)[IMPORTS // 2]


def _import() -> tuple[float, float]:
    said = subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True).stdout.split()
    return float(said[0]), float(said[1])


def server_url(server: ServerUnderTest) -> str:
    """Its base URL."""
    return f"http://127.0.0.1:{server.port}"


def _wait_for_items(server: ServerUnderTest, run_id: str, items: int) -> None:
    """Until the server has all that the job has said: a pause is acknowledged behind it."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while json.loads(server.get(f"/api/runs/{run_id}"))["progress"]["done"] < items:
        if time.monotonic() > deadline:
            raise RuntimeError("the job's items do not arrive")
        time.sleep(0.1)


def _pause(server: ServerUnderTest, job: Child, run_id: str) -> tuple[float, float]:
    """Pause and resume once: seconds until the job knew, and until the run was paused."""
    asked = time.monotonic()
    _control(server, run_id, "pause")
    deadline = asked + PAUSE_SECONDS
    while json.loads(server.get(f"/api/runs/{run_id}"))["status"] != "paused":
        if time.monotonic() > deadline:
            raise RuntimeError("the job does not pause")
    paused = time.monotonic()
    _control(server, run_id, "resume")
    return float(job.answer()["knows"]) - asked, paused - asked


def _control(server: ServerUnderTest, run_id: str, control: str) -> None:
    request = urllib.request.Request(
        f"{server_url(server)}/api/runs/{run_id}/{control}",
        b"{}",
        {"authorization": f"Bearer {server.token}", "content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=PAUSE_SECONDS).close()


def _p95(samples: tuple[float, ...]) -> float:
    return sorted(samples)[int(len(samples) * 0.95)]
