"""How long a command takes to answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.appends import median
from benchmarks.job import server_url
from benchmarks.processes import our_server
from benchmarks.report import Report

SECTION = "cli"
TIMES = 10


def run(report: Report) -> None:
    """The median over processes."""
    command = str(Path(sys.executable).with_name("pilothouse"))
    with our_server() as server:
        server.ask("run")
        access = {"PILOTHOUSE_SERVER": server_url(server), "PILOTHOUSE_TOKEN": server.token}
        for words in ("--help", "ls"):

            def call(words: str = words) -> None:
                subprocess.run([command, words], check=True, capture_output=True, env=os.environ | access)

            call()
            report.add(SECTION, f"pilothouse {words}", median(TIMES, call) * 1e3, "ms", 300.0)
