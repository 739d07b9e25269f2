"""The host as a process of its own: how it ends, and what becomes of its jobs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pilothouse.worker.place import keep_others_away
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import ROOT
from tests.worker.test_host import HANG, give
from tests.worker.test_local import alive


@pytest.fixture
def process(server: LinkServer, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pilothouse.worker.host",
            "--data",
            str(tmp_path),
            "--slots",
            "1",
            "--watch-stdin",
        ],
        stdin=subprocess.PIPE,
        env={**os.environ, "PILOTHOUSE_SERVER": server.url, "PILOTHOUSE_TOKEN": "secret"},
        cwd=ROOT,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    assert process.stdin
    process.stdin.close()


def test_a_host_without_a_token_says_where_it_looked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")

    done = subprocess.run(
        [sys.executable, "-m", "pilothouse.worker.host", "--data", str(tmp_path)],
        env={name: value for name, value in os.environ.items() if name != "PILOTHOUSE_TOKEN"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )

    assert done.returncode == 2
    assert f"set PILOTHOUSE_TOKEN, or put one into {tmp_path / 'token'}" in done.stderr


def marked(tmp_path: Path) -> list[int]:
    """Live processes of the run, by the marker in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PILOTHOUSE_FOLDER", "").startswith(str(tmp_path)):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def wait_until_gone(tmp_path: Path) -> None:
    psutil.wait_procs([psutil.Process(pid) for pid in marked(tmp_path) if psutil.pid_exists(pid)], HANG)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stdin"])
def test_a_host_that_is_asked_to_end_takes_its_jobs_with_it(
    server: LinkServer, process: subprocess.Popen[bytes], tmp_path: Path, how: str
) -> None:
    server.add_run()
    give(server, "hangs_for_ever")
    server.wait_for(lambda: server.bodies("log"))

    assert process.stdin
    if how == "stdin":
        process.stdin.close()
    else:
        process.send_signal(signal.Signals[how])

    assert process.wait(HANG) == 0
    assert marked(tmp_path) == []
    assert server.ended[0]["exit_code"] == 143
    assert server.left == [0]


def test_a_second_host_of_a_name_and_a_folder_is_refused(
    server: LinkServer, process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    server.wait_for(lambda: server.claims)
    name = socket.gethostname()

    assert keep_others_away(tmp_path, name, 0.0) is None
    other = keep_others_away(tmp_path, f"{name}-2", 0.0)
    process.kill()
    process.wait(HANG)
    mine = keep_others_away(tmp_path, name, HANG)

    assert other is not None
    assert mine is not None
    other.close()
    mine.close()


def test_the_jobs_of_a_killed_host_end_themselves(
    server: LinkServer, process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    server.add_run()
    give(server, "ignores_everything")
    server.wait_for(lambda: server.bodies("log"))

    process.kill()
    process.wait(HANG)

    wait_until_gone(tmp_path)
    assert alive(tmp_path / "runs" / "run_1" / "marks") == []
