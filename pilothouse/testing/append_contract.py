"""What every store promises of appends: order, atomicity, the fence, and batches that come twice."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import asyncio

import pytest
from pydantic_core import from_json

from pilothouse.contracts import Appended, Store
from pilothouse.errors import Invalid, InvalidTransition, LeaseLost, NotFound, TooLarge
from pilothouse.model import event as e
from pilothouse.model.run import Control, Status
from pilothouse.testing.samples import (
    CANCEL,
    COMPLETED,
    PAUSE,
    a_note,
    an_item,
    ended,
    log_of,
    queued,
    running,
    types,
)


class AppendContract:
    """The tests of `append`."""

    async def test_a_seq_follows_the_one_before(self, store: Store) -> None:
        run_id = await running(store)

        appended = await store.append(run_id, [an_item("a"), an_item("b")])

        assert [frame.seq for frame in appended.frames] == [3, 4]
        assert appended.run.head == 4
        assert appended.run.progress.done == 2

    async def test_what_was_appended_is_what_is_read(self, store: Store) -> None:
        run_id = await running(store)

        appended = await store.append(run_id, [an_item("a", data={"verdict": "sicher ☂ 安全 🚀"})])

        assert await store.read(run_id, 2) == list(appended.frames)
        frame = from_json(appended.frames[0].data)
        assert frame["seq"] == 3
        assert frame["run_id"] == run_id
        assert frame["data"]["data"] == {"verdict": "sicher ☂ 安全 🚀"}

    async def test_an_attempt_can_ask_what_earlier_ones_were_acknowledged(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note("x"), a_note("y")], attempt=1, client_seq=1)
        await store.append(run_id, [a_note("z")], attempt=1, client_seq=1, writer="rank-1")
        while_it_lived = await store.acked(run_id)

        await store.append(run_id, [e.RunInterrupted(reason="signal 9"), e.RunStarted(attempt=2)])
        await store.append(run_id, [a_note("again")], attempt=2, client_seq=1)

        assert while_it_lived == {"job": 2, "rank-1": 1}
        assert await store.acked(run_id) == {"job": 1, "1/job": 2, "1/rank-1": 1}
        with pytest.raises(NotFound):
            await store.acked("nobody")

    async def test_a_rejected_event_leaves_no_trace(self, store: Store) -> None:
        run_id = await running(store)
        before = await store.get(run_id)

        with pytest.raises(InvalidTransition):
            await store.append(run_id, [an_item("a"), e.RunPaused()])

        assert await types(store, run_id) == ["run.queued", "run.started"]
        assert await store.get(run_id) == before
        assert (await store.finished_keys(run_id)) == []

    async def test_an_unknown_run_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.append("nobody", [a_note()])

    async def test_of_two_claimers_exactly_one_wins(self, store: Store) -> None:
        run_id = await queued(store)
        claims = [store.append(run_id, [e.RunStarted(attempt=1, host=f"h{n}")]) for n in range(8)]

        answers = await asyncio.gather(*claims, return_exceptions=True)

        assert sum(isinstance(answer, Appended) for answer in answers) == 1
        assert sum(isinstance(answer, InvalidTransition) for answer in answers) == 7
        assert await types(store, run_id) == ["run.queued", "run.started"]

    async def test_a_refused_request_does_not_spoil_the_others(self, store: Store) -> None:
        good, bad = await running(store), await running(store)

        answers = await asyncio.gather(
            store.append(good, [an_item("a")]),
            store.append(bad, [e.RunPaused()]),
            store.append("nobody", [a_note()]),
            store.append(bad, [a_note()], attempt=7, client_seq=1),
            store.append(bad, [a_note()]),
            store.append(good, [an_item("b")]),
            return_exceptions=True,
        )

        kinds = [type(answer) for answer in answers]
        assert kinds == [Appended, InvalidTransition, NotFound, LeaseLost, Appended, Appended]
        assert (await store.get(good)).progress.done == 2

    async def test_fifty_appenders_leave_no_gap(self, store: Store) -> None:
        run_id = await running(store)

        async def append(worker: int) -> None:
            for index in range(10):
                await store.append(run_id, [an_item(f"{worker}-{index}")])

        await asyncio.gather(*(append(worker) for worker in range(50)))

        seqs, run = await log_of(store, run_id)
        assert seqs == list(range(1, 503))
        assert run.head == 502
        assert run.progress.done == 500

    async def test_a_batch_holds_a_thousand_bodies_and_no_more(self, store: Store) -> None:
        run_id = await running(store)
        bodies = [an_item(f"k{index}") for index in range(1000)]

        appended = await store.append(run_id, bodies, attempt=1, client_seq=1, lenient=True)

        assert appended.run.progress.done == 1000
        assert appended.acked == 1000
        with pytest.raises(TooLarge):
            await store.append(run_id, [a_note()] * 1001)

    async def test_numbers_that_are_none_become_valid_json(self, store: Store) -> None:
        run_id = await running(store)
        metric = e.parse_body("metric", {"step": 1, "values": {"loss": float("nan"), "top": float("inf")}})
        item = an_item("a", data={"score": float("nan"), "deep": [float("-inf")]})

        appended = await store.append(run_id, [metric, item])

        told = [from_json(frame.data, allow_inf_nan=False)["data"] for frame in appended.frames]
        assert told[0]["values"] == {"loss": "NaN", "top": "Infinity"}
        assert told[1]["data"] == {"score": "NaN", "deep": ["-Infinity"]}
        assert (await store.get(run_id)).metrics == {"loss": "NaN", "top": "Infinity"}

    async def test_what_json_cannot_say_is_refused(self, store: Store) -> None:
        run_id = await running(store)

        with pytest.raises(Invalid):
            await store.append(run_id, [an_item("a"), an_item("b", data={"text": "\ud800"})])

        assert await types(store, run_id) == ["run.queued", "run.started"]

    async def test_odd_text_survives(self, store: Store) -> None:
        run_id = await running(store)
        text = 'nul \x00, line \u2028, quote ", slash \\u0000, tab \t, 🚀'
        bodies = [an_item("k", error=text, data={"text": text, text: 1}), e.RunEdited(actor=text, name=text)]

        await store.append(run_id, bodies)

        item, edited = (from_json(frame.data)["data"] for frame in await store.read(run_id, 2))
        assert item["error"] == item["data"]["text"] == text
        assert edited["name"] == (await store.get(run_id)).name == text

    async def test_a_large_event_survives(self, store: Store) -> None:
        run_id = await running(store)
        text = "größe" * 200_000

        await store.append(run_id, [an_item("a", data={"text": text})])

        assert from_json((await store.read(run_id, 2))[0].data)["data"]["data"] == {"text": text}

    async def test_time_never_goes_back(self, store: Store) -> None:
        run_id = await running(store)

        for index in range(20):
            await store.append(run_id, [a_note(str(index))])

        times = [from_json(frame.data)["time"] for frame in await store.read(run_id, 0)]
        assert times == sorted(times)


class ControlContract:
    """The tests of controls and ends."""

    async def test_a_withdrawn_pause_cannot_be_acknowledged(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [PAUSE])
        await store.append(run_id, [e.ControlWithdrawn(actor="ben")])

        appended = await store.append(run_id, [e.RunPaused()], attempt=1, client_seq=1, lenient=True)

        assert list(appended.refused) == [1]
        assert appended.acked == 1
        assert (await store.get(run_id)).status is Status.RUNNING

    async def test_no_item_starts_while_a_pause_is_pending(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [PAUSE])
        bodies = [an_item("a"), e.ItemStarted(key="b", ask=True)]

        appended = await store.append(run_id, bodies, attempt=1, client_seq=1, lenient=True)

        assert list(appended.refused) == [2]
        assert appended.run.pending is Control.PAUSE
        assert [frame.type for frame in appended.frames] == ["item.finished"]

    @pytest.mark.parametrize(
        "last",
        [[COMPLETED], [e.RunFailed(message="no")], [CANCEL, e.RunCancelled(by="ada")]],
        ids=lambda bodies: bodies[-1].type,
    )
    async def test_terminal_is_terminal(self, store: Store, last: list[e.Body]) -> None:
        run_id = await running(store)
        end = (await store.append(run_id, last)).run

        for body in (e.RunStarted(attempt=2), PAUSE, CANCEL, COMPLETED, e.RunInterrupted(reason="x")):
            with pytest.raises(InvalidTransition):
                await store.append(run_id, [body])

        assert await store.get(run_id) == end

    async def test_a_pending_cancel_leaves_no_way_to_complete(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [CANCEL])

        with pytest.raises(InvalidTransition):
            await store.append(run_id, [COMPLETED], attempt=1, client_seq=1)

        assert (await store.get(run_id)).pending is Control.CANCEL


class FenceContract:
    """The tests of attempts, and of batches that come twice."""

    async def test_a_zombie_is_fenced(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a")], attempt=1, client_seq=1)
        await store.append(run_id, [e.RunInterrupted(reason="signal 9")])
        await store.append(run_id, [e.RunStarted(attempt=2)])

        for client_seq in (1, 2):
            with pytest.raises(LeaseLost):
                await store.append(run_id, [an_item("b")], attempt=1, client_seq=client_seq, lenient=True)

        assert await store.finished_keys(run_id) == ["a"]

    async def test_an_attempt_counts_from_the_beginning(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note()] * 5, attempt=1, client_seq=1)
        await store.append(run_id, [e.RunInterrupted(reason="signal 9"), e.RunStarted(attempt=2)])

        appended = await store.append(run_id, [a_note()], attempt=2, client_seq=1)

        assert len(appended.frames) == 1
        assert appended.acked == 1

    async def test_a_batch_that_comes_twice_is_stored_once(self, store: Store) -> None:
        run_id = await running(store)
        bodies = [an_item("a"), an_item("b")]
        await store.append(run_id, bodies, attempt=1, client_seq=1)

        again = await store.append(run_id, bodies, attempt=1, client_seq=1)

        assert again.frames == ()
        assert again.acked == 2
        assert (await store.get(run_id)).progress.done == 2

    async def test_of_a_batch_that_is_partly_known_the_rest_is_stored(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a"), an_item("b")], attempt=1, client_seq=1)

        again = await store.append(run_id, [an_item("b"), an_item("c")], attempt=1, client_seq=2)

        assert [from_json(frame.data)["data"]["key"] for frame in again.frames] == ["c"]
        assert again.acked == 3

    async def test_the_same_batch_sent_twice_at_once_is_stored_once(self, store: Store) -> None:
        run_id = await running(store)

        answers = await asyncio.gather(
            *(store.append(run_id, [an_item("a")], attempt=1, client_seq=1) for _ in range(5))
        )

        assert sorted(len(answer.frames) for answer in answers) == [0, 0, 0, 0, 1]

    async def test_after_the_end_a_known_batch_is_acknowledged_and_a_new_one_fenced(
        self, store: Store
    ) -> None:
        run_id = await running(store)
        last = [an_item("a"), COMPLETED]
        await store.append(run_id, last, attempt=1, client_seq=1, lenient=True)

        again = await store.append(run_id, last, attempt=1, client_seq=1, lenient=True)

        assert again.acked == 2
        assert again.frames == ()
        with pytest.raises(LeaseLost):
            await store.append(run_id, [COMPLETED, a_note()], attempt=1, client_seq=2, lenient=True)
        assert (await store.get(run_id)).head == 4

    async def test_refused_events_stay_known(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [e.RunPaused()], attempt=1, client_seq=1, lenient=True)
        await store.append(run_id, [PAUSE])

        again = await store.append(run_id, [e.RunPaused()], attempt=1, client_seq=1, lenient=True)

        assert again.frames == ()
        assert again.run.status is Status.RUNNING

    async def test_a_second_result_of_an_item_is_left_out(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a")], attempt=1, client_seq=1, lenient=True)
        bodies = [an_item("b"), an_item("a", ok=False), an_item("b", ok=False), an_item("c")]

        appended = await store.append(run_id, bodies, attempt=1, client_seq=2, lenient=True)

        assert sorted(appended.refused) == [3, 4]
        assert appended.run.progress.done == 3
        assert appended.run.progress.failed == 0

    async def test_an_ended_run_still_takes_facts_from_the_server(self, store: Store) -> None:
        run_id = await ended(store)

        appended = await store.append(run_id, [e.RunEdited(actor="ada", tags=("kept",))])

        assert appended.run.tags == ("kept",)
        assert appended.run.status is Status.COMPLETED
