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
from pilothouse.executors import local
from pilothouse.executors.family import job_of
from pilothouse.executors.local import LocalExecutor
from tests.jobs.hostile import survivors
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


def hostile(server: LinkServer, folder: Path) -> Order:
    return Order("run_1", 1, "tests.jobs.hostile:run", server.url, "secret", str(folder / "run_1"))


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
    job = job_of(leader)
    assert job

    os.kill(job.pid, signal.SIGKILL)

    assert (await next_end(executor)).signal == signal.SIGKILL
    assert alive(tmp_path / "run_1" / "marks") == []


async def test_a_job_that_kills_its_shim_is_found_by_its_marker(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run(ways=["signals", "session", "shim"], traces=str(tmp_path / "traces"))

    await executor.start(hostile(server, tmp_path))

    assert (await next_end(executor)).signal == signal.SIGKILL
    assert survivors(tmp_path / "traces") == []


async def test_a_job_that_stops_its_shim_is_ended_by_force(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "stops_its_shim"))
    await until(server, lambda: server.bodies("log"))

    await executor.stop("run_1", force=True)

    assert (await next_end(executor)).signal == signal.SIGKILL


async def test_a_new_host_ends_what_an_earlier_one_of_its_name_left_alive(
    server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    server.add_run("other")
    earlier, other, new = LocalExecutor(), LocalExecutor(), LocalExecutor()
    await earlier.open("lab", server.url)
    await other.open("elsewhere", server.url)
    await earlier.start(order(server, tmp_path, "stops_its_shim"))
    await other.start(order(server, tmp_path, "hangs_for_ever", "other"))
    for run_id in ("run_1", "other"):
        await until(server, partial(server.bodies, "log", run_id))

    await new.open("lab", server.url)

    assert (await next_end(earlier)).signal == signal.SIGKILL
    assert other.running() == ["other"]
    await other.close()


# What only a look at the processes tells


@pytest.mark.parametrize("ways", [[], ["signals", "lock"]])
async def test_a_job_tells_its_stack_and_goes_on(
    executor: Executor, server: LinkServer, tmp_path: Path, ways: list[str]
) -> None:
    server.add_run(ways=ways, traces=str(tmp_path / "traces"))
    await executor.start(hostile(server, tmp_path))
    await until(server, lambda: any(body.text == "ready" for body in server.bodies("log")))

    first, second = [await executor.dump("run_1") for _ in range(2)]

    for text in (first, second):
        assert text.count("(most recent call first):") >= 3, "one stack for each thread"
        assert text.count("tests/jobs/hostile.py") == 1
    assert executor.running() == ["run_1"]


async def test_only_the_job_itself_is_asked_for_its_stack(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run(ways=["session", "daemon"], traces=str(tmp_path / "traces"))
    await executor.start(hostile(server, tmp_path))
    await until(server, lambda: any(body.text == "ready" for body in server.bodies("log")))
    before = {process.pid for process in survivors(tmp_path / "traces")}

    text = await executor.dump("run_1")

    assert "tests/jobs/hostile.py" in text
    assert {process.pid for process in survivors(tmp_path / "traces")} == before != set()


async def test_a_job_that_cannot_answer_is_told_in_words(
    executor: Executor, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DUMP_SECONDS", 0.3)
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))
    await until(server, lambda: server.bodies("log"))
    (leader,) = psutil.Process().children()
    (job,) = leader.children()

    job.suspend()
    stopped = await executor.dump("run_1")
    unknown = await executor.dump("run_2")

    assert "did not answer within 0.3 s" in stopped
    assert unknown == "The job has ended."
    job.resume()


async def test_the_load_of_a_job_counts_its_whole_tree(
    executor: Executor, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LOOK_SECONDS", 0.5)
    for run_id, job in (("idle", "hangs_for_ever"), ("busy", "keeps_a_child_busy")):
        server.add_run(run_id)
        await executor.start(order(server, tmp_path, job, run_id))
        await until(server, partial(server.bodies, "log", run_id))

    assert await executor.loads() == {}, "one look cannot tell"
    loads: dict[str, float] = {}
    async with asyncio.timeout(HANG):
        while not loads.get("busy", 0.0) > 0.2:
            await asyncio.sleep(0.05)
            loads = await executor.loads()

    assert loads["busy"] < 2.0
    assert loads["idle"] < loads["busy"] / 2


async def test_survivors_are_the_processes_that_live(
    executor: Executor, server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "ignores_everything"))
    await until(server, lambda: server.bodies("log"))

    assert await executor.survivors("run_1") == 3
    assert await executor.survivors("run_2") == 0


async def test_stop_unwinds_the_job(executor: Executor, server: LinkServer, tmp_path: Path) -> None:
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))
    await until(server, lambda: server.bodies("log"))

    await executor.stop("run_1")
    await executor.stop("unknown")

    assert (await next_end(executor)).exit_code == 143
    assert (tmp_path / "run_1" / "marks").read_text() == "finally\n"


async def test_the_token_is_in_no_command_line_and_the_servers_secrets_in_no_job(
    executor: Executor, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_SMTP_PASSWORD", "hunter2")
    server.add_run()
    await executor.start(order(server, tmp_path, "hangs_for_ever"))
    await until(server, lambda: server.bodies("log"))

    children = psutil.Process().children(recursive=True)
    lines = [" ".join(process.cmdline()) for process in children]

    assert any("pilothouse.worker.child" in line for line in lines)
    assert not any("hunter2" in process.environ().values() for process in children)
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
