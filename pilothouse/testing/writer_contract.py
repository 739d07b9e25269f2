"""What every store promises to several writers: versions that are compared, and numbers of one's own."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import asyncio

import pytest

from pilothouse.contracts import Appended, Store
from pilothouse.errors import Changed, Invalid
from pilothouse.model import event as e
from pilothouse.model.run import Control
from pilothouse.testing.samples import CANCEL, COMPLETED, PAUSE, a_note, an_item, log_of, running, types


class VersionContract:
    """The tests of appends that expect a version of the run."""

    async def test_what_was_decided_on_the_present_version_is_written(self, store: Store) -> None:
        run_id = await running(store)
        version = (await store.get(run_id)).version

        appended = await store.append(run_id, [PAUSE], expected=version)

        assert (version, appended.run.version) == ("1-running-none-2", "1-running-pause-3")

    async def test_what_was_decided_on_a_version_that_is_gone_is_refused(self, store: Store) -> None:
        run_id = await running(store)
        version = (await store.get(run_id)).version
        await store.append(run_id, [PAUSE])

        with pytest.raises(Changed) as caught:
            await store.append(run_id, [CANCEL], expected=version)

        assert caught.value.details["version"] == "1-running-pause-3"
        assert await types(store, run_id) == ["run.queued", "run.started", "control.requested"]

    async def test_of_many_who_decided_on_the_same_version_one_wins(self, store: Store) -> None:
        run_id = await running(store)
        version = (await store.get(run_id)).version

        answers = await asyncio.gather(
            *(store.append(run_id, [PAUSE], expected=version) for _ in range(8)), return_exceptions=True
        )

        assert sum(isinstance(answer, Appended) for answer in answers) == 1
        assert sum(isinstance(answer, Changed) for answer in answers) == 7

    async def test_facts_do_not_change_the_version(self, store: Store) -> None:
        run_id = await running(store)
        version = (await store.get(run_id)).version
        await store.append(run_id, [an_item("a"), a_note()], attempt=1, client_seq=1)

        appended = await store.append(run_id, [PAUSE], expected=version)

        assert appended.run.pending is Control.PAUSE

    async def test_a_batch_that_is_known_is_not_compared_again(self, store: Store) -> None:
        run_id = await running(store)
        version = (await store.get(run_id)).version
        await store.append(run_id, [COMPLETED], attempt=1, client_seq=1, expected=version)

        again = await store.append(run_id, [COMPLETED], attempt=1, client_seq=1, expected=version)

        assert (again.frames, again.acked) == ((), 1)


class WriterContract:
    """The tests of several writers of one attempt."""

    async def test_each_writer_counts_for_itself(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a"), an_item("b")], attempt=1, client_seq=1)

        first = await store.append(run_id, [a_note("1")], attempt=1, client_seq=1, writer="vitals")
        again = await store.append(run_id, [a_note("1")], attempt=1, client_seq=1, writer="vitals")
        job = await store.append(run_id, [an_item("c")], attempt=1, client_seq=3)

        assert [len(one.frames) for one in (first, again, job)] == [1, 0, 1]
        assert [one.acked for one in (first, again, job)] == [1, 1, 3]

    async def test_a_new_attempt_counts_anew_for_all_writers(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note()] * 3, attempt=1, client_seq=1, writer="rank-1")
        await store.append(run_id, [e.RunInterrupted(reason="signal 9"), e.RunStarted(attempt=2)])

        appended = await store.append(run_id, [a_note()], attempt=2, client_seq=1, writer="rank-1")

        assert (len(appended.frames), appended.acked) == (1, 1)

    async def test_writers_side_by_side_lose_and_double_nothing(self, store: Store) -> None:
        run_id = await running(store)

        async def write(writer: str) -> None:
            for number in range(1, 11):
                body = [an_item(f"{writer}.{number}")]
                for _ in range(2):
                    await store.append(run_id, body, attempt=1, client_seq=number, writer=writer)

        await asyncio.gather(*(write(f"rank-{rank}") for rank in range(8)))

        seqs, run = await log_of(store, run_id)
        assert seqs == list(range(1, 83))
        assert run.progress.done == 80

    @pytest.mark.parametrize("writer", ["", "Job", "a b", "x" * 33, "ü", "a\n"])
    async def test_a_writer_has_a_short_plain_name(self, store: Store, writer: str) -> None:
        run_id = await running(store)

        with pytest.raises(Invalid, match="writer"):
            await store.append(run_id, [a_note()], attempt=1, client_seq=1, writer=writer)

    async def test_an_attempt_may_have_any_number_of_writers(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note()] * 2, attempt=1, client_seq=1)
        for rank in range(200):
            await store.append(run_id, [a_note()] * 2, attempt=1, client_seq=1, writer=f"rank-{rank}")

        again = await store.append(run_id, [a_note()] * 2, attempt=1, client_seq=1, writer="rank-0")
        goes_on = await store.append(run_id, [a_note()] * 2, attempt=1, client_seq=2, writer="rank-1")
        job = await store.append(run_id, [a_note()] * 2, attempt=1, client_seq=1)

        assert [len(one.frames) for one in (again, goes_on, job)] == [0, 1, 0]
        assert [one.acked for one in (again, goes_on, job)] == [2, 3, 2]

    async def test_how_far_many_writers_had_come_is_known_to_the_next_attempt(self, store: Store) -> None:
        run_id = await running(store)
        for rank in range(150):
            await store.append(run_id, [a_note()], attempt=1, client_seq=1, writer=f"rank-{rank}")

        before = await store.acked(run_id)
        await store.append(run_id, [e.RunInterrupted(reason="signal 9"), e.RunStarted(attempt=2)])
        after = await store.acked(run_id)

        assert before == {f"rank-{rank}": 1 for rank in range(150)}
        assert after == {f"1/rank-{rank}": 1 for rank in range(150)}
