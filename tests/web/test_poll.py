"""Polling: the same frames as one answer, and the long poll that waits for news."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from pilothouse.model import event as e
from tests.web.clients import Job, a_job, until
from tests.web.serving import Running


@pytest.fixture
def job(server: Running) -> Job:
    """A run with 12 events: two of its life, nine notes, one metric."""
    job = a_job(server)
    job.notes(9)
    job.say(e.Metric(step=1, values={"loss": 1}))
    return job


def poll(api: httpx2.Client, job: Job, query: str = "") -> tuple[list[int], int]:
    """The places of the events answered, and the head."""
    answer = api.get(f"{job.path}/events?{query}").json()
    assert answer["epoch"] == job.run.epoch
    return [event["seq"] for event in answer["events"]], answer["head"]


def listening(server: Running, job: Job) -> bool:
    """Whether somebody waits for news of the run."""
    return job.id in server.server.context.engine.doorbell._ears


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", list(range(1, 13))),
        ("after=10", [11, 12]),
        ("after=12", []),
        ("limit=3", [1, 2, 3]),
        ("after=4&limit=2", [5, 6]),
        ("newest=1&limit=2", [11, 12]),
        ("types=metric", [12]),
        ("types=run.queued,metric", [1, 12]),
        ("types=run.queued,metric&newest=1&limit=1", [12]),
        ("types=note&after=5&limit=2", [6, 7]),
        ("types=none", []),
        ("limit=0", []),
    ],
)
def test_a_poll_answers_what_was_asked(api: httpx2.Client, job: Job, query: str, expected: list[int]) -> None:
    assert poll(api, job, query) == (expected, 12)


@pytest.mark.rows("S4.37")
def test_the_last_hundred_are_at_hand_and_so_are_all_before_them(api: httpx2.Client, job: Job) -> None:
    job.notes(150)

    assert poll(api, job, "newest=1&limit=100") == (list(range(63, 163)), 162)
    assert poll(api, job) == (list(range(1, 163)), 162)


@pytest.mark.rows("S2.25", "S2.93", "S4.97")
def test_a_poll_answers_the_frames_of_the_streams(api: httpx2.Client, job: Job) -> None:
    event = api.get(f"{job.path}/events?limit=1").json()["events"][0]

    assert list(event) == ["run_id", "seq", "type", "time", "data"]
    assert (event["run_id"], event["type"]) == (job.id, "run.queued")


@pytest.mark.parametrize(
    "query", ["limit=5001", "limit=x", "limit=-1", "wait=26", "wait=nan", "after=x", "limit=nan"]
)
def test_a_malformed_poll_is_refused_by_name(api: httpx2.Client, job: Job, query: str) -> None:
    answer = api.get(f"{job.path}/events?{query}")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == query.partition("=")[0]


def test_a_long_poll_is_answered_by_the_news(server: Running, api: httpx2.Client, job: Job) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(poll, api, job, "after=12&wait=20")
        until(server, lambda: listening(server, job))
        began = time.monotonic()
        job.notes(1)
        answered = waiting.result()

    assert answered == ([13], 13)
    assert time.monotonic() - began < 5


def test_a_long_poll_waits_for_the_types_it_asked_for(server: Running, api: httpx2.Client, job: Job) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(poll, api, job, "after=12&wait=20&types=metric")
        until(server, lambda: listening(server, job))
        job.notes(2)
        job.say(e.Metric(step=2, values={"loss": 0}))
        answered = waiting.result()

    assert answered == ([15], 15)


def test_a_long_poll_with_news_does_not_wait(api: httpx2.Client, job: Job) -> None:
    began = time.monotonic()

    assert poll(api, job, "after=11&wait=20")[0] == [12]
    assert time.monotonic() - began < 5


def test_a_long_poll_in_vain_answers_nothing(api: httpx2.Client, job: Job) -> None:
    assert poll(api, job, "after=12&wait=0.05") == ([], 12)


@pytest.mark.parametrize("query", ["after=13", "after=0&types=metric.none"])
def test_nobody_waits_for_an_ended_run(api: httpx2.Client, job: Job, query: str) -> None:
    job.say(e.RunCompleted())
    began = time.monotonic()

    assert poll(api, job, f"{query}&wait=20") == ([], 13)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("99", "the log is shorter than the place you knew"),
        ("00000000-5", "the database was replaced"),
    ],
)
def test_a_place_of_another_log_is_reset_and_answered_from_the_beginning(
    api: httpx2.Client, job: Job, place: str, reason: str
) -> None:
    answer = api.get(f"{job.path}/events?after={place}&limit=3&wait=20").json()

    assert answer["reset"] == {"reason": reason}
    assert [event["seq"] for event in answer["events"]] == [1, 2, 3]


def test_a_place_that_exists_is_not_reset(api: httpx2.Client, job: Job) -> None:
    answer = api.get(f"{job.path}/events?after={job.run.epoch}-12").json()

    assert answer == {"events": [], "head": 12, "epoch": job.run.epoch}


@pytest.mark.parametrize(("query", "end"), [("", 0), ("newest=1", -1)])
def test_an_answer_holds_two_megabytes_at_most(server: Running, query: str, end: int) -> None:
    job = a_job(server)
    for _ in range(100):
        job.say(e.Log(text="x" * 49_200))

    with server.client() as client:
        answer = client.get(f"{job.path}/events?limit=5000&{query}")

    seqs = [event["seq"] for event in answer.json()["events"]]
    assert 2_000_000 < len(answer.content) < 2_200_000
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert seqs[end] == range(1, 103)[end]
    assert (answer.json()["head"], answer.json()["cut"]) == (102, True)


def test_the_end_answers_a_long_poll(server: Running, api: httpx2.Client, job: Job) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(poll, api, job, "after=12&wait=20&types=metric")
        until(server, lambda: listening(server, job))
        job.say(e.RunCompleted())
        answered = waiting.result()

    assert answered == ([], 13)
