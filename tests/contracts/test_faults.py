"""A real server whose disk fills up, whose file is locked, or whose file is taken away under it (G1).

What was acknowledged is there; what cannot be stored is refused with 503 and a
time to try again; and when the fault is over, the same process goes on.
"""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from pilothouse.errors import Unavailable
from pilothouse.stores import database
from pilothouse.stores.sql import SqlStore
from pilothouse.testing.samples import a_note, an_item, log_of, running
from tests.contracts.audit import audit
from tests.contracts.server_process import Writing, refusal, serving
from tests.e2e.stack import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "size=8m"):
        yield disk


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system in memory; skips, loudly, where none can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system cannot be mounted here, so a bad one is NOT tested")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(writing: Writing) -> None:
    """Write until the server refuses, and a few times more."""
    until(lambda: not writing.write(), "the disk to be full")
    for _ in range(3):
        writing.write()


def look_around(writing: Writing, hint: str) -> None:
    """Nothing was claimed that is not so, and whoever looks is served."""
    assert writing.refusals
    assert {answer.status_code for answer in writing.refusals} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in writing.refusals)
    assert hint in writing.refusals[-1].json()["error"]["hint"]
    run = writing.get()
    assert run["progress"]["done"] == writing.acked
    assert len(writing.get("/events?after=0&limit=1000")["events"]) == run["head"]


async def settled(data: Path, writing: Writing) -> None:
    """What a store says of it after the server is gone."""
    store = SqlStore(f"sqlite:///{data / 'pilothouse.db'}")
    await store.open()
    finding = await audit(store, writing.run_id, {"job": writing.acked})
    await store.close()
    assert finding.is_clean, finding


async def test_a_full_disk_costs_nothing_and_the_server_goes_on_by_itself(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with serving(small_disk / "data") as writing:
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize
        put(ballast, free - 1_000_000)

        fill(writing)
        before = writing.acked
        look_around(writing, "Free disk space")
        ballast.unlink()
        until(writing.write, "the server to go on")
        until(lambda: writing.acked > before + 20 or not writing.write(), "twenty more items")

        assert writing.acked > before + 20
    assert before > 0
    await settled(small_disk / "data", writing)


async def test_a_disk_that_fails_to_write_costs_nothing_and_the_server_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as writing:
        assert writing.write()
        pid, free = writing.process.pid, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        size = (tmp_path / "pilothouse.db-wal").stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))

        fill(writing)
        look_around(writing, "Look at the disk")
        before = writing.acked
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
        until(writing.write, "the server to go on")

        assert writing.acked == before + 1 > 2
    await settled(tmp_path, writing)


async def test_a_locked_file_is_waited_for_then_refused_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.5)
    path = tmp_path / "pilothouse.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    holder = holding(path)

    with pytest.raises(Unavailable, match="locked") as caught:
        await store.append(run_id, [an_item("a")], attempt=1, client_seq=1)
    read = await store.get(run_id)
    holder.communicate("go\n")
    again = await store.append(run_id, [an_item("a")], attempt=1, client_seq=1)

    assert "try again" in (caught.value.hint or "")
    assert (read.head, again.run.head, again.acked) == (2, 3, 1)
    await store.close()


@pytest.mark.parametrize("fault", ["removed", "replaced", "cut short"])
async def test_a_file_that_is_taken_away_under_the_server_acknowledges_nothing_more(
    tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "pilothouse.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint")
    await store.append(run_id, [a_note()])
    spoil(path, fault)

    for _ in range(2):
        with pytest.raises(Unavailable, match=r"is gone|was replaced|was cut short"):
            await store.append(run_id, [a_note()])
        with pytest.raises(Unavailable):
            await store.get(run_id)
    await store.close()


async def test_a_file_that_is_put_back_is_used_again(tmp_path: Path) -> None:
    path, away = tmp_path / "pilothouse.db", tmp_path / "away.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    run_id = await running(store)
    path.rename(away)
    with pytest.raises(Unavailable):
        await store.append(run_id, [an_item("a")], attempt=1, client_seq=1)

    away.rename(path)
    await store.append(run_id, [an_item("a")], attempt=1, client_seq=1)

    assert (await log_of(store, run_id))[0] == [1, 2, 3]
    await store.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o555)

    with mounted(folder, "ro,size=1m") if os.geteuid() == 0 else nullcontext():  # root may write anywhere
        said = refusal(folder)

    assert f"the data folder {folder} cannot be written" in said
    assert "--data" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("fault", ["port", "bus"])
def test_what_a_server_cannot_have_is_named_in_two_lines(tmp_path: Path, fault: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        more = (
            {"PILOTHOUSE_PORT": str(port)} if fault == "port" else {"PILOTHOUSE_BUS": "redis://127.0.0.1:1"}
        )

        said = refusal(tmp_path, more)

    told = {
        "port": [f"port: {port} cannot be had", "Choose another port"],
        "bus": ["Redis cannot be reached", "Check PILOTHOUSE_BUS"],
    }
    lines = said.splitlines()
    assert len(lines) == 2, said
    assert all(line.startswith(start) for line, start in zip(lines, told[fault], strict=True)), said


def test_a_damaged_file_keeps_the_server_from_starting_in_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "pilothouse.db"
    path.write_bytes(os.urandom(20_000))
    before = path.read_bytes()

    said = refusal(tmp_path)

    assert [line.partition(":")[0] for line in said.splitlines()] == [
        f"{path} is damaged",
        "It was left as it is. Put a backup in its place",
    ]
    assert path.read_bytes() == before


def put(path: Path, size: int) -> None:
    """A file of this size."""
    with path.open("wb") as file:
        while size > 0:
            size -= file.write(bytes(min(size, 65536)))


def spoil(path: Path, fault: str) -> None:
    """What may happen to a file."""
    if fault == "cut short":
        os.truncate(path, 4096)
        return
    path.unlink()
    if fault == "replaced":
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")


def holding(path: Path) -> subprocess.Popen[str]:
    """Another process that has begun to write, until it is told something."""
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); input(); c.execute('ROLLBACK')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process
