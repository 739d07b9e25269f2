"""What every store promises of reading: events, items, saved state."""
# ruff: noqa: D102 — the tests' names are sentences

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.contracts import Store
from pilothouse.errors import NotFound
from pilothouse.model import event as e
from pilothouse.questions import ItemQuery
from pilothouse.testing.samples import a_note, an_item, running


class ReadContract:
    """The tests of `read` and `saved_state`."""

    async def test_a_reader_goes_on_where_it_stopped(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note(str(index)) for index in range(8)])

        first = await store.read(run_id, 0, 4)
        second = await store.read(run_id, first[-1].seq, 4)
        third = await store.read(run_id, second[-1].seq, 4)

        assert [frame.seq for page in (first, second, third) for frame in page] == list(range(1, 11))
        assert await store.read(run_id, 10) == []

    async def test_a_reader_may_take_the_newest(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note(str(index)) for index in range(8)])

        assert [frame.seq for frame in await store.read(run_id, 0, 3, newest=True)] == [8, 9, 10]
        assert [frame.seq for frame in await store.read(run_id, 9, 3, newest=True)] == [10]

    async def test_a_reader_may_take_some_types(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [a_note("1"), an_item("a"), a_note("2"), e.Log(text="x"), a_note("3")])

        notes = await store.read(run_id, 0, types=("note",))
        newest = await store.read(run_id, 0, 2, types=("note", "log"), newest=True)

        assert [(frame.seq, frame.type) for frame in notes] == [(3, "note"), (5, "note"), (7, "note")]
        assert [frame.seq for frame in newest] == [6, 7]

    async def test_an_unknown_run_cannot_be_read(self, store: Store) -> None:
        for call in (
            store.read("nobody", 0),
            store.items("nobody", ItemQuery()),
            store.finished_keys("nobody"),
            store.saved_state("nobody"),
        ):
            with pytest.raises(NotFound):
                await call

    async def test_the_latest_saved_state_counts(self, store: Store) -> None:
        run_id = await running(store)
        assert await store.saved_state(run_id) is None

        await store.append(run_id, [e.StateSaved(state={"n": 1}), e.StateSaved(state={"n": 2, "x": [None]})])

        assert await store.saved_state(run_id) == {"n": 2, "x": [None]}


class ItemContract:
    """The tests of `items` and `finished_keys`."""

    async def test_an_item_goes_from_in_flight_to_done(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [e.ItemStarted(key="a", label="Item A")])
        started = (await store.items(run_id, ItemQuery())).items[0]

        await store.append(run_id, [an_item("a", seconds=1.5, data={"x": 1})])
        finished = (await store.items(run_id, ItemQuery())).items[0]

        assert (started.state, started.starts, started.seconds, started.seq) == ("in_flight", 1, None, 3)
        assert (finished.state, finished.starts, finished.seconds, finished.seq) == ("done", 1, 1.5, 4)
        assert finished.label == "Item A"
        assert finished.data == {"x": 1}
        assert finished.attempt == 1

    async def test_an_item_that_is_repeated_counts_its_starts(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [e.ItemStarted(key="a"), e.ItemStarted(key="b"), an_item("b")])
        await store.append(run_id, [e.RunInterrupted(reason="x"), e.RunStarted(attempt=2)])

        await store.append(run_id, [e.ItemStarted(key="a"), e.ItemStarted(key="b")])

        page = await store.items(run_id, ItemQuery())
        told = {item.key: (item.state, item.starts, item.attempt) for item in page.items}
        assert told == {"a": ("in_flight", 2, 2), "b": ("done", 2, 1)}

    async def test_an_item_keeps_what_its_result_says_of_an_earlier_attempt(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [e.ItemStarted(key="a"), e.ItemStarted(key="b")])
        flagged = an_item("a", possible_duplicate=True)

        await store.append(run_id, [flagged, an_item("b"), e.ItemStarted(key="c")])
        await store.append(run_id, [e.ItemStarted(key="a")])

        page = await store.items(run_id, ItemQuery())
        told = {item.key: item.possible_duplicate for item in page.items}
        assert told == {"a": True, "b": False, "c": False}

    async def test_an_item_that_was_never_started_is_finished_all_the_same(self, store: Store) -> None:
        run_id = await running(store)

        await store.append(run_id, [an_item("a", ok=False, error="boom")])

        item = (await store.items(run_id, ItemQuery())).items[0]
        assert (item.state, item.starts, item.error) == ("failed", 0, "boom")

    async def test_finished_keys_include_the_failed(self, store: Store) -> None:
        run_id = await running(store)

        await store.append(run_id, [an_item("a"), an_item("b", ok=False), e.ItemStarted(key="c")])

        assert sorted(await store.finished_keys(run_id)) == ["a", "b"]

    async def test_items_are_newest_first_and_go_on(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item(f"k{index}") for index in range(5)])

        first = await store.items(run_id, ItemQuery(limit=3))
        second = await store.items(run_id, ItemQuery(limit=3, before=first.before))

        assert [item.key for item in first.items] == ["k4", "k3", "k2"]
        assert [item.key for item in second.items] == ["k1", "k0"]
        assert (first.total, first.head, second.before) == (5, 7, None)

    async def test_items_behind_a_place_are_oldest_first(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item(f"k{index}", ok=index != 2) for index in range(5)])

        first = await store.items(run_id, ItemQuery(limit=2, after=0))
        second = await store.items(run_id, ItemQuery(limit=2, after=first.items[-1].seq))
        between = await store.items(run_id, ItemQuery(after=3, before=7, states=("done",)))

        assert [item.key for item in first.items] == ["k0", "k1"]
        assert [item.key for item in second.items] == ["k2", "k3"]
        assert [item.key for item in between.items] == ["k1", "k3"]
        assert (first.total, first.before, second.total) == (0, None, 0)

    async def test_items_are_filtered_by_state(self, store: Store) -> None:
        run_id = await running(store)
        await store.append(run_id, [an_item("a"), an_item("b", ok=False), e.ItemStarted(key="c")])

        failed = await store.items(run_id, ItemQuery(states=("failed",)))
        two = await store.items(run_id, ItemQuery(states=("done", "in_flight")))

        assert [item.key for item in failed.items] == ["b"]
        assert failed.total == 1
        assert [item.key for item in two.items] == ["c", "a"]

    @pytest.mark.parametrize(
        ("where", "keys"),
        [
            ({"model": "a"}, ["1", "0"]),
            ({"model": "a", "ok": True}, ["0"]),
            ({"ok": 1}, []),
            ({"n": 1}, ["1", "0"]),
            ({"n": 0.1}, ["2"]),
            ({"n": "1"}, []),
            ({"none": None}, ["2", "1", "0"]),
            ({"ü '.$[0] key": "quote ' \" \\ %"}, ["2"]),
            ({"list": [1, "x"]}, ["2"]),
            ({"0": "digit"}, ["2"]),
            ({"model": "a' OR 1=1"}, []),
        ],
    )
    async def test_items_are_filtered_by_fields(
        self, store: Store, where: dict[str, Any], keys: list[str]
    ) -> None:
        run_id = await running(store)
        odd = {"ü '.$[0] key": "quote ' \" \\ %", "list": [1, "x"], "0": "digit"}
        data: list[dict[str, Any]] = [
            {"model": "a", "ok": True, "n": 1},
            {"model": "a", "ok": False, "n": 1.0, "none": None},
            {"model": "b\x00", "n": 0.1, **odd},
        ]
        await store.append(run_id, [an_item(str(i), data=fields) for i, fields in enumerate(data)])

        page = await store.items(run_id, ItemQuery(where=where))

        assert [item.key for item in page.items] == keys
        assert page.total == len(keys)

    @pytest.mark.parametrize(
        ("text", "keys"),
        [
            ("ALPHA", ["alpha"]),
            ("100%", ["beta"]),
            ("_", []),
            ("time", ["gamma"]),
            ('say "hi"', ["alpha"]),
            ("größe", ["beta"]),
        ],
    )
    async def test_items_are_searched_by_text(self, store: Store, text: str, keys: list[str]) -> None:
        run_id = await running(store)
        bodies = [
            an_item("alpha", data={"answer": 'say "hi"'}),
            an_item("beta", data={"size": "größe 100%"}),
            an_item("gamma", ok=False, error="Timeout"),
        ]
        await store.append(run_id, bodies)

        page = await store.items(run_id, ItemQuery(text=text))

        assert [item.key for item in page.items] == keys
        assert page.total == len(keys)

    async def test_numbers_that_are_none_are_words_in_items(self, store: Store) -> None:
        run_id = await running(store)

        await store.append(run_id, [an_item("a", data={"score": float("nan")})])

        page = await store.items(run_id, ItemQuery(where={"score": "NaN"}))
        assert page.items[0].data == {"score": "NaN"}

    async def test_many_results_come_back_once_each(self, store: Store) -> None:
        run_id = await running(store)
        bodies = [an_item(f"k{index}") for index in range(1000)]
        await store.append(run_id, bodies, attempt=1, client_seq=1, lenient=True)

        again = await store.append(run_id, bodies, attempt=1, client_seq=1001, lenient=True)

        assert len(again.refused) == 1000
        assert again.acked == 2000
        assert len(await store.finished_keys(run_id)) == 1000
