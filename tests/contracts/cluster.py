"""A PostgreSQL cluster of a test's own, which may be stopped as a power cut would."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER = "postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that runs."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Its database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.call("pg_ctl", "start", "-w", "-l", str(self.folder / "log"))

    def stop(self, mode: str) -> None:
        """Stop it; `immediate` is a crash: nothing is written that was not yet."""
        self.call("pg_ctl", "stop", "-w", "-m", mode)

    def crash(self) -> None:
        """Stop it as a power cut would, and start it again."""
        self.stop("immediate")
        self.start()

    def call(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, never as root: it refuses that."""
        done = subprocess.run(
            [self.programs / program, "-D", self.folder, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
            cwd="/",
            user=USER if os.geteuid() == 0 else None,
        )
        assert done.returncode == 0, f"{program} {arguments} ended with {done.returncode}"


@contextmanager
def cluster(*settings: str) -> Iterator[Cluster]:
    """A new cluster; skips, loudly, where PostgreSQL's programs are not installed.

    Args:
        settings: Lines of its configuration.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
    if not found[-1].is_file():
        pytest.skip("initdb is not installed, so a crash of PostgreSQL is NOT tested")
    folder = Path(tempfile.mkdtemp(prefix="pilothouse-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    running = Cluster(found[-1].parent, folder, free_port())
    try:
        running.call("initdb", "-A", "trust", "-U", USER, "--no-sync")
        lines = [f"port = {running.port}", f"unix_socket_directories = '{folder}'", *settings]
        with (folder / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", "listen_addresses = '127.0.0.1'", *lines, ""]))
        running.start()
        try:
            yield running
        finally:
            running.stop("fast")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
