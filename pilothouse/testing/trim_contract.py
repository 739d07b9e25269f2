"""What every store promises of logs whose beginning is trimmed away."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

import pytest
from pydantic_core import from_json

from pilothouse.contracts import Store
from pilothouse.errors import NotFound
from pilothouse.model import event as e
from pilothouse.questions import ItemQuery
from pilothouse.testing.samples import COMPLETED, PAUSE, a_note, an_item, ended, running, types


class TrimContract:
    """The tests of `trim` and `first_seq`."""

    async def test_a_log_begins_with_its_first_event_until_it_is_trimmed(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note(str(number)) for number in range(10)])

        assert await store.first_seq(run_id) == 1
        assert await store.trim(run_id, 7) == 7

        assert [frame.seq for frame in await store.read(run_id, 0)] == [7, 8, 9, 10, 11, 12]
        assert [frame.seq for frame in await store.read(run_id, 9)] == [10, 11, 12]
        assert await store.first_seq(run_id) == 7

    async def test_what_folding_gave_stays_as_it_was(self, store: Store) -> None:
        run_id = await running(store)
        bodies = [an_item(f"k{number}", ok=number % 2 == 0) for number in range(20)]
        await store.append(run_id, [*bodies, e.StateSaved(state={"step": 3}), COMPLETED])
        run, items = await store.get(run_id), await store.items(run_id, ItemQuery())

        await store.trim(run_id, run.head)

        assert await store.get(run_id) == run
        assert await store.items(run_id, ItemQuery()) == items
        assert len(await store.finished_keys(run_id)) == 20
        assert await store.saved_state(run_id) == {"step": 3}

    async def test_the_last_event_stays(self, store: Store) -> None:
        run_id = await ended(store)

        first = await store.trim(run_id, 1_000_000)

        assert first == 3
        assert await types(store, run_id) == ["run.completed"]

    async def test_a_trim_never_brings_anything_back(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note()] * 10)
        await store.trim(run_id, 8)

        for before in (8, 3, 0, -5):
            assert await store.trim(run_id, before) == 8

        assert [frame.seq for frame in await store.read(run_id, 0)] == [8, 9, 10, 11, 12]

    async def test_a_trimmed_run_goes_on_where_it_was(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a"), an_item("b")], attempt=1, client_seq=1)
        await store.trim(run_id, 4)

        known = await store.append(
            run_id, [an_item("b"), an_item("c")], attempt=1, client_seq=2, lenient=True
        )
        twice = await store.append(run_id, [an_item("a")], attempt=1, client_seq=4, lenient=True)

        assert [frame.seq for frame in known.frames] == [5]
        assert list(twice.refused) == [4]
        assert [frame.seq for frame in await store.read(run_id, 0)] == [4, 5]

    async def test_what_is_read_by_type_is_kept(self, store: Store) -> None:
        run_id = await running(store)
        told = [PAUSE, e.ControlWithdrawn(actor="ada"), e.PhaseStarted(name="p"), a_note(), an_item("a")]
        saved = [e.StateSaved(state={"step": step}) for step in range(3)]
        await store.append(run_id, [*told, *saved, e.Metric(step=1, values={"loss": 0.5}), a_note("last")])
        head = (await store.get(run_id)).head

        await store.trim(run_id, head)

        kept = (
            "run.queued",
            "run.started",
            "control.requested",
            "control.withdrawn",
            "phase.started",
            "metric",
        )
        assert [frame.type for frame in await store.read(run_id, 0, types=kept)] == list(kept)
        states = await store.read(run_id, 0, types=("state.saved",))
        assert [from_json(frame.data)["data"]["state"] for frame in states] == [{"step": 2}]
        assert await store.read(run_id, 0, types=("item.finished",)) == []

    async def test_of_many_metrics_a_sample_is_kept_with_both_ends(self, store: Store) -> None:
        run_id = await running(store)
        for page in range(12):
            names = ("loss", "accuracy")
            steps = range(page * 1000, page * 1000 + 1000)
            await store.append(run_id, [e.Metric(step=step, values={names[step % 2]: 1.0}) for step in steps])
        await store.append(run_id, [COMPLETED])

        await store.trim(run_id, (await store.get(run_id)).head)

        kept = [from_json(f.data)["data"] for f in await store.read(run_id, 0, 20_000, ("metric",))]
        assert 2000 <= len(kept) <= 4000
        assert (kept[0]["step"], kept[-1]["step"]) == (0, 11_999)
        assert all(sum(name in each["values"] for each in kept) > 500 for name in ("loss", "accuracy"))

    async def test_an_unknown_run_has_no_beginning(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.first_seq("nobody")
        with pytest.raises(NotFound):
            await store.trim("nobody", 5)
