"""Server-sent events of one run: places, service frames, the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilothouse.engine.engine import Engine
from pilothouse.model import event as e
from tests.web.clients import Frame, Job, Stream, a_job, a_run, call, until
from tests.web.serving import Running


@pytest.fixture
def job(server: Running) -> Job:
    """A run with 12 events."""
    job = a_job(server)
    job.notes(10)
    return job


@pytest.fixture
def ended(server: Running) -> Job:
    """A run that has ended after 13 events."""
    job = a_job(server)
    job.notes(10)
    job.say(e.RunCompleted())
    return job


def read(server: Running, job: Job, query: str = "", **headers: str) -> list[Frame]:
    """All frames of an ended run's stream."""
    with Stream(server, f"{job.path}/events{query}", headers) as stream:
        return list(stream)


def seqs(frames: list[Frame]) -> list[int]:
    """The places of the facts among frames."""
    return [frame.seq for frame in frames if frame.seq is not None]


def test_the_stream_begins_with_hello_which_has_no_id(server: Running, ended: Job) -> None:
    hello, *facts = read(server, ended)

    assert (hello.type, hello.id, hello.seq, hello.run_id) == ("hello", None, None, ended.id)
    assert hello.data["resumed_from"] == 0
    assert hello.data["head"] == 13
    assert hello.data["epoch"] == ended.run.epoch
    assert hello.data["server_time"].endswith("Z")
    assert all(fact.type != "hello" for fact in facts)


def test_every_fact_has_its_place_as_id_and_the_stream_ends_with_the_run(server: Running, ended: Job) -> None:
    _, *facts = read(server, ended)

    epoch = ended.run.epoch
    assert [fact.id for fact in facts] == [f"{epoch}-{seq}" for seq in range(1, 14)]
    assert seqs(facts) == list(range(1, 14))
    assert facts[-1].type == "run.completed"


@pytest.mark.rows("S1.78")
def test_the_answer_is_an_event_stream_that_nobody_caches_or_buffers(server: Running, ended: Job) -> None:
    with Stream(server, f"{ended.path}/events") as stream:
        headers = stream.response.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in headers["cache-control"]
    assert headers["x-accel-buffering"] == "no"


@pytest.mark.rows("S1.21", "S2.20")
@pytest.mark.parametrize("after", [0, 1, 7, 12])
def test_a_client_goes_on_where_it_stood(server: Running, ended: Job, after: int) -> None:
    epoch = ended.run.epoch
    ways = [
        read(server, ended, f"?after={after}"),
        read(server, ended, f"?after={epoch}-{after}"),
        read(server, ended, **{"Last-Event-ID": f"{epoch}-{after}"}),
        read(server, ended, **{"Last-Event-ID": str(after)}),
        read(server, ended, "?after=3", **{"Last-Event-ID": f"{epoch}-{after}"}),
    ]

    for frames in ways:
        assert frames[0].data["resumed_from"] == after
        assert seqs(frames) == list(range(after + 1, 14))


def test_a_client_that_has_it_all_is_sent_home(server: Running, ended: Job) -> None:
    frames = read(server, ended, "?after=13")

    assert [frame.type for frame in frames] == ["hello"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("00000000-5", "the database was replaced"),
        ("14", "the log is shorter than the place you knew"),
        ("999999999999999", "the log is shorter than the place you knew"),
    ],
)
def test_a_place_of_another_log_is_reset_and_told_from_the_beginning(
    server: Running, ended: Job, place: str, reason: str
) -> None:
    hello, reset, *facts = read(server, ended, **{"Last-Event-ID": place})

    assert hello.data["resumed_from"] == 0
    assert (reset.type, reset.id, reset.data) == ("reset", None, {"reason": reason})
    assert seqs(facts) == list(range(1, 14))


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "9" * 16, "a-b-3", "٣", "1 2", "%0a1"])
def test_a_malformed_place_is_refused(server: Running, job: Job, place: str) -> None:
    with Stream(
        server, f"{job.path}/events?after={place.replace('٣', '%D9%A3').replace(' ', '%20')}"
    ) as stream:
        assert stream.status == 422


def test_an_unknown_run_has_no_stream(server: Running) -> None:
    with Stream(server, "/api/runs/nobody/events") as stream:
        assert stream.status == 404
        assert stream.response.headers["content-type"] == "application/json"


@pytest.mark.rows("S1.62")
def test_news_arrive_while_one_listens(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/events?after=12") as stream:
        frames = iter(stream)
        hello = next(frames)
        job.notes(1)
        first = next(frames)
        job.say(e.RunCompleted())
        rest = list(frames)

    assert hello.type == "hello"
    assert (first.seq, first.type) == (13, "note")
    assert seqs(rest) == [14]


def test_a_run_that_waits_is_watched_from_its_first_event(server: Running) -> None:
    job = a_run(server)

    with Stream(server, f"{job.path}/events") as stream:
        frames = iter(stream)
        _, queued = next(frames), next(frames)
        job.say(e.RunCancelled(by="ada"))
        rest = list(frames)

    assert queued.type == "run.queued"
    assert [frame.type for frame in rest] == ["run.cancelled"]


def test_text_that_looks_like_the_protocol_stays_text(server: Running) -> None:
    job = a_job(server)
    hostile = "a\n\nid: 7-99\ndata: {}\r\n\r\nevent: x\u2028\u0085:\x00\u0007"
    job.say(
        e.Log(text=hostile),
        e.Note(feed="error", text="\ud83d\ude80".encode("utf-16", "surrogatepass").decode("utf-16")),
    )
    job.say(e.RunCompleted())

    facts = read(server, job)[1:]

    assert seqs(facts) == [1, 2, 3, 4, 5]
    assert facts[2].data["text"] == hostile
    assert facts[3].data["text"] == "🚀"


def test_a_deleted_run_ends_its_streams(server: Running) -> None:
    job = a_job(server)
    engine: Engine = server.server.context.engine

    async def end_and_delete() -> None:
        await engine.store.append(job.id, [e.RunCompleted()])
        await engine.delete(job.id)

    with Stream(server, f"{job.path}/events") as stream:
        frames = iter(stream)
        begun = [next(frames) for _ in range(3)]
        call(server, end_and_delete())
        rest = list(frames)

    assert seqs(begun) == [1, 2]
    assert rest == []


@pytest.mark.rows("S1.67")
def test_who_leaves_is_forgotten(server: Running, job: Job) -> None:
    tails = server.server.context.tails

    with Stream(server, f"{job.path}/events") as stream:
        next(iter(stream))
        counted = tails.watchers(job.id)

    until(server, lambda: tails.watchers(job.id) == 0)
    assert counted == 1
    assert [tail for tail in tails.all if tail.run_id == job.id] == []


@pytest.mark.rows("S1.67", "S5.4")
def test_many_who_come_and_go_leave_no_tasks_and_no_tails(server: Running, job: Job) -> None:
    tails = server.server.context.tails

    def tasks() -> int:
        async def count() -> int:
            return len(asyncio.all_tasks())

        return call(server, count())

    with Stream(server, f"{job.path}/events") as stream:
        next(iter(stream))
    until(server, lambda: tails.all == [])
    before = tasks()

    for number in range(500):
        stream = Stream(server, f"{job.path}/events?after={number % 12}")
        if number % 2:
            next(iter(stream))
        stream.close()

    until(server, lambda: tails.all == [])
    until(server, lambda: len(asyncio.all_tasks(server.loop)) <= before + 3)


def test_a_heartbeat_comes_when_it_is_due_and_carries_nothing(server: Running, job: Job) -> None:
    with Stream(server, f"{job.path}/events?after=12") as stream:
        frames = iter(stream)
        next(frames)
        tail = server.server.context.tails.all[0]
        until(server, lambda: bool(tail.sleeping))
        server.loop.call_soon_threadsafe(tail.beat)
        beat: Any = next(frames)

    assert beat.type == "comment"
    assert beat.id is None
