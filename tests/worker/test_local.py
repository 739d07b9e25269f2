"""The local executor with real processes: nothing a job starts outlives it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from pilothouse.contracts import Ended, Executor, Order
from pilothouse.errors import Unavailable
from pilothouse.executors.local import LocalExecutor
from tests.sdk.link_server import LinkServer

pytestmark = pytest.mark.anyio
HANG = 60


@pytest.fixture
async def executor() -> AsyncIterator[Executor]:
    executor = LocalExecutor()
    yield executor
    await executor.close()


def order(server: LinkServer, folder: Path, job: str, run_id: str = "run_1") -> Order:
    return Order(run_id, 1, f"tests.worker.jobs:{job}", server.url, "secret", str(folder / run_id))


async def next_end(executor: Executor) -> Ended:
    return await asyncio.wait_for(executor.ended(), HANG)


async def until(server: LinkServer, is_true: Callable[[], object]) -> None:
    await asyncio.to_thread(server.wait_for, is_true)


def alive(marks: Path) -> list[int]:
    pids = [int(line) for line in marks.read_text().split()]
    return [
        pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]


async def test_it_runs_a_job_and_tells_its_end(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run(items=3)

    await executor.start(order(server, tmp_path, "counts"))

    assert executor.running() == ["run_1"]
    assert await next_end(executor) == Ended("run_1", 1, 0, None, "")
    assert executor.running() == []
    assert server.status() == "completed"


async def test_the_end_of_the_console_comes_with_it(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()

    await executor.start(order(server, tmp_path, "killed"))
    ended = await next_end(executor)

    assert (ended.exit_code, ended.signal, ended.tail) == (None, signal.SIGKILL, "last words\n")
    assert (tmp_path / "run_1" / "console-1.log").read_text() == "last words\n"


async def test_several_runs_live_side_by_side(executor: Executor, server: LinkServer, tmp_path: Path) -> None:
    for run_id in ("a", "b"):
        server.add_run(run_id)
        await executor.start(order(server, tmp_path, "hangs_for_ever", run_id))
    for run_id in ("a", "b"):
        await until(server, partial(server.bodies, "log", run_id))

    await executor.stop("a", force=True)

    assert (await next_end(executor)).run_id == "a"
    assert executor.running() == ["b"]


async def test_force_leaves_no_process_alive(executor: Executor, server: LinkServer, tmp_path: Path) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "ignores_everything"))
    await until(server, lambda: server.bodies("log"))

    await executor.stop("run_1")
    assert len(alive(tmp_path / "run_1" / "marks")) == 2
    await executor.stop("run_1", force=True)

    assert (await next_end(executor)).signal == signal.SIGKILL
    assert alive(tmp_path / "run_1" / "marks") == []


async def test_what_a_job_leaves_behind_is_ended_with_it(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "ignores_everything"))
    await until(server, lambda: server.bodies("log"))
    (leader,) = [p.pid for p in psutil.Process().children() if "pilothouse.worker.child" in p.cmdline()]

    os.kill(leader, signal.SIGKILL)

    await next_end(executor)
    assert alive(tmp_path / "run_1" / "marks") == []


async def test_stop_unwinds_the_job(executor: Executor, server: LinkServer, tmp_path: Path) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))
    await until(server, lambda: server.bodies("log"))

    await executor.stop("run_1")
    await executor.stop("unknown")

    assert (await next_end(executor)).exit_code == 143
    assert (tmp_path / "run_1" / "marks").read_text() == "finally\n"


async def test_the_token_is_in_no_command_line(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))
    await until(server, lambda: server.bodies("log"))

    lines = [" ".join(process.cmdline()) for process in psutil.Process().children()]

    assert any("pilothouse.worker.child" in line for line in lines)
    assert not any("secret" in line for line in lines)


async def test_what_cannot_be_started_is_unavailable(server: LinkServer, tmp_path: Path) -> None:
    executor = LocalExecutor(("/no/such/python",))

    with pytest.raises(Unavailable, match="cannot be started"):
        await executor.start(order(server, tmp_path, "counts"))

    assert executor.running() == []


async def test_a_second_attempt_of_a_live_run_is_refused(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))

    with pytest.raises(Unavailable, match="still alive"):
        await executor.start(order(server, tmp_path, "hangs_for_ever"))


async def test_close_ends_everything(server: LinkServer, tmp_path: Path) -> None:
    executor = LocalExecutor()
    server.add_run()
    await executor.start(order(server, tmp_path, "ignores_everything"))
    await until(server, lambda: server.bodies("log"))

    await executor.close()

    assert executor.running() == []
    assert alive(tmp_path / "run_1" / "marks") == []
