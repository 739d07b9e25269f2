"""A link server, and child processes that talk to it, each below its shim as a host starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pilothouse.worker import shim
from tests.sdk.link_server import LinkServer

Spawn = Callable[..., "subprocess.Popen[str]"]
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[LinkServer]:
    server = LinkServer()
    yield server
    server.stop()


@pytest.fixture
def spawn(server: LinkServer, tmp_path: Path) -> Iterator[Spawn]:
    """Starts the child of an attempt, as a host does."""
    children: list[subprocess.Popen[str]] = []

    def spawn(job: str, attempt: int = 1, **environment: str) -> subprocess.Popen[str]:
        environment |= {
            "PILOTHOUSE_SERVER": server.url,
            "PILOTHOUSE_TOKEN": "secret",
            "PILOTHOUSE_RUN_ID": "run_1",
            "PILOTHOUSE_ATTEMPT": str(attempt),
            "PILOTHOUSE_ENTRY": job if ":" in job else f"tests.worker.jobs:{job}",
            "PILOTHOUSE_FOLDER": str(tmp_path / "folder"),
            "PYTHONUNBUFFERED": "1",
        }
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", shim.__file__, sys.executable, "-m", "pilothouse.worker.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=ROOT,
            text=True,
            start_new_session=True,
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        if child.poll() is None:
            assert child.stdin
            child.stdin.close()
            child.wait(60)
        assert child.stdin and child.stdout
        child.stdin.close()
        child.stdout.close()
