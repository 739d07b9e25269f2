"""Items, metrics and watchers: what one can ask of a log."""

from __future__ import annotations

import json
import math
import threading
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from pydantic_core import to_json

from pilothouse.contracts import Frame
from pilothouse.model import event as e
from pilothouse.model.downsample import Point
from pilothouse.web import views
from pilothouse.web.views import HELD_POINTS, _gather
from tests.web.clients import Job, Stream, a_job, call, until
from tests.web.serving import Running


@pytest.fixture(scope="module")
def job(server: Running) -> Job:
    """A run with 30 items, every third one failed."""
    job = a_job(server)
    job.say(e.ItemStarted(key="open"))
    for number in range(30):
        failed = number % 3 == 0
        data = {"model": "ab"[number % 2], "n": number, "deep": {"x": [1]}, "flag": number > 20}
        error = "timeout" if failed else None
        job.say(e.ItemFinished(key=f"k{number}", seconds=0.5, ok=not failed, error=error, data=data))
    return job


@pytest.mark.rows("S1.63")
def test_items_are_newest_first_and_in_pages(api: httpx2.Client, job: Job) -> None:
    keys: list[str] = []
    before = None
    for _ in range(4):
        page = api.get(f"{job.path}/items?limit=10" + (f"&before={before}" if before else "")).json()
        keys += [item["key"] for item in page["items"]]
        before = page["before"]
        assert page["total"] == 31
        assert page["head"] == 33

    assert keys == [f"k{number}" for number in reversed(range(30))] + ["open"]
    assert before is None


def test_an_item_is_whole(api: httpx2.Client, job: Job) -> None:
    item = api.get(f"{job.path}/items?limit=1").json()["items"][0]

    assert item | {"time": "t"} == {
        "key": "k29",
        "state": "done",
        "seq": 33,
        "attempt": 1,
        "starts": 0,
        "seconds": 0.5,
        "error": None,
        "data": {"model": "b", "n": 29, "deep": {"x": [1]}, "flag": True},
        "label": None,
        "time": "t",
        "possible_duplicate": False,
        "judged": None,
    }


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("state=failed", 10),
        ("state=failed&state=in_flight", 11),
        ('where={"model": "a"}', 15),
        ('where={"model": "a", "flag": true}', 4),
        ('where={"n": 7}', 1),
        ("q=timeout", 10),
        ("q=k29", 1),
        ("q=nothing", 0),
    ],
)
def test_items_are_filtered(api: httpx2.Client, job: Job, query: str, total: int) -> None:
    assert api.get(f"{job.path}/items?{query}").json()["total"] == total


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("where=[]", "where"),
        ("where={", "where"),
        ('where={"a": {}}', "where"),
        ("where=" + "[" * 5000, "where"),
        ("state=open", "state"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("before=99999999999999999999", "before"),
    ],
)
def test_a_malformed_filter_is_refused_by_name(api: httpx2.Client, job: Job, query: str, field: str) -> None:
    answer = api.get(f"{job.path}/items?{query}")

    assert answer.status_code == 422
    assert answer.json()["error"]["field"].startswith(field)


def test_a_curve_is_thinned_and_keeps_its_spike_and_its_gaps(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    for start in range(0, 5000, 500):
        job.say(*(e.Metric(step=n, values={"loss": math.sin(n / 300)}) for n in range(start, start + 500)))
    job.say(e.Metric(step=5000, values={"loss": 1000.0}), e.Metric(step=5001, values={"loss": float("nan")}))
    job.say(*(e.Metric(step=n, values={"loss": 0.1}) for n in range(5002, 5100)))

    answer = api.get(f"{job.path}/metrics?points=100").json()

    points = answer["series"]["loss"]
    assert len(points) <= 101
    assert [5000, 1000.0] in points
    assert [5001, "NaN"] in points
    assert (points[0][0], points[-1][0]) == (0, 5099)
    assert points == sorted(points, key=lambda point: point[0])
    assert answer["head"] == job.run.head


def test_only_the_metrics_asked_for_are_told(server: Running, api: httpx2.Client) -> None:
    job = a_job(server)
    job.say(e.Metric(step=1, values={"a": 1, "b": 2, "c": None}), e.Metric(step=2, values={"a": 3}))

    assert api.get(f"{job.path}/metrics?names=a,c").json()["series"] == {
        "a": [[1, 1.0], [2, 3.0]],
        "c": [[1, None]],
    }
    assert api.get(f"{job.path}/metrics?names=none").json()["series"] == {}


@pytest.mark.parametrize("query", ["points=2", "points=2001", "points=x"])
def test_points_have_a_limit(api: httpx2.Client, job: Job, query: str) -> None:
    assert api.get(f"{job.path}/metrics?{query}").status_code == 422


def test_a_long_history_of_who_did_what_shows_its_end(
    server: Running, api: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_PAGE", 3)
    job = a_job(server)
    job.say(*(e.RunEdited(actor="ada", name=f"name {number}") for number in range(4)))

    told = api.get(f"{job.path}/audit").json()["events"]

    assert [event["data"]["name"] for event in told] == ["name 1", "name 2", "name 3"]


def test_metrics_are_decoded_beside_the_event_loop(
    server: Running, api: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def decode(text: bytes) -> Any:
        threads.append(threading.get_ident())
        return json.loads(text)

    async def loop_thread() -> int:
        return threading.get_ident()

    monkeypatch.setattr(views, "json", SimpleNamespace(loads=decode))
    job = a_job(server)
    job.say(e.Metric(step=1, values={"a": 1}))

    assert api.get(f"{job.path}/metrics").json()["series"] == {"a": [[1, 1.0]]}
    assert threads
    assert call(server, loop_thread()) not in threads


@pytest.mark.rows("S4.58", "S4.77", "S4.96")
def test_connections_rates_and_delays_are_told_to_people_and_to_prometheus(
    server: Running, api: httpx2.Client, job: Job
) -> None:
    traffic = server.server.context.tails.traffic
    with (
        Stream(server, f"/api/stream?watch={job.id}:0") as browser,
        Stream(server, f"{job.path}/events") as one,
    ):
        events = iter(one)
        next(iter(browser)), next(events)
        before, deliveries = traffic.events, traffic.deliveries
        for number in range(20):
            job.say(e.Note(feed="metrics", text=f"news {number}"))
            while f"news {number}" not in str(next(events).data):
                pass
        until(server, lambda: traffic.events == before + 20)
        stats = api.get("/api/stats").json()
        text = api.get("/metrics").text
    until(server, lambda: traffic.browsers == 0)

    assert (stats["browsers"], stats["watchers"]) == (1, 2)
    assert traffic.deliveries == deliveries + 40
    assert stats["events_per_second"] > 0
    assert 0 <= stats["delivery_ms"]["p50"] < 100
    assert "pilothouse_browsers 1.0" in text
    assert "pilothouse_watchers 2.0" in text
    assert f"pilothouse_events_total {before + 20}.0" in text
    assert 'pilothouse_delivery_seconds_bucket{le="0.1"}' in text


@pytest.mark.rows("S1.81", "S4.9", "S5.8")
def test_watchers_are_counted(server: Running, api: httpx2.Client, job: Job) -> None:
    with Stream(server, f"{job.path}/events") as one, Stream(server, f"{job.path}/events") as two:
        next(iter(one)), next(iter(two))
        two_watch = api.get(f"{job.path}/watchers").json()

    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)
    assert two_watch == {"watchers": 2}
    assert api.get(f"{job.path}/watchers").json() == {"watchers": 0}


def test_a_log_of_very_many_metrics_is_read_in_flat_memory_and_keeps_its_spikes() -> None:
    series: dict[str, list[Point]] = {}
    longest = 0
    for start in range(0, 200_000, 5_000):
        steps = range(start, start + 5_000)
        values = {12_345: 99.0, 77_777: "NaN"}
        bodies = ({"step": n, "values": {"loss": values.get(n, n % 7 / 10)}} for n in steps)
        frames = [Frame(n, "metric", to_json({"data": body})) for n, body in zip(steps, bodies, strict=True)]
        _gather(frames, None, series)
        longest = max(longest, len(series["loss"]))

    assert longest <= HELD_POINTS + 1
    assert {(0, 0.0), (12_345, 99.0), (77_777, "NaN"), (199_999, 199_999 % 7 / 10)} <= set(series["loss"])
