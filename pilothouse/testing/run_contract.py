"""What every store promises of runs: making, finding, listing, leases and deleting them."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import asyncio

import pytest
from pydantic_core import from_json

from pilothouse.contracts import Store
from pilothouse.errors import Changed, Conflict, LeaseLost, NotFound
from pilothouse.model import event as e
from pilothouse.model.run import Status, Strength
from pilothouse.questions import ItemQuery, Reuse, RunQuery
from pilothouse.testing.samples import (
    COMPLETED,
    PAUSE,
    a_note,
    a_run,
    an_item,
    ended,
    queued,
    running,
    types,
)


class CreateContract:
    """The tests of `create`."""

    async def test_a_new_run_is_queued_and_has_a_number(self, store: Store) -> None:
        new = a_run(params={"n": 1, "deep": {"x": [1, 2]}}, tags=("a", "ü"), priority=3)

        run, is_created = await store.create(new)

        assert is_created
        assert run.status is Status.QUEUED
        assert run.number > 0
        assert run.epoch == store.epoch
        assert run == await store.get(new.id)
        frame = (await store.read(new.id, 0))[0]
        assert from_json(frame.data)["data"]["params"] == {"n": 1, "deep": {"x": [1, 2]}}

    async def test_a_run_of_its_own_process_is_made_and_begun_at_once(self, store: Store) -> None:
        old = await ended(store, an_item("a"))

        reuse = Reuse(old, ("done",))
        run, _ = await store.create(a_run(process="laptop:1", reuse=reuse, idempotency_key="mine"))
        again, is_created = await store.create(a_run(process="laptop:1", idempotency_key="mine"))

        assert (again, is_created) == (run, False)
        assert (run.status, run.attempt, run.host, run.attached) == (Status.RUNNING, 1, "laptop:1", True)
        assert run == await store.get(run.id)
        assert await types(store, run.id) == ["run.queued", "item.finished", "run.started"]
        assert await store.expired() == []
        await store.renew(run.id, 1, -1.0)
        assert [each.id for each in await store.expired()] == [run.id]

    async def test_numbers_are_unique_and_grow(self, store: Store) -> None:
        answers = await asyncio.gather(*(store.create(a_run()) for _ in range(20)))

        numbers = [run.number for run, _ in answers]
        assert numbers == sorted(set(numbers))

    async def test_a_number_is_never_used_again(self, store: Store) -> None:
        run_id = await ended(store)
        number = (await store.get(run_id)).number
        await store.delete(run_id)

        run, _ = await store.create(a_run())

        assert run.number > number

    async def test_an_id_is_used_once(self, store: Store) -> None:
        new = a_run()
        await store.create(new)

        with pytest.raises(Conflict):
            await store.create(new)

    async def test_an_idempotency_key_makes_one_run(self, store: Store) -> None:
        answers = await asyncio.gather(*(store.create(a_run(idempotency_key="k1")) for _ in range(5)))
        other, is_created = await store.create(a_run(idempotency_key="k2"))

        assert sorted(created for _, created in answers) == [False] * 4 + [True]
        assert len({run.id for run, _ in answers}) == 1
        assert is_created
        assert other.id != answers[0][0].id

    async def test_an_idempotency_key_belongs_to_its_owner(self, store: Store) -> None:
        await store.create(a_run(idempotency_key="k1", owner="ada"))

        _, is_created = await store.create(a_run(idempotency_key="k1", owner="ben"))

        assert is_created

    async def test_reused_results_are_there_before_anybody_can_claim_the_run(self, store: Store) -> None:
        old = await ended(store, *(an_item(f"k{index}", ok=index > 2) for index in range(2500)))
        new = a_run(reuse=Reuse(old, ("done", "failed")))

        making = asyncio.create_task(store.create(new))
        seen = set()
        while not making.done():
            seen |= {run.progress.done for run in (await store.list(RunQuery())).runs if run.id == new.id}
            await asyncio.sleep(0)
        run, _ = await making

        assert seen <= {2500}
        assert run == await store.get(new.id)
        assert run.progress.done == run.progress.reused == 2500
        assert run.progress.failed == 3
        assert run.head == 2501
        assert [frame.seq for frame in await store.read(run.id, 0, 3000)] == list(range(1, 2502))
        assert len(await store.finished_keys(run.id)) == 2500

    async def test_a_run_begins_with_the_results_that_are_wanted_in_their_order(self, store: Store) -> None:
        items = [an_item("z", data={"x": 1}), an_item("b", ok=False, error="broke"), an_item("a")]
        old = await ended(store, *items, an_item("later"))

        run, _ = await store.create(a_run(reuse=Reuse(old, ("done",), until=5)))

        kept = reversed((await store.items(run.id, ItemQuery())).items)
        assert [(item.key, item.data, item.seq) for item in kept] == [("z", {"x": 1}, 2), ("a", {}, 3)]

    async def test_an_idempotency_key_makes_one_run_of_an_old_one(self, store: Store) -> None:
        old = await ended(store, an_item("a"))
        new = [a_run(idempotency_key="k1", reuse=Reuse(old, ("done",))) for _ in range(3)]

        answers = await asyncio.gather(*map(store.create, new))
        again = await store.create(a_run(idempotency_key="k1", reuse=Reuse(old, ("done",))))

        assert sorted(created for _, created in [*answers, again]) == [False] * 3 + [True]
        assert len({run.id for run, _ in [*answers, again]}) == 1
        assert (await store.list(RunQuery())).total == 2

    async def test_the_results_of_a_run_that_is_gone_are_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.create(a_run(reuse=Reuse("nobody", ("done",))))

        assert (await store.list(RunQuery())).total == 0


class WaitingContract:
    """The tests of `waiting`."""

    async def test_the_most_urgent_run_waits_first_and_then_the_oldest(self, store: Store) -> None:
        first, _, urgent = [await queued(store, priority=priority) for priority in (0, 0, 5)]
        await queued(store, kind="other")
        await running(store)

        waiting = await store.waiting(["benchmark"], 2)

        assert [run.id for run in waiting] == [urgent, first]
        assert waiting[0] == await store.get(urgent)
        assert await store.waiting([], 9) == []

    async def test_a_run_with_a_back_off_takes_nobody_s_place(self, store: Store) -> None:
        crashed = await running(store, priority=5)
        await store.append(crashed, [e.RunInterrupted(reason="signal 9", wait_seconds=2.5)])
        first, second = await queued(store), await queued(store)

        assert [run.id for run in await store.waiting(["benchmark"], 1)] == [crashed, first]
        assert [run.id for run in await store.waiting(["benchmark"], 9)] == [crashed, first, second]


class FindContract:
    """The tests of `get`, `resolve` and `list`."""

    async def test_a_run_is_found_by_every_reference(self, store: Store) -> None:
        run, _ = await store.create(a_run("gen_1760790379_abc", name="my run"))
        await store.create(a_run("gen_1760790400_abd", name="other"))
        references = (run.id, "gen_17607903", f"#{run.number}", str(run.number), "my run")

        for reference in references:
            assert (await store.resolve(reference)).id == run.id
        assert (await store.resolve("@last")).id == "gen_1760790400_abd"

    async def test_what_fits_nothing_is_not_found(self, store: Store) -> None:
        await queued(store)

        for reference in ("", "nobody", "#99999", "99999", "bench%", "_", "#", "BENCH"):
            with pytest.raises(NotFound):
                await store.resolve(reference)
        with pytest.raises(NotFound):
            await store.get("nobody")

    async def test_what_fits_several_is_ambiguous_and_names_five(self, store: Store) -> None:
        for index in range(7):
            await store.create(a_run(f"amb_{index}", name="twin"))

        for reference in ("amb_", "twin"):
            with pytest.raises(Conflict, match="amb_6") as caught:
                await store.resolve(reference)
            assert caught.value.code == "ambiguous"
            assert caught.value.message.count("amb_") == 5 + (reference == "amb_")

    async def test_a_name_is_looked_up_as_it_is_now(self, store: Store) -> None:
        run_id = await queued(store, name="old")
        await store.append(run_id, [e.RunEdited(actor="ada", name="new" * 200)])

        assert (await store.resolve("new" * 200)).id == run_id
        with pytest.raises(NotFound):
            await store.resolve("old")

    async def test_a_list_is_newest_first_and_goes_on(self, store: Store) -> None:
        ids = [await queued(store) for _ in range(5)]

        first = await store.list(RunQuery(limit=2))
        second = await store.list(RunQuery(limit=2, before=first.before))
        third = await store.list(RunQuery(limit=2, before=second.before))

        listed = [run.id for page in (first, second, third) for run in page.runs]
        assert listed == ids[::-1]
        assert first.total == third.total == 5
        assert third.before is None

    async def test_a_list_is_filtered(self, store: Store) -> None:
        mine = await running(store, owner="ada", kind="training", tags=("a", "b%"), name="Größe 100%")
        await queued(store, owner="ben", tags=("ab", ","))
        queries = (
            RunQuery(statuses=(Status.RUNNING, Status.PAUSED)),
            RunQuery(kinds=("training",)),
            RunQuery(owner="ada"),
            RunQuery(tag="a"),
            RunQuery(tag="b%"),
            RunQuery(text="größe"[2:]),
            RunQuery(text="100%"),
            RunQuery(text=mine),
        )

        for query in queries:
            page = await store.list(query)
            assert [run.id for run in page.runs] == [mine], query
            assert page.total == 1

    async def test_a_list_carries_whole_runs(self, store: Store) -> None:
        run_id = await running(store, params={"x": 1}, tags=("t",))
        await store.append(run_id, [e.ParamsChanged(actor="ada", values={"x": 2})])

        page = await store.list(RunQuery())

        assert page.runs == (await store.get(run_id),)
        assert page.runs[0].params == {"x": 2}


class LeaseContract:
    """The tests of leases. They set leases that have run out already, so none of them waits."""

    async def test_a_claimed_run_has_a_lease(self, store: Store) -> None:
        await running(store)

        assert await store.expired() == []

    async def test_a_lease_runs_out(self, store: Store) -> None:
        run_id, other = await running(store), await running(store)

        await store.renew(run_id, 1, -1.0)
        await store.renew(other, 1, 60.0)

        assert [run.id for run in await store.expired()] == [run_id]

    async def test_a_lease_is_renewed(self, store: Store) -> None:
        run_id = await running(store)
        await store.renew(run_id, 1, -1.0)

        run = await store.renew(run_id, 1, 60.0)

        assert run.id == run_id
        assert await store.expired() == []

    async def test_a_lease_renewed_beside_an_append_counts(self, store: Store) -> None:
        running_on, over = await running(store), await running(store)

        await asyncio.gather(
            store.renew(running_on, 1, -1.0),
            store.append(running_on, [a_note()]),
            store.renew(over, 1, -1.0),
            store.append(over, [COMPLETED]),
        )

        assert [run.id for run in await store.expired()] == [running_on]

    async def test_a_heartbeat_that_came_in_time_is_not_overlooked(self, store: Store) -> None:
        run_id = await running(store)
        await store.renew(run_id, 1, -1.0)
        assert [run.id for run in await store.expired()] == [run_id]
        lost = e.RunInterrupted(reason="silent")

        await store.renew(run_id, 1, 60.0)
        with pytest.raises(Changed):
            await store.append(run_id, [lost], attempt=1, lapsed=True)
        await store.renew(run_id, 1, -1.0)
        await store.append(run_id, [lost], attempt=1, lapsed=True)

        assert (await store.get(run_id)).status is Status.QUEUED

    async def test_a_held_run_has_a_lease_and_a_released_one_has_none(self, store: Store) -> None:
        held, released = await running(store), await running(store)
        for run_id, strength in ((held, Strength.HOLD), (released, Strength.RELEASE)):
            await store.append(run_id, [PAUSE])
            await store.append(run_id, [e.RunPaused(strength=strength)])
            await store.renew(run_id, 1, -1.0)

        assert [run.id for run in await store.expired()] == [held]

    async def test_an_ended_run_has_no_lease(self, store: Store) -> None:
        run_id = await running(store)
        await store.renew(run_id, 1, -1.0)

        await store.append(run_id, [COMPLETED])

        assert await store.expired() == []

    async def test_only_the_current_attempt_renews(self, store: Store) -> None:
        waiting, over = await running(store), await ended(store)

        for run_id, attempt in ((waiting, 2), (waiting, 0), (over, 1)):
            with pytest.raises(LeaseLost):
                await store.renew(run_id, attempt, 60.0)
        with pytest.raises(NotFound):
            await store.renew("nobody", 1, 60.0)


class DeleteContract:
    """The tests of `delete`."""

    async def test_a_deleted_run_is_gone(self, store: Store) -> None:
        run_id, other = await ended(store), await ended(store)

        await store.delete(run_id)

        for call in (store.get(run_id), store.read(run_id, 0), store.delete(run_id), store.resolve(run_id)):
            with pytest.raises(NotFound):
                await call
        with pytest.raises(NotFound):
            await store.append(run_id, [a_note()])
        assert await types(store, other) == ["run.queued", "run.started", "run.completed"]

    async def test_a_live_run_is_not_deleted(self, store: Store) -> None:
        run_id = await running(store)

        with pytest.raises(Conflict):
            await store.delete(run_id)

        assert (await store.get(run_id)).status is Status.RUNNING


class EpochContract:
    """The tests of a database that was put back from a copy."""

    async def test_a_new_epoch_is_in_every_run_and_in_its_log(self, store: Store) -> None:
        run_ids = [await running(store), await ended(store)]
        before, heads = store.epoch, [(await store.get(run_id)).head for run_id in run_ids]

        epoch = await store.renew_epoch()

        assert store.epoch == epoch != before
        for run_id, head in zip(run_ids, heads, strict=True):
            run, frames = await store.get(run_id), await store.read(run_id, 0)
            assert (run.epoch, run.head) == (epoch, head)
            assert from_json(frames[0].data)["data"]["epoch"] == epoch
        assert (await store.append(run_ids[0], [a_note()])).run.epoch == epoch
        assert (await store.get(await queued(store))).epoch == epoch
