"""What is gone is told once and exactly, on every transport, and the rest follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pilothouse.model import event as e
from tests.web.clients import Frame, Job, Stream, a_job, call, frames_of, websocket
from tests.web.serving import Running, running

TOTAL = 1_200
Read = Callable[[Running, Job, int, int], list[Frame]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on a database file."""
    data = tmp_path_factory.mktemp("data")
    with running(data, database=f"sqlite:///{data}/p.db", lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running) -> Job:
    """A run with a long log."""
    job = a_job(server)
    job.notes(TOTAL - 2)
    return job


def trim(job: Job, upto: int) -> None:
    """Forget the beginning of a log; the store keeps the last event."""
    call(job.server, job.server.server.context.store.trim(job.id, upto + 1))


def until(frames: Iterator[Frame], head: int) -> list[Frame]:
    """The facts and losses up to a place."""
    told = []
    for frame in frames:
        if frame.seq is not None or frame.type in ("gap", "reset"):
            told.append(frame)
        if head in (frame.seq, frame.data.get("to")):
            return told
    raise AssertionError(f"ended before {head}: {told[-3:]}")


def by_sse(server: Running, job: Job, after: int, head: int) -> list[Frame]:
    with Stream(server, f"{job.path}/events?after={after}") as stream:
        return until(iter(stream), head)


def by_websocket(server: Running, job: Job, after: int, head: int) -> list[Frame]:
    with websocket(server, f"{job.path}/ws?after={after}") as connection:
        return until(frames_of(connection), head)


def by_browser(server: Running, job: Job, after: int, head: int) -> list[Frame]:
    with Stream(server, f"/api/stream?watch={job.id}:{after}") as stream:
        return until(iter(stream), head)


def by_browser_socket(server: Running, job: Job, after: int, head: int) -> list[Frame]:
    with websocket(server, f"/api/ws?watch={job.id}:{after}") as connection:
        return until(frames_of(connection), head)


def by_poll(server: Running, job: Job, after: int, head: int) -> list[Frame]:
    told: list[Frame] = []
    while after < head:
        with server.client() as client:
            answer = client.get(f"{job.path}/events?after={after}&limit=100").json()
        if gap := answer.get("gap"):
            told.append(Frame("gap", gap, run_id=job.id))
            after = gap["to"]
        for event in answer["events"]:
            told.append(Frame(event["type"], event["data"], run_id=job.id, seq=event["seq"]))
            after = event["seq"]
    return told


TRANSPORTS = [by_sse, by_websocket, by_browser, by_browser_socket, by_poll]


@pytest.mark.parametrize("read", TRANSPORTS)
@pytest.mark.parametrize(
    ("kept_from", "after", "gap"),
    [
        (501, 0, (1, 500)),
        (501, 300, (301, 500)),
        (501, 499, (500, 500)),
        (501, 500, None),
        (257, 0, (1, 256)),
        (256, 0, (1, 255)),
        (2, 0, (1, 1)),
        (TOTAL, 0, (1, TOTAL - 1)),
    ],
)
def test_a_gap_is_told_once_and_exactly(
    server: Running, job: Job, read: Read, kept_from: int, after: int, gap: tuple[int, int] | None
) -> None:
    trim(job, kept_from - 1)

    told = read(server, job, after, TOTAL)

    lost = [(frame.data["from"], frame.data["to"]) for frame in told if frame.type == "gap"]
    assert lost == ([gap] if gap else [])
    assert all(frame.data["reason"] == "trimmed" and frame.id is None for frame in told[: len(lost)])
    assert [frame.seq for frame in told[len(lost) :]] == list(range(max(after + 1, kept_from), TOTAL + 1))


@pytest.mark.parametrize("read", TRANSPORTS)
def test_news_follow_a_log_of_which_only_the_last_event_is_left(
    server: Running, job: Job, read: Read
) -> None:
    trim(job, TOTAL)

    job.notes(5)
    told = read(server, job, 0, TOTAL + 5)

    assert [frame.data.get("to") for frame in told if frame.type == "gap"] == [TOTAL - 1]
    assert [frame.seq for frame in told[1:]] == list(range(TOTAL, TOTAL + 6))


@pytest.mark.parametrize("wait", ["", "&wait=20"])
def test_a_poll_for_some_types_is_told_of_the_gap_too(server: Running, job: Job, wait: str) -> None:
    job.say(e.Metric(step=1, values={"loss": 1}))
    trim(job, 500)

    with server.client() as client:
        some = client.get(f"{job.path}/events?types=metric{wait}").json()
        none = client.get(f"{job.path}/events?types=artifact.saved{wait}").json()
        later = client.get(f"{job.path}/events?types=metric&after=500").json()
        newest = client.get(f"{job.path}/events?newest=1&limit=3").json()

    assert some["gap"] == none["gap"] == {"from": 1, "to": 500, "reason": "trimmed"}
    assert [len(each["events"]) for each in (some, none, later, newest)] == [1, 0, 1, 3]
    assert "gap" not in later
    assert "gap" not in newest


def test_a_deleted_run_has_no_gap(server: Running, job: Job) -> None:
    job.say(e.RunCompleted())

    with Stream(server, f"{job.path}/events?after={TOTAL}") as stream:
        frames = iter(stream)
        next(frames)
        with server.client() as client:
            client.delete(job.path)
        rest = list(frames)

    assert [frame.type for frame in rest if frame.type == "gap"] == []


@pytest.mark.parametrize("read", [by_sse, by_websocket, by_browser, by_browser_socket])
def test_whoever_comes_late_to_a_watched_run_is_told_of_the_gap(
    server: Running, job: Job, read: Read
) -> None:
    with Stream(server, f"{job.path}/events?after={TOTAL}") as early:
        next(iter(early))
        trim(job, 700)
        job.notes(300)
        told = read(server, job, 0, TOTAL + 300)

    assert (told[0].data["from"], told[0].data["to"]) == (1, 700)
    assert [frame.seq for frame in told[1:]] == list(range(701, TOTAL + 301))
