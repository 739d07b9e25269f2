"""Training as users do it, on a real model: one job is followed by its document's clients, killed, and downloaded.

One job for all of it: each process that imports torch costs seconds of the processor.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import httpx2
import pytest

from pilothouse.testing.stack import stopped
from tests.e2e.stack import Stack, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not all(map(find_spec, ("torch", "transformers", "accelerate"))), reason="the extra train is not here"
    ),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("training"),
]

HANG = 300.0
STEPS, SAVED = 120, 20
# The document's own examples; only the port, which is ours to choose, is put in.
JAVASCRIPT = """
const ws = new WebSocket('ws://localhost:8000/ws/training/job_abc123');

ws.onopen = () => {
  console.log('Connected to training job');
};

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log('Progress:', data.progress, '%');
  console.log('Loss:', data.loss);
  console.log('Step:', data.current_step, '/', data.total_steps);

  if (data.complete) {
    console.log('Training completed!', data.status);
    ws.close();
  }
};

ws.onerror = (error) => {
  console.error('WebSocket error:', error);
};

ws.onclose = () => {
  console.log('Connection closed');
};
"""
PYTHON = """
import asyncio
import websockets
import json

async def watch_training(job_id):
    uri = f"ws://localhost:8000/ws/training/{job_id}"

    async with websockets.connect(uri) as websocket:
        print(f"Connected to job {job_id}")

        async for message in websocket:
            data = json.loads(message)

            print(f"Progress: {data['progress']:.1f}%")
            print(f"Loss: {data['loss']}")
            print(f"Step: {data['current_step']}/{data['total_steps']}")

            if data.get('complete'):
                print(f"Training {data['status']}!")
                break

# Run it
asyncio.run(watch_training('job_abc123'))
"""


class OpenStack(Stack):
    """Pilothouse that asks nobody for a token, since the document's clients send none."""

    words = ("up", "--insecure-no-auth")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests of this file."""
    with stopped(OpenStack(tmp_path_factory.mktemp("stack") / "data")) as running:
        yield running


def execute(up: Stack, name: str) -> str:
    """Start a small training, as the document does: without a token."""
    small = {"batch_size": 2, "max_length": 32, "eval_fraction": 0.02, "device": "cpu"}
    body = {
        "name": name,
        "model_name": "tiny",
        "dataset_path": "tickets",
        "steps": STEPS,
        "save_steps": SAVED,
    }
    answer = httpx2.post(f"{up.url}/api/training/execute", json=small | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["job_id"])


@pytest.fixture(scope="module")
def clients(up: Stack, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The commands that start the two printed clients."""
    folder, port = tmp_path_factory.mktemp("clients"), up.url.rpartition(":")[2]
    node = shutil.which("node")
    assert node, "node is part of the tools of the page"
    for name, text in (("client.js", JAVASCRIPT), ("client.py", PYTHON)):
        (folder / name).write_text(text.replace("localhost:8000", f"localhost:{port}"))
    flags = [] if has_websocket(node) else ["--experimental-websocket"]
    return [[node, *flags, str(folder / "client.js")], [sys.executable, str(folder / "client.py")]]


def has_websocket(node: str) -> bool:
    """Whether this node has a WebSocket of its own without being asked."""
    said = subprocess.run([node, "-p", "typeof WebSocket"], capture_output=True, text=True, check=True).stdout
    return said.strip() == "function"


@pytest.mark.rows("S5.20", "S5.21", "S5.55", "S5.57", "S5.79")
def test_the_printed_clients_follow_a_job_to_its_end_though_its_process_is_killed(
    up: Stack, clients: list[list[str]]
) -> None:
    run_id = execute(up, "job_abc123")
    following = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in clients
    ]
    until(lambda: items(up, run_id) or up.run(run_id)["ended_at"], "a checkpoint", HANG)
    (job,) = up.jobs(run_id)
    job.suspend()  # so that it reports no item between the look and the kill
    before = {item["key"]: item["attempt"] for item in items(up, run_id)}
    job.kill()
    (script, _), (program, complaint) = (client.communicate(timeout=HANG) for client in following)

    assert [client.returncode for client in following] == [0, 0], complaint
    assert script.startswith("Connected to training job\n")
    assert script.endswith(f"Step: {STEPS} / {STEPS}\nTraining completed! completed\nConnection closed\n")
    assert program.startswith("Connected to job job_abc123\n")
    assert program.endswith(f"Step: {STEPS}/{STEPS}\nTraining completed!\n")
    assert "Progress: 100.0%" in program
    assert float(re.findall(r"Loss: ([\d.]+)", script)[-1]) > 0
    ended, after = up.run(run_id), items(up, run_id)
    assert (ended["status"], ended["attempt"], ended["progress"]["done"]) == ("completed", 2, STEPS)
    assert len(after) == STEPS // SAVED
    assert {item["key"]: item["attempt"] for item in after if item["key"] in before} == before
    assert {item["starts"] for item in after} <= {0, 1}
    notes = [event["data"]["text"] for event in up.log(run_id) if event["type"] == "note"]
    assert any("Goes on from the checkpoint of step" in text for text in notes)


def items(up: Stack, run_id: str) -> list[dict[str, Any]]:
    """The finished items."""
    found = up.api("GET", f"/api/runs/{run_id}/items?limit=5000")["items"]
    assert isinstance(found, list)
    return found


def test_a_trained_model_is_downloaded_without_a_token(up: Stack) -> None:
    model = httpx2.get(f"{up.url}/api/training/job_abc123/download/model")
    logs = httpx2.get(f"{up.url}/api/training/job_abc123/download/logs")

    assert model.content[:2] == b"PK", model.text[:500]
    assert f"trainer: step {STEPS}/{STEPS}: loss" in logs.text


def test_the_open_door_is_announced_loudly(up: Stack) -> None:
    said = until(lambda: up.said if "Ctrl+C" in up.said else "", "its greeting")

    assert "! NOBODY IS ASKED FOR A TOKEN (--insecure-no-auth)." in said
    assert "this machine only" in said
