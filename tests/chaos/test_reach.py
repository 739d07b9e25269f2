"""A failpoint ends the process where it is armed, at its pass, once, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.pages import ROOT

PROGRAM = """
from pilothouse import failpoint
for number in range(3):
    failpoint.reach("here")
    failpoint.reach("there")
    print(number, flush=True)
"""


def run(armed: str, marker: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The program above with a point armed."""
    more = {"PYTHONPATH": str(ROOT), "PILOTHOUSE_FAILPOINT": armed}
    more |= {"PILOTHOUSE_FAILPOINT_ONCE": str(marker)} if marker else {}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | more, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("armed", "printed"), [("here", []), ("here:2", ["0"]), ("there:3", ["0", "1"])])
def test_it_ends_the_process_at_the_pass_that_is_asked_for(armed: str, printed: list[str]) -> None:
    done = run(armed)

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == printed


@pytest.mark.parametrize("armed", ["", "elsewhere", "here:4"])
def test_nothing_happens_where_no_point_is_reached(armed: str) -> None:
    done = run(armed)

    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])


def test_only_the_first_process_dies(tmp_path: Path) -> None:
    first, second = run("here", tmp_path / "died"), run("here", tmp_path / "died")

    assert (first.returncode, second.returncode) == (-signal.SIGKILL, 0)
    assert len((tmp_path / "died").read_text().split()) == 2
