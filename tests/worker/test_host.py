"""The host with real children: orders, stops, ends, and what happens when either side dies."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pilothouse.contracts import COOPERATIVE_SECONDS, Ended, Order
from pilothouse.executors import local
from pilothouse.executors.local import LocalExecutor
from pilothouse.worker import host as host_module
from pilothouse.worker.host import Host
from pilothouse.worker.place import instance_of
from tests.e2e import stack
from tests.sdk.link_server import LinkServer
from tests.worker.test_local import alive

HANG = 60


def give(server: LinkServer, job: str, run_id: str = "run_1", attempt: int = 1) -> None:
    with server.changed:
        server.orders.append(
            {"run_id": run_id, "attempt": attempt, "entry": f"tests.worker.jobs:{job}", "kind": "script"}
        )
        server.changed.notify_all()


def tell_to_stop(server: LinkServer, run_id: str = "run_1", force: bool = False, attempt: int = 1) -> None:
    with server.changed:
        server.stops.append({"run_id": run_id, "attempt": attempt, "force": force})
        server.changed.notify_all()


def loads(claim: dict[str, Any]) -> float:
    return sum(each["cpu"] or 0.0 for each in claim["running"])


async def until(server: LinkServer, is_true: Callable[[], object]) -> None:
    await asyncio.to_thread(server.wait_for, is_true)


@pytest.fixture
async def host(server: LinkServer, tmp_path: Path) -> AsyncIterator[Host]:
    host = Host("lab", server.url, "secret", LocalExecutor(), 2, tmp_path)
    serving = asyncio.create_task(host.run())
    yield host
    host.stop()
    await asyncio.wait_for(serving, HANG)


@pytest.mark.anyio
@pytest.mark.usefixtures("host")
class TestHost:
    async def test_it_runs_what_it_is_ordered_and_tells_the_end(
        self, server: LinkServer, tmp_path: Path
    ) -> None:
        server.add_run(items=3)

        give(server, "counts")
        await until(server, lambda: server.ended)

        assert server.status() == "completed"
        assert server.ended == [
            {"run_id": "run_1", "attempt": 1, "exit_code": 0, "signal": None, "tail": "", "cut_off": False}
        ]
        assert (tmp_path / "runs" / "run_1" / "marks").exists()

    @pytest.mark.parametrize(("job", "cut_off"), [("is_cut_off", True), ("ends_as_if_cut_off", False)])
    async def test_only_a_job_that_was_cut_off_is_told_as_cut_off(
        self, server: LinkServer, job: str, cut_off: bool
    ) -> None:
        server.add_run()

        give(server, job)
        await until(server, lambda: server.ended)

        assert (server.ended[0]["exit_code"], server.ended[0]["cut_off"]) == (5, cut_off)

    async def test_it_takes_no_more_than_it_has_slots_for(self, server: LinkServer) -> None:
        for run_id in "abc":
            server.add_run(run_id)
            give(server, "hangs_for_ever", run_id)

        await until(server, lambda: any(claim["slots"] == 0 for claim in server.claims))

        assert [order["run_id"] for order in server.orders] == ["c"]
        tell_to_stop(server, "a", force=True)
        await until(server, lambda: not server.orders)

    async def test_a_cancel_that_the_job_obeys_needs_no_signal(self, server: LinkServer) -> None:
        server.add_run()
        give(server, "hangs_in_an_item")
        await until(server, lambda: server.keys("item.started"))

        server.cancel()
        tell_to_stop(server)
        await until(server, lambda: server.ended)

        assert (server.ended[0]["exit_code"], server.ended[0]["signal"]) == (3, None)

    async def test_a_job_that_ignores_everything_is_killed_in_the_end(
        self, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(host_module, "COOPERATIVE_SECONDS", 0.1)
        monkeypatch.setattr(host_module, "TERMINATE_SECONDS", 0.1)
        server.add_run()
        give(server, "ignores_everything")
        await until(server, lambda: server.bodies("log"))

        tell_to_stop(server)
        await until(server, lambda: server.ended)

        assert server.ended[0]["signal"] == signal.SIGKILL
        assert alive(tmp_path / "runs" / "run_1" / "marks") == []

    async def test_force_does_not_wait_for_the_gentle_steps(self, server: LinkServer) -> None:
        server.add_run()
        give(server, "ignores_everything")
        await until(server, lambda: server.bodies("log"))
        begun = time.monotonic()

        tell_to_stop(server)
        tell_to_stop(server, force=True)
        await until(server, lambda: server.ended)

        assert server.ended[0]["signal"] == signal.SIGKILL
        assert time.monotonic() - begun < COOPERATIVE_SECONDS

    async def test_a_stack_is_fetched_while_the_claim_waits(self, server: LinkServer) -> None:
        server.add_run()
        give(server, "hangs_for_ever")
        await until(server, lambda: server.bodies("log"))

        with server.changed:
            server.dumps.append("run_1")
            server.changed.notify_all()
        await until(server, lambda: server.stacks)

        (stack,) = server.stacks
        assert (stack["run_id"], stack["attempt"]) == ("run_1", 1)
        assert "in hangs_for_ever" in stack["text"]
        assert server.ended == []

    async def test_it_calls_often_and_tells_what_a_busy_job_uses(
        self, server: LinkServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(host_module, "BUSY_POLL_SECONDS", 0.1)
        monkeypatch.setattr(local, "LOOK_SECONDS", 0.2)
        server.add_run()

        give(server, "keeps_a_child_busy")
        await until(server, lambda: any(loads(claim) > 0.1 for claim in server.claims))

        assert {claim["wait"] for claim in server.claims} == {host_module.POLL_SECONDS, 0.1}

    async def test_it_keeps_its_jobs_when_the_server_restarts_and_reports_later(
        self, server: LinkServer
    ) -> None:
        server.add_run(items=30, seconds=0.02)
        give(server, "counts")
        await until(server, lambda: len(server.log.finished) > 5)

        server.stop()
        server.start()
        await until(server, lambda: server.ended)

        assert server.status() == "completed"
        assert server.keys("item.finished") == [str(n) for n in range(30)]
        assert server.ended[0]["exit_code"] == 0

    async def test_a_new_attempt_ends_the_old_one_first(self, server: LinkServer) -> None:
        server.add_run()
        give(server, "hangs_for_ever")
        await until(server, lambda: server.bodies("log"))

        server.next_attempt()
        give(server, "hangs_for_ever", attempt=2)
        await until(server, lambda: len(server.bodies("log")) >= 2)

        assert [ended["attempt"] for ended in server.ended] == [1]

    async def test_a_late_stop_of_an_older_attempt_touches_no_newer_one(
        self, server: LinkServer, tmp_path: Path
    ) -> None:
        server.add_run(items=20, seconds=0.02)
        server.next_attempt()
        give(server, "counts", attempt=2)
        await until(server, lambda: server.log.finished)

        tell_to_stop(server, force=True, attempt=1)
        await until(server, lambda: server.ended)

        assert (server.ended[0]["exit_code"], server.status()) == (0, "completed")


class Undying:
    """An executor whose attempts outlive every signal until the test lets them go."""

    def __init__(self) -> None:
        self.left = 2
        self.stops: list[bool] = []
        self._ends: asyncio.Queue[Ended] = asyncio.Queue()
        self._orders: list[Order] = []

    async def open(self, host: str, server: str) -> None:
        """Nothing was left."""

    async def start(self, order: Order) -> None:
        self._orders.append(order)

    async def stop(self, run_id: str, *, force: bool = False) -> None:
        self.stops.append(force)

    async def survivors(self, run_id: str) -> int:
        return self.left

    async def dump(self, run_id: str) -> str:
        return "é" * 100_000

    async def loads(self) -> dict[str, float]:
        return {}

    async def ended(self) -> Ended:
        return await self._ends.get()

    def running(self) -> list[str]:
        return [order.run_id for order in self._orders]

    async def close(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        while self._orders:
            order = self._orders.pop()
            self._ends.put_nowait(Ended(order.run_id, order.attempt, None, 9, ""))


@pytest.fixture
async def undying(
    server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Undying]:
    for name in ("COOPERATIVE_SECONDS", "TERMINATE_SECONDS", "OVERDUE_SECONDS", "LOOK_AGAIN_SECONDS"):
        monkeypatch.setattr(host_module, name, 0.05)
    executor = Undying()
    host = Host("lab", server.url, "secret", executor, 2, tmp_path)
    serving = asyncio.create_task(host.run())
    server.add_run()
    give(server, "hangs_for_ever")
    await until(server, executor.running)
    yield executor
    host.stop()
    await asyncio.wait_for(serving, HANG)


@pytest.mark.anyio
async def test_what_outlives_a_kill_is_told_while_the_host_goes_on_trying(
    server: LinkServer, undying: Undying
) -> None:
    tell_to_stop(server)
    await until(server, lambda: server.overdue)
    tries = len(undying.stops)

    undying.left = 1
    await until(server, lambda: len(server.overdue) == 2)

    assert [told["survivors"] for told in server.overdue] == [2, 1]
    assert len(undying.stops) > tries
    assert undying.stops[0] is False
    assert all(undying.stops[1:])
    assert server.ended == []
    undying.let_go()
    await until(server, lambda: server.ended)


@pytest.mark.anyio
async def test_a_stop_that_is_told_again_begins_nothing_anew(server: LinkServer, undying: Undying) -> None:
    tell_to_stop(server)
    await until(server, lambda: server.overdue)

    tell_to_stop(server)
    await until(server, lambda: not server.stops)
    for undying.left in (3, 4, 5):
        await until(server, lambda: server.overdue[-1]["survivors"] == undying.left)

    assert undying.stops.count(False) == 1
    assert [told["survivors"] for told in server.overdue] == [2, 3, 4, 5]


@pytest.mark.anyio
async def test_a_host_that_cannot_go_on_says_why_and_ends(server: LinkServer, tmp_path: Path) -> None:
    host = Host("lab", server.url, "secret", LocalExecutor(), 1, tmp_path)
    with server.changed:
        server.orders.append({"entry": "an order without a run"})

    with pytest.raises(KeyError, match="run_id"):
        await asyncio.wait_for(host.run(), HANG)

    assert server.left == [0]


@pytest.mark.anyio
async def test_a_host_whose_token_is_refused_says_so(
    server: LinkServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host("lab", server.url, "another", LocalExecutor(), 1, tmp_path)
    serving = asyncio.create_task(host.run())

    await asyncio.to_thread(stack.until, lambda: caplog.messages, "a word about the token")

    assert caplog.messages[0].startswith(f"claim is refused by {server.url}, trying on: 401")
    host.stop()
    await serving


@pytest.mark.anyio
async def test_an_attempt_that_will_not_die_holds_up_its_successor_and_nothing_else(
    server: LinkServer, undying: Undying
) -> None:
    server.next_attempt()
    give(server, "hangs_for_ever", attempt=2)
    await until(server, lambda: {each["attempt"] for each in server.claims[-1]["running"]} == {1, 2})
    assert server.claims[-1]["slots"] == 0

    undying.let_go()
    await until(
        server, lambda: server.claims[-1]["running"] == [{"run_id": "run_1", "attempt": 2, "cpu": None}]
    )

    assert undying.running() == ["run_1"]
    assert [ended["attempt"] for ended in server.ended] == [1]


@pytest.mark.anyio
async def test_a_very_long_stack_loses_its_middle(server: LinkServer, undying: Undying) -> None:
    with server.changed:
        server.dumps.append("run_1")
        server.changed.notify_all()
    await until(server, lambda: server.stacks)

    text = server.stacks[0]["text"]
    assert len(text.encode()) < host_module.STACK_BYTES + 100
    assert "140,000 bytes are left out here" in text
    assert text.startswith("éé") and text.endswith("éé")


@pytest.mark.anyio
async def test_what_cannot_be_started_is_reported_as_ended(server: LinkServer, tmp_path: Path) -> None:
    server.add_run()
    host = Host("lab", server.url, "secret", LocalExecutor(("/no/such/python",)), 1, tmp_path)
    serving = asyncio.create_task(host.run())

    give(server, "counts")
    await until(server, lambda: server.ended)

    assert "cannot be started" in server.ended[0]["tail"]
    host.stop()
    await serving


@pytest.mark.anyio
@pytest.mark.usefixtures("host")
async def test_a_host_leaves_the_jobs_of_its_namesake_in_another_folder_alone(
    server: LinkServer, tmp_path: Path
) -> None:
    server.add_run()
    give(server, "hangs_for_ever")
    await until(server, lambda: server.bodies("log"))
    namesake = Host("lab", server.url, "secret", LocalExecutor(), 0, tmp_path / "other")

    serving = asyncio.create_task(namesake.run())
    claims = len(server.claims)
    await until(server, lambda: len(server.claims) >= claims + 3)
    namesake.stop()
    await asyncio.wait_for(serving, HANG)

    assert server.ended == []


def test_a_host_is_another_one_only_where_it_runs_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"

    assert instance_of(here) == instance_of(here)
    assert instance_of(here) != instance_of(there)
