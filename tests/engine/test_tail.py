"""The tail: every watcher gets every event once and in order, however the news arrives."""

from __future__ import annotations

import asyncio
import json
from typing import NoReturn

import pytest

from pilothouse.engine import tail as tail_module
from pilothouse.engine.segment import PIECE_BYTES, SEGMENT, Segment, segment_of
from pilothouse.engine.tail import KEPT_SEGMENTS, Tails
from pilothouse.engine.watcher import Watcher
from pilothouse.errors import NotFound
from pilothouse.testing.samples import a_note
from pilothouse.transports.follow import Batch, follow
from pilothouse.transports.place import Place
from tests.engine import parts as p
from tests.engine.parts import GatedStore, Parts, seqs_of, settle

pytestmark = pytest.mark.anyio


async def fill(parts: Parts, run_id: str, count: int) -> None:
    """Append notes in batches."""
    for start in range(0, count, 500):
        notes = [a_note(str(n)) for n in range(start, min(start + 500, count))]
        await parts.engine.append(run_id, *notes)


PLACES = (0, 1, 254, 255, 256, 257, 511, 512, 513, 9_999)


async def test_ten_thousand_events_come_once_and_in_order_from_any_place(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    await fill(parts, run.id, 9_997)
    await parts.engine.append(run.id, p.COMPLETED)

    async with parts.tails.follow(run.id) as tail:
        got = [await seqs_of(tail, after) for after in PLACES]

    assert got == [list(range(after + 1, 10_001)) for after in PLACES]


async def test_events_that_come_while_one_watches_are_seen_in_order(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        for _ in range(100):
            await parts.engine.append(run.id, a_note(), a_note(), a_note())
            await settle(2)
        await parts.engine.append(run.id, p.COMPLETED)
        async with asyncio.timeout(2):
            got = await watching

    assert got == list(range(1, 304))


@pytest.mark.rows("S4.59", "S5.54")
async def test_many_watchers_of_an_old_place_cost_one_read() -> None:
    parts = Parts(GatedStore())
    run = await parts.run(p.STARTED)
    await fill(parts, run.id, 200)
    await parts.engine.append(run.id, p.COMPLETED)
    assert isinstance(parts.store, GatedStore)

    async with parts.tails.follow(run.id) as tail:
        got = await asyncio.gather(*(seqs_of(tail) for _ in range(200)))

    assert all(seqs == got[0] for seqs in got)
    assert parts.store.reads == 1


@pytest.mark.rows("S1.67", "S5.16")
async def test_two_watchers_share_one_tail_and_the_last_one_closes_it(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as one:
        async with parts.tails.follow(run.id) as two:
            shared, watchers = one is two, parts.tails.watchers(run.id)
        alone = parts.tails.watchers(run.id)

    assert shared
    assert (watchers, alone, parts.tails.watchers(run.id)) == (2, 1, 0)
    assert parts.tails.all == []


@pytest.mark.rows("S2.90")
async def test_a_lost_ring_delays_but_never_drops(parts: Parts) -> None:
    tails = Tails(parts.store, parts.engine.doorbell, look_seconds=0.02)
    run = await parts.run(p.STARTED)

    async with tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        await settle()
        await parts.store.append(run.id, [a_note(), p.COMPLETED])  # no ring
        async with asyncio.timeout(2):
            got = await watching

    assert got == [1, 2, 3, 4]


async def test_a_ring_without_news_sends_nothing(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        for _ in range(10):
            await parts.bus.ring(run.id)
            await settle(3)
        await parts.engine.append(run.id, p.COMPLETED)
        async with asyncio.timeout(1):
            got = await watching

    assert got == [1, 2, 3]


async def test_after_an_outage_of_the_bus_everybody_looks(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        await settle()
        await parts.store.append(run.id, [p.COMPLETED])
        await parts.bus.ring("*")
        async with asyncio.timeout(1):
            got = await watching

    assert got == [1, 2, 3]


async def test_a_watcher_who_joins_while_others_wait_for_the_disk_misses_nothing() -> None:
    parts = Parts(GatedStore())
    run = await parts.run(p.STARTED)
    await fill(parts, run.id, 10)
    store = parts.store
    assert isinstance(store, GatedStore)
    await parts.bus.open()

    async with parts.tails.follow(run.id) as tail:
        store.gate.clear()
        slow = asyncio.create_task(seqs_of(tail))  # its read has looked, and waits
        await settle()
        late = asyncio.create_task(seqs_of(tail, after=12))
        await parts.store.append(run.id, [a_note()])
        tail.head = 13  # what the tail's own reader has learnt meanwhile
        await tail.wake_all()
        await settle()
        store.gate.set()
        await parts.engine.append(run.id, p.COMPLETED)
        async with asyncio.timeout(2):
            assert await slow == list(range(1, 15))
            assert await late == [13, 14]


async def test_an_ended_run_is_told_and_over(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.COMPLETED)

    async with parts.tails.follow(run.id) as tail, asyncio.timeout(1):
        assert await seqs_of(tail) == [1, 2, 3]
        assert await seqs_of(tail, after=3) == []


async def test_a_run_that_ended_while_nobody_looked_is_over_at_the_next_look(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    async with parts.tails.follow(run.id):
        pass

    await parts.engine.append(run.id, a_note(), p.COMPLETED)

    async with parts.tails.follow(run.id) as tail, asyncio.timeout(1):
        assert await seqs_of(tail, after=2) == [3, 4]


async def test_an_edit_after_the_end_is_there_for_who_comes_later(parts: Parts) -> None:
    run = await parts.run(p.STARTED, p.COMPLETED)
    await parts.engine.edit(run.id, "ada", "renamed", None)

    async with parts.tails.follow(run.id) as tail, asyncio.timeout(1):
        assert await seqs_of(tail) == [1, 2, 3, 4]


async def test_a_deleted_run_is_over_for_its_watchers(parts: Parts) -> None:
    tails = Tails(parts.store, parts.engine.doorbell, look_seconds=0.02)
    run = await parts.run(p.STARTED)

    async with tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        await settle()
        await parts.store.append(run.id, [p.COMPLETED])
        await parts.store.delete(run.id)
        async with asyncio.timeout(1):
            got = await watching

    assert got == [1, 2]


async def test_a_slow_watcher_of_a_deleted_run_comes_to_an_end_too(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    await fill(parts, run.id, 600)
    await parts.engine.append(run.id, p.COMPLETED)

    async with parts.tails.follow(run.id) as tail:
        batches = follow(tail, Watcher(), 0)
        first = await anext(batches)
        await parts.engine.delete(run.id)
        rest = [batch async for batch in batches]

    assert isinstance(first, Batch)
    assert rest == []


async def test_an_unknown_run_has_no_tail(parts: Parts) -> None:
    with pytest.raises(NotFound):
        async with parts.tails.follow("bench_none"):
            pass

    assert parts.tails.all == []


async def test_many_who_open_a_tail_at_once_and_fail_leave_nothing_behind(parts: Parts) -> None:
    async def enter() -> None:
        async with parts.tails.follow("bench_none"):
            pass

    before = len(asyncio.all_tasks())
    outcomes = await asyncio.gather(*(enter() for _ in range(20)), return_exceptions=True)
    await settle()

    assert all(isinstance(outcome, NotFound) for outcome in outcomes)
    assert len(asyncio.all_tasks()) == before


async def test_who_stops_following_while_a_tail_opens_leaves_nothing_behind(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async def enter() -> None:
        async with parts.tails.follow(run.id) as tail:
            await seqs_of(tail)

    before = len(asyncio.all_tasks())
    for turns in range(12):
        task = asyncio.create_task(enter())
        await settle(turns)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await settle()

    assert parts.tails.all == []
    assert len(asyncio.all_tasks()) == before


async def test_only_the_newest_segments_stay_in_memory(parts: Parts) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        await fill(parts, run.id, SEGMENT * (KEPT_SEGMENTS + 6))
        await settle()
        while tail.head < SEGMENT * KEPT_SEGMENTS:
            await settle()
        old, new = tail.ready(0), tail.ready(tail.head - 1)
        segment = await tail.segment(0)

    assert isinstance(segment, Segment)
    assert old is None
    assert new is not None
    assert (segment.first, segment.last) == (1, SEGMENT)


async def test_large_events_do_not_fill_the_memory(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "KEPT_BYTES", 1_000_000)
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        for _ in range(20):
            await parts.engine.append(run.id, *[a_note("x" * 2_000)] * 100)
            await settle(5)
        await parts.engine.append(run.id, p.COMPLETED)
        got = await seqs_of(tail)
        kept = sum(segment.size for segment in tail._segments.values())

    assert got == list(range(1, 2_004))
    assert kept < 1_000_000 + SEGMENT * 2_200


async def test_a_tail_that_meets_a_bug_sends_its_watchers_home(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        watching = asyncio.create_task(seqs_of(tail))
        await settle()
        monkeypatch.setattr(parts.store, "read", broken)
        await parts.bus.ring(run.id)
        async with asyncio.timeout(1):
            got = await watching
    monkeypatch.undo()
    async with parts.tails.follow(run.id) as again:
        is_closed = again.closed

    assert got == [1, 2]
    assert not is_closed
    assert f"the log of {run.id} cannot be followed" in caplog.text


async def broken(*_: object) -> NoReturn:
    """A call of the store that fails as none should."""
    raise RuntimeError("a bug")


async def test_dismissed_watchers_go_home_even_while_they_catch_up(parts: Parts) -> None:
    run = await parts.run(p.STARTED)
    await fill(parts, run.id, 5_000)

    async with parts.tails.follow(run.id) as tail:
        batches = follow(tail, Watcher(), 0)
        await anext(batches)
        parts.tails.dismiss()
        rest = [batch async for batch in batches]

    assert len(rest) <= 1


async def test_a_place_the_store_has_reached_is_not_lost_though_this_server_has_not_heard(
    parts: Parts,
) -> None:
    run = await parts.run(p.STARTED)

    async with parts.tails.follow(run.id) as tail:
        await parts.store.append(run.id, [a_note(), a_note()])  # no ring yet
        known = await Place(4).lost_in(tail)
        beyond = await Place(5).lost_in(tail)
        foreign = await Place(1, "0000").lost_in(tail)

    assert known is None
    assert beyond == "the log is shorter than the place you knew"
    assert foreign == "the database was replaced"


def test_a_segment_joins_its_frames_once_for_each_place() -> None:
    segment = Segment(257, "ab", [json.dumps({"seq": n}).encode() for n in (257, 258)])

    whole, half = segment.sse_after(256), segment.sse_after(257)

    assert whole == (258, b'id: ab-257\ndata: {"seq": 257}\n\nid: ab-258\ndata: {"seq": 258}\n\n')
    assert half == (258, b'id: ab-258\ndata: {"seq": 258}\n\n')
    assert segment.sse_after(256) is whole
    segment.add(b"{}")
    assert segment.sse_after(256) == (259, whole[1] + b"id: ab-259\ndata: {}\n\n")


def test_a_segment_that_is_read_from_everywhere_keeps_few_copies() -> None:
    segment = Segment(1, "ab", [b"x" * 1000] * SEGMENT)

    for seq in range(SEGMENT):
        segment.sse_after(seq)

    assert sum(len(joined) for _, joined in segment.joined.values()) < 4 * SEGMENT * 1100


def test_large_events_are_joined_in_pieces_that_follow_each_other() -> None:
    segment = Segment(1, "ab", [b"x" * 60_000] * SEGMENT)
    places, sizes = [0], []

    while places[-1] < SEGMENT:
        last, piece = segment.sse_after(places[-1])
        places.append(last)
        sizes.append(len(piece))

    assert all(size < PIECE_BYTES + 61_000 for size in sizes)
    assert sum(sizes) > SEGMENT * 60_000
    assert places == [*range(0, 256, 2), 256]


def test_a_segment_whose_beginning_is_gone_holds_what_is_left() -> None:
    segment = Segment(1, "ab", [b"{}"] * 3, begin=101)

    held = [seq for seq in (0, 99, 100, 102, 103) if segment.holds(seq)]

    assert held == [100, 102]
    assert segment.last == 103
    assert segment.sse_after(101) == (103, b"id: ab-102\ndata: {}\n\nid: ab-103\ndata: {}\n\n")


@pytest.mark.parametrize(("after", "first"), [(0, 1), (255, 1), (256, 257), (511, 257), (512, 513)])
def test_the_segment_of_a_place_is_the_one_with_the_next_event(after: int, first: int) -> None:
    assert segment_of(after) == first
