"""The disk has it before the writer is told: what the kernel saw of an append (G1)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.kills import ROOT

PROGRAM = """
import asyncio, os, sys
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import a_note, running

async def main():
    store = SqlStore(sys.argv[1])
    await store.open()
    run_id = await running(store)
    for number in range(5):
        os.write(1, b"asked %d;" % number)
        await store.append(run_id, [a_note()])
        os.write(1, b"acknowledged %d;" % number)
    await store.close()

asyncio.run(main())
"""
_WORD = re.compile(r'write\(1<.*"(asked|acknowledged) (\d);"')


@pytest.mark.rows("S1.38")
def test_an_append_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, so that the disk comes before the answer is NOT tested")
    trace, wal = tmp_path / "trace", f"{tmp_path / 'pilothouse.db'}-wal"
    calls = "trace=write,pwrite64,fsync,fdatasync"
    strace = ["strace", "-f", "-qq", "-y", "-s", "32", "-e", calls, "-o", str(trace)]
    command = [*strace, sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path / 'pilothouse.db'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if "ptrace" in done.stderr:
        pytest.skip(f"strace may not look here, so the order is NOT tested: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr

    told = [step for line in trace.read_text().splitlines() if (step := step_in(line, wal))]

    assert [step for step in told if step.startswith("acknowledged")] == [
        f"acknowledged {n}" for n in range(5)
    ]
    for number in range(5):
        begin, end = told.index(f"asked {number}"), told.index(f"acknowledged {number}")
        between = told[begin + 1 : end]
        assert "write" in between, told
        assert between[-1] == "sync", between


def step_in(line: str, wal: str) -> str:
    """What a line of the trace tells of the log's file or of the program's words."""
    found = _WORD.search(line)
    if found:
        return f"{found[1]} {found[2]}"
    if wal not in line:
        return "sync" if "sync resumed" in line else ""
    return "sync" if "sync(" in line and "unfinished" not in line else "write" if "write64(" in line else ""
