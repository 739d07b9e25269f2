"""What becomes of a run whose attempt is gone, with and without a last word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pilothouse.engine.hosts import Attempt
from pilothouse.errors import Unavailable
from pilothouse.model import event as e
from pilothouse.model.run import Control, Run, Status, Strength
from pilothouse.stores.memory import MemoryStore
from tests.engine import parts as p
from tests.engine.parts import AwayStore, BusyStore, Clock, Parts

pytestmark = pytest.mark.anyio

# What happened before, and where the run stands after its process is gone.
AFTERLIFE: dict[str, tuple[list[e.Body], Status, list[str]]] = {
    "running": ([p.STARTED], Status.QUEUED, ["run.interrupted"]),
    "running for the last time": ([p.STARTED, p.INTERRUPTED, p.AGAIN], Status.FAILED, ["run.failed"]),
    "pausing": ([p.STARTED, p.PAUSE], Status.PAUSED, ["run.interrupted", "run.paused"]),
    "held": ([p.STARTED, p.PAUSE, p.HELD], Status.PAUSED, ["run.interrupted", "run.paused"]),
    "cancelling": ([p.STARTED, p.CANCEL], Status.CANCELLED, ["run.cancelled"]),
    "held, cancelling": ([p.STARTED, p.PAUSE, p.HELD, p.CANCEL], Status.CANCELLED, ["run.cancelled"]),
    "released": ([p.STARTED, p.PAUSE, p.RELEASED], Status.PAUSED, []),
    "queued": ([p.STARTED, p.INTERRUPTED], Status.QUEUED, []),
    "completed": ([p.STARTED, p.COMPLETED], Status.COMPLETED, []),
    "failed": ([p.STARTED, p.FAILED], Status.FAILED, []),
    "cancelled": ([p.STARTED, p.CANCEL, p.CANCELLED], Status.CANCELLED, []),
}


async def lost(parts: Parts, run: Run, **how: Any) -> Run:
    """The run after its process has ended."""
    told = {"exit_code": None, "signal": None, **how}
    return await parts.scheduler.ended("lab", Attempt(run.id, run.attempt), tail="", **told)


@pytest.mark.parametrize("name", AFTERLIFE)
async def test_a_process_that_is_gone_leaves_the_run_where_the_table_says(parts: Parts, name: str) -> None:
    bodies, status, events = AFTERLIFE[name]
    run = await parts.run(*bodies)

    after = await lost(parts, run, signal=9)

    written = [frame.type for frame in await parts.store.read(run.id, run.head)]
    assert after.status is status
    assert written == events
    assert after.pending is None


async def test_the_end_of_an_older_attempt_changes_nothing(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.INTERRUPTED, p.AGAIN)

    after = await parts.scheduler.ended("lab", Attempt(run.id, 1), exit_code=1, signal=None, tail="")

    assert after == run


async def test_a_run_that_was_pausing_waits_and_remembers_who_paused_it(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.PAUSE)

    after = await lost(parts, run, exit_code=1)

    assert after.strength is Strength.RELEASE
    assert after.paused_by == "ada"
    assert after.notice == "exit code 1"


async def test_the_end_of_an_attempt_is_no_sign_of_a_host_that_went_silent(parts: Parts) -> None:
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))

    await parts.scheduler.ended("lab", Attempt(run.id, 1), exit_code=1, signal=None, tail="")

    assert list(parts.scheduler.hosts) == []
    assert parts.scheduler.hosts.silence_of(run) is None


async def test_a_host_that_leaves_a_server_that_is_new_was_heard_of_just_now(parts: Parts) -> None:
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))

    parts.scheduler.leave("lab")

    silence = parts.scheduler.hosts.silence_of(run)
    assert silence is not None
    assert silence < 1


async def test_a_failure_says_how_the_process_ended_and_shows_its_last_words(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.INTERRUPTED, p.AGAIN)

    after = await parts.scheduler.ended("lab", Attempt(run.id, 2), exit_code=None, signal=9, tail="x" * 5000)

    assert after.failure is not None
    assert after.failure.reason == "worker_lost"
    assert after.failure.message == "The job ended without a last word (signal 9), 2 times."
    assert after.failure.signal == 9
    assert after.failure.tail == "x" * 4000


async def test_a_process_that_never_began_has_no_exit_code(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    after = await lost(parts, run)

    assert after.notice == "its process could not be started"


async def test_a_run_of_a_kind_that_is_gone_fails_and_does_not_stop_the_reaper(parts: Parts) -> None:
    orphan = await parts.run(p.STARTED, kind="gone")

    after = await lost(parts, orphan, signal=9)

    assert after.status is Status.FAILED


async def test_the_reaper_settles_what_is_silent_for_longer_than_its_lease() -> None:
    clock = Clock()
    parts = Parts(MemoryStore(now=clock))
    silent, alive = await parts.run(p.STARTED), await parts.run(p.STARTED)
    await parts.store.renew(alive.id, 1, 60)

    clock.seconds += 30
    settled = await parts.scheduler.reap()

    assert [(run.id, run.status, run.notice) for run in settled] == [
        (silent.id, Status.QUEUED, "the job stopped answering")
    ]
    assert (await parts.store.get(alive.id)).status is Status.RUNNING


async def test_a_heartbeat_that_waits_in_line_with_the_reaper_keeps_its_run() -> None:
    clock = Clock()

    class SlowStore(MemoryStore):
        """The heartbeat is written between the reaper's look and its append, as on a disk that hung."""

        async def expired(self) -> Sequence[Run]:
            found = await super().expired()
            for run in found:
                await self.renew(run.id, run.attempt, 15)
            return found

    parts = Parts(SlowStore(now=clock))
    run = await parts.run(p.STARTED)

    clock.seconds += 30
    settled = await parts.scheduler.reap()

    assert settled == []
    assert await parts.store.get(run.id) == run


async def test_a_lost_attempt_never_ends_the_one_that_follows() -> None:
    parts = Parts(BusyStore())
    run = await parts.run(p.STARTED)
    assert isinstance(parts.store, BusyStore)
    parts.store.others = [[p.INTERRUPTED, p.AGAIN]]  # another server settled it and a host claimed it

    after = await lost(parts, run, signal=9)

    assert (after.status, after.attempt) == (Status.RUNNING, 2)


CONTROLS_IN_BETWEEN: dict[str, tuple[list[e.Body], e.Body, Status]] = {
    "a pause": ([p.STARTED], p.PAUSE, Status.PAUSED),
    "a cancel": ([p.STARTED], p.CANCEL, Status.CANCELLED),
    "a cancel of a pausing run": ([p.STARTED, p.PAUSE], p.CANCEL, Status.CANCELLED),
    "a cancel of a held run": ([p.STARTED, p.PAUSE, p.HELD], p.CANCEL, Status.CANCELLED),
    "a resume": ([p.STARTED, p.PAUSE], e.ControlWithdrawn(actor="ben"), Status.QUEUED),
    "a resume of a held run": ([p.STARTED, p.PAUSE, p.HELD], e.RunResumed(actor="ben"), Status.QUEUED),
}


@pytest.mark.parametrize("name", CONTROLS_IN_BETWEEN)
async def test_a_control_accepted_while_a_process_dies_is_kept(name: str) -> None:
    before, control, status = CONTROLS_IN_BETWEEN[name]
    parts = Parts(BusyStore())
    run = await parts.run(*before)
    assert isinstance(parts.store, BusyStore)
    parts.store.others = [control]

    after = await lost(parts, run, signal=9)

    assert after.status is status
    assert after.pending is None
    assert after.status is not Status.PAUSED or after.paused_by == "ada"


async def test_a_cancel_accepted_at_the_last_attempt_s_end_ends_cancelled(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.INTERRUPTED, p.AGAIN, p.CANCEL)

    after = await lost(parts, run, signal=9)

    assert after.status is Status.CANCELLED
    assert after.pending is not Control.CANCEL


@pytest.mark.parametrize(
    ("load", "status"), [(1.0, Status.RUNNING), (0.0, Status.RUNNING), (None, Status.QUEUED)]
)
async def test_a_silent_job_that_its_host_sees_at_work_keeps_its_lease(
    load: float | None, status: Status
) -> None:
    clock = Clock()
    parts = Parts(MemoryStore(now=clock))
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))
    attempt = Attempt(run.id, 1)

    clock.seconds += 14
    await parts.scheduler.claim("lab", 0, (attempt,), 0, {attempt: load})
    clock.seconds += 14
    await parts.scheduler.reap()

    assert (await parts.store.get(run.id)).status is status


async def test_a_host_prolongs_a_lease_now_and_then_and_not_with_every_call(parts: Parts) -> None:
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))
    attempt = Attempt(run.id, 1)
    await parts.scheduler.claim("lab", 0, (attempt,), 0, {attempt: 0.5})
    first = dict(parts.scheduler.hosts.meet("lab").vouched)

    await parts.scheduler.claim("lab", 0, (attempt,), 0, {attempt: 0.5})

    assert first
    assert parts.scheduler.hosts.meet("lab").vouched == first


async def test_a_lease_that_could_not_be_prolonged_is_prolonged_with_the_next_call() -> None:
    store = AwayStore()
    parts = Parts(store)
    run = await parts.run(e.RunStarted(attempt=1, host="lab"))
    attempt = Attempt(run.id, 1)
    await store.renew(run.id, 1, -1)
    store.away.add("renew")

    with pytest.raises(Unavailable):
        await parts.scheduler.claim("lab", 0, (attempt,), 0, {attempt: 1.0})
    await parts.scheduler.claim("lab", 0, (attempt,), 0, {attempt: 1.0})

    assert await store.expired() == []


async def test_a_process_that_left_during_a_pause_and_hangs_is_ended(parts: Parts) -> None:
    run = await parts.run(e.RunStarted(attempt=1, host="lab"), p.PAUSE, p.RELEASED)
    attempt = Attempt(run.id, 1)

    _, stops = await parts.scheduler.claim("lab", 0, (attempt,), 0)

    assert [(stop.attempt, stop.force) for stop in stops] == [(attempt, False)]
