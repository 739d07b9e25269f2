"""The browser's one stream: headers of all runs, events of the watched ones, over both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from pilothouse.model import event as e
from tests.web.clients import Frame, Job, Stream, a_job, a_run, call, frames_of, until, websocket
from tests.web.serving import Running

Open = Callable[[str], AbstractContextManager[Iterator[Frame]]]


@pytest.fixture(params=["sse", "websocket"])
def open_stream(server: Running, request: pytest.FixtureRequest) -> Open:
    """Opens the browser's stream over one of its transports."""

    @contextmanager
    def over_sse(watch: str) -> Iterator[Iterator[Frame]]:
        with Stream(server, f"/api/stream?watch={watch}") as stream:
            assert stream.status == 200
            yield iter(stream)

    @contextmanager
    def over_websocket(watch: str) -> Iterator[Iterator[Frame]]:
        with websocket(server, f"/api/ws?watch={watch}") as connection:
            yield frames_of(connection)

    return over_sse if request.param == "sse" else over_websocket


def until_seen(frames: Iterator[Frame], job: Job, **fields: object) -> list[Frame]:
    """The frames up to the first header of a run with these fields."""
    seen = []
    for frame in frames:
        seen.append(frame)
        if frame.type != "run" or frame.run_id != job.id:
            continue
        if all(frame.data[name] == told for name, told in fields.items()):
            return seen
    raise AssertionError(f"never seen: {seen}")


def facts(frames: Iterator[Frame], count: int) -> dict[str, list[int]]:
    """The places of the next so many facts, by run."""
    places: dict[str, list[int]] = {}
    for frame in frames:
        if frame.seq is not None:
            assert frame.run_id is not None
            places.setdefault(frame.run_id, []).append(frame.seq)
            count -= 1
        if count == 0:
            return places
    raise AssertionError(f"too few: {places}")


def test_the_stream_begins_with_the_server_and_the_headers_of_all_runs(
    server: Running, open_stream: Open
) -> None:
    job = a_job(server)

    with open_stream("") as frames:
        seen = until_seen(frames, job, status="running")

    hello, *headers = seen
    assert (hello.type, hello.run_id) == ("hello", None)
    assert set(hello.data) == {"server_time", "version", "epoch"}
    assert all(frame.type in ("run", "run.deleted") and frame.seq is None for frame in headers)
    assert all(frame.id is None for frame in seen)
    assert all("params" not in frame.data for frame in headers)


@pytest.mark.rows("S1.89", "S4.52", "S4.60")
def test_a_run_that_is_made_or_changed_shows_up(server: Running, open_stream: Open) -> None:
    with open_stream("") as frames:
        next(frames)
        job = a_run(server)
        until_seen(frames, job, status="queued")
        job.say(e.RunStarted(attempt=1))
        until_seen(frames, job, status="running")
        job.say(e.RunCompleted())
        until_seen(frames, job, status="completed")


@pytest.mark.rows("S1.31", "S2.13", "S4.56")
def test_watched_runs_are_told_whole_and_each_in_order(server: Running, open_stream: Open) -> None:
    one, two, other = a_job(server), a_job(server), a_job(server)
    one.notes(300)

    with open_stream(f"{one.id}:0,{two.id}:1") as frames:
        told = facts(frames, 302 + 1)
        two.notes(300)
        other.notes(5)
        one.notes(1)
        more = facts(frames, 301)

    assert told == {one.id: list(range(1, 303)), two.id: [2]}
    assert more == {one.id: [303], two.id: list(range(3, 303))}


def test_each_watched_run_says_where_it_goes_on(server: Running, open_stream: Open) -> None:
    one, two = a_job(server), a_job(server)

    with open_stream(f"{one.id}:1,{two.id}:{two.run.epoch}-2") as frames:
        hellos = [next(frames) for _ in range(3)]

    assert [(frame.type, frame.run_id) for frame in hellos] == [
        ("hello", None),
        ("hello", one.id),
        ("hello", two.id),
    ]
    assert [frame.data["resumed_from"] for frame in hellos[1:]] == [1, 2]


def test_a_tab_that_comes_back_with_its_places_misses_nothing(server: Running, open_stream: Open) -> None:
    job = a_job(server)
    places: list[int] = []

    for round_ in range(5):
        job.notes(10)
        with open_stream(f"{job.id}:{places[-1] if places else 0}") as frames:
            places += facts(frames, 12 if round_ == 0 else 10)[job.id]

    assert places == list(range(1, 53))


def test_a_place_of_another_log_is_reset(server: Running, open_stream: Open) -> None:
    job = a_job(server)

    with open_stream(f"{job.id}:00000000-2") as frames:
        _, hello, reset = (next(frames) for _ in range(3))
        told = facts(frames, 2)

    assert (hello.data["resumed_from"], reset.type, reset.run_id) == (0, "reset", job.id)
    assert told == {job.id: [1, 2]}


def test_a_watched_run_that_does_not_exist_is_told_deleted_and_the_others_go_on(
    server: Running, open_stream: Open
) -> None:
    job = a_job(server)

    with open_stream(f"count_gone:5,{job.id}:0") as frames:
        _, deleted, hello = (next(frames) for _ in range(3))
        told = facts(frames, 2)

    assert (deleted.type, deleted.data) == ("run.deleted", {"id": "count_gone"})
    assert hello.run_id == job.id
    assert told == {job.id: [1, 2]}


def test_a_run_that_is_deleted_while_one_watches_is_told_and_the_others_go_on(
    server: Running, open_stream: Open
) -> None:
    gone, stays = a_job(server), a_job(server)
    gone.notes(600)
    gone.say(e.RunCompleted())

    with open_stream(f"{gone.id}:0,{stays.id}:2") as frames:
        next(frames)
        call(server, server.server.context.engine.delete(gone.id))
        for frame in frames:
            if frame.type == "run.deleted" and frame.data["id"] == gone.id:
                break
        stays.notes(1)
        told = facts(frames, 1)

    assert told == {stays.id: [3]}


@pytest.mark.parametrize("watch", ["a:b", "a:-1", ",".join(f"r{n}:0" for n in range(65))])
def test_a_malformed_watch_is_refused(server: Running, watch: str) -> None:
    with Stream(server, f"/api/stream?watch={watch}") as stream:
        assert stream.status == 422


@pytest.mark.rows("S4.39")
def test_a_tab_that_closes_lets_go_of_everything(server: Running, open_stream: Open) -> None:
    jobs = [a_job(server) for _ in range(5)]
    watch = ",".join(f"{job.id}:0" for job in jobs)
    context = server.server.context

    for _ in range(20):
        with open_stream(watch) as frames:
            facts(frames, 10)

    until(server, lambda: context.tails.all == [])
    until(server, lambda: not context.fleet.sleeping)


def test_a_heartbeat_reaches_a_quiet_tab(server: Running, open_stream: Open) -> None:
    job = a_job(server)
    fleet = server.server.context.fleet

    with open_stream("") as frames:
        until_seen(frames, job, status="running")
        until(server, lambda: bool(fleet.sleeping))
        server.loop.call_soon_threadsafe(fleet.beat)
        beat = next(frame for frame in frames if frame.type in ("comment", "heartbeat"))

    assert beat.seq is None
