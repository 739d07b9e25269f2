"""`pilothouse up`: what it starts goes on or ends, and what it writes down goes with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.cli.supervisor import Child, Supervisor


def test_a_signal_before_everything_is_up_stops_it_like_any_other(tmp_path: Path) -> None:
    browser, data = tmp_path / "browser", tmp_path / "data"
    browser.write_text("#!/bin/sh\nkill -TERM $PPID\nsleep 1\n")
    browser.chmod(0o700)
    command = [sys.executable, "-m", "pilothouse.cli.main", "up", "--port", "0", "--data", str(data)]

    done = subprocess.run(
        command,
        env=os.environ | {"BROWSER": f"{browser} %s", "DISPLAY": ":0"},
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
    )

    assert "Stopping…" in done.stderr
    assert done.returncode == 0
    assert not (data / "server.json").exists()


def test_who_cannot_be_started_now_is_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program"
    install = f"sleep 0.5; printf '#!/bin/sh\\nexec sleep 60\\n' > {program}; chmod +x {program}"
    environment = {"PATH": os.environ["PATH"]}
    supervisor = Supervisor(tmp_path, 1, 1)
    supervisor.server = Child("server", [str(program)], environment, tmp_path / "server.log")
    supervisor.host = Child("host", ["sh", "-c", install], environment, tmp_path / "host.log")

    dead = supervisor.watch()

    is_alive = supervisor.server.is_alive
    supervisor.stop()
    assert (dead, is_alive) == (supervisor.host, True)
    assert capsys.readouterr().err.count("The server cannot be started: ") == 1


def test_the_address_is_never_half_written_nor_another_server_s(tmp_path: Path) -> None:
    address, reader = tmp_path / "server.json", tmp_path / "reader"
    address.write_text("{}")
    reader.hardlink_to(address)
    supervisor = Supervisor(tmp_path, 1, 1)

    supervisor.stop()
    is_left = address.exists()
    supervisor._record()
    supervisor.stop()

    assert is_left
    assert reader.read_text() == "{}"
    assert not list(tmp_path.glob("*server*"))
