"""Dialect 002, against the rows of its document: `/v1/runs…` and `/ws/{run_id}`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.model.run import Control
from pilothouse.web.dialects.synthesis import HEARTBEAT_SECONDS, RunSocket
from tests.web.clients import Job, Json, call, until, websocket
from tests.web.serving import COUNTING, Running, running

BODY: Json = {"name": "table", "dataset": "iris", "method": "ctgan", "epochs": 5}
PLAN: Json = {
    "steps": [
        {"method": "ctgan", "epochs": 5, "batch_size": 50},
        {"method": "copula", "epochs": 1, "batch_size": 50},
    ],
    "rationale": "ctgan was asked for.",
    "by": "params",
}
CANCEL = e.ControlRequested(control=Control.CANCEL, actor="ada")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A run that has begun: planned, ten steps."""
    job = Job(server, api.post("/v1/runs", json=BODY).json()["run_id"])
    job.path = f"/v1/runs/{job.id}"
    job.say(
        e.RunStarted(attempt=1),
        e.ProgressTold(total=10),
        e.PhaseStarted(name="Planned", index=1, of=6),
        e.ItemFinished(key="plan", seconds=0.1, data={"step": "Planned", "plan": PLAN}),
        e.Note(feed="planned", text="Conditional GAN, 5 epochs"),
    )
    return job


def learn(job: Job, *epochs: int) -> None:
    """Some epochs of the first attempt."""
    job.say(
        e.PhaseStarted(name="Training", index=3, of=6),
        *(e.ItemFinished(key=f"1/epoch-{epoch}", seconds=0.5, data={"epoch": epoch}) for epoch in epochs),
    )


def measure(job: Job, **values: float) -> None:
    """The gauges of the first attempt."""
    job.say(
        e.Metric(step=1, values=dict(values)),
        e.Note(feed="metrics", text="KS mean 0.081 (pass)"),
    )


def messages(connection: ClientConnection) -> Iterator[Json]:
    """What a WebSocket tells until it closes."""
    try:
        for message in connection:
            yield json.loads(message)
    except ConnectionClosed:
        return


@pytest.mark.rows("S3.97")
def test_a_run_is_started_with_a_dataset_and_a_method(api: httpx2.Client) -> None:
    answer = api.post("/v1/runs", json=BODY)

    run = answer.json()
    assert answer.status_code == 201
    assert (run["name"], run["status"], run["dataset"], run["progress"]) == ("table", "queued", "iris", 0)
    params = api.get(f"/api/runs/{run['run_id']}").json()["params"]
    assert (params["example"], params["method"], params["epochs"]) == ("iris", "ctgan", 5)


def test_a_dataset_may_be_a_file_or_the_rows_themselves(api: httpx2.Client) -> None:
    file = api.post("/v1/runs", json={"dataset": "/data/people.csv"}).json()
    rows = api.post("/v1/runs", json={"rows": "a,b\n1,x\n2,y"}).json()

    assert (file["dataset"], rows["dataset"]) == ("/data/people.csv", "rows")


def test_bad_params_are_refused_by_name(api: httpx2.Client) -> None:
    answers = [api.post("/v1/runs", json=body) for body in ({}, BODY | {"epochs": 0}, BODY | {"colour": 1})]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [answer.json()["error"]["field"] for answer in answers][1:] == ["epochs", "colour"]
    assert "there is no table" in answers[0].json()["error"]["message"]


@pytest.mark.rows("S3.61", "S3.88", "S3.20", "S3.24", "S3.30", "S3.43", "S3.44", "S3.100", "S3.105", "S3.106")
def test_the_status_tells_step_time_method_and_plan(api: httpx2.Client, job: Job) -> None:
    learn(job, 1, 2)

    status = api.get(f"{job.path}/status").json()

    assert (status["current_step"], status["total_steps"]) == (3, 6)
    assert status["step_name"] == "Training"
    assert (status["steps_done"], status["steps_expected"]) == (3, 10)
    assert (status["status"], status["method"], status["plan"]) == ("running", "ctgan", PLAN)
    assert status["elapsed_seconds"] >= 0
    assert status["remaining_seconds"] is None  # better no number than a wild one
    assert status["metrics"] == {}


@pytest.mark.rows("S3.63", "S3.67", "S3.68", "S3.69")
def test_progress_is_what_is_done_of_what_there_is_and_100_only_at_the_end(
    api: httpx2.Client, job: Job
) -> None:
    told = [api.get(f"{job.path}/status").json()["progress"]]
    learn(job, 1, 2, 3, 4, 5)
    told.append(api.get(f"{job.path}/status").json()["progress"])
    measure(job, ks_mean=0.081)
    told.append(api.get(f"{job.path}/status").json()["progress"])
    job.say(e.RunCompleted())
    told.append(api.get(f"{job.path}/status").json()["progress"])

    assert told == [10, 60, 60, 100]


@pytest.mark.rows("S3.39", "S3.40", "S3.101", "S3.102", "S3.103", "S3.104")
def test_metrics_come_with_their_limits_and_what_they_mean(api: httpx2.Client, job: Job) -> None:
    measure(job, ks_mean=0.081, corr_delta=0.12, mia_auc=0.7, dup_rate=0.0)

    status = api.get(f"{job.path}/status").json()

    assert status["metrics"] == {
        "ks_mean": {"value": 0.081, "limit": 0.1, "verdict": "pass"},
        "corr_delta": {"value": 0.12, "limit": 0.1, "verdict": "warn"},
        "mia_auc": {"value": 0.7, "limit": 0.6, "verdict": "fail"},
        "dup_rate": {"value": 0.0, "limit": 0.05, "verdict": "pass"},
    }


@pytest.mark.rows("S3.5", "S3.7", "S3.31", "S3.32", "S3.33", "S3.34", "S3.35", "S3.36", "S3.62", "S3.89")
def test_steps_are_told_oldest_first_with_their_types(api: httpx2.Client, job: Job) -> None:
    feeds: tuple[Any, ...] = ("training", "metrics", "error", "backup", "file")
    job.say(*(e.Note(feed=feed, text=f"about {feed}") for feed in feeds))

    told = api.get(f"{job.path}/steps").json()
    later = api.get(f"{job.path}/steps", params={"after": told["steps"][2]["id"]}).json()

    assert [step["type"] for step in told["steps"]] == ["planned", "training", "metrics", "error", "backup"]
    assert told["steps"][1] | {"id": 0, "created_at": ""} == {
        "id": 0,
        "type": "training",
        "message": "about training",
        "created_at": "",
    }
    assert told["steps"][0]["created_at"].endswith("Z")
    assert [step["type"] for step in later["steps"]] == ["error", "backup"]
    assert told["total"] == 5


def test_more_steps_than_one_page_are_all_told(api: httpx2.Client, job: Job) -> None:
    for start in range(0, 2_500, 500):
        job.say(*(e.Note(feed="training", text=str(number)) for number in range(start, start + 500)))

    steps = api.get(f"{job.path}/steps").json()["steps"]

    assert [step["message"] for step in steps[1:]] == [str(number) for number in range(2_500)]


# Cancel


@pytest.mark.rows("S3.2", "S3.50", "S3.52", "S3.53", "S3.56", "S3.111")
def test_a_queued_run_is_cancelled_at_once(api: httpx2.Client) -> None:
    run = api.post("/v1/runs", json=BODY).json()

    answer = api.post(f"/v1/runs/{run['run_id']}/cancel")

    assert (answer.status_code, answer.json()) == (200, {"ok": True, "status": "cancelled"})
    assert api.get(f"/v1/runs/{run['run_id']}/status").json()["status"] == "cancelled"


@pytest.mark.rows("S3.54", "S3.55", "S3.57", "S3.60", "S3.95", "S3.99", "S3.111")
def test_a_running_run_is_cancelling_until_its_process_has_obeyed(api: httpx2.Client, job: Job) -> None:
    learn(job, 1)

    asked = api.post(f"{job.path}/cancel")
    meanwhile = api.get(f"{job.path}/status").json()["status"]
    again = api.post(f"{job.path}/cancel")
    job.say(e.RunCancelled(by="ada"))
    over = api.post(f"{job.path}/cancel")

    assert (asked.status_code, asked.json()) == (202, {"ok": True, "status": "cancelling"})
    assert meanwhile == "cancelling"
    assert (again.status_code, again.json()["status"]) == (202, "cancelling")
    assert (over.status_code, over.json()) == (200, {"ok": True, "status": "cancelled"})
    last = api.get(f"{job.path}/steps").json()["steps"][-1]
    assert (last["type"], last["message"]) == ("cancelled", "Cancelled; what was finished is kept")
    assert api.get(f"{job.path}/status").json()["steps_done"] == 2


@pytest.mark.rows("S3.51")
def test_somebody_elses_run_is_not_cancelled(server: Running, api: httpx2.Client) -> None:
    engine = server.server.context.engine
    new = engine.new_run("synthesis", {"example": "iris"}, name="hers", owner="somebody-else")
    run, _ = call(server, engine.submit(new))

    answer = api.post(f"/v1/runs/{run.id}/cancel")

    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Run hers belongs to somebody-else."
    assert api.get(f"/v1/runs/{run.id}/status").json()["status"] == "queued"


@pytest.mark.rows("S3.52", "S3.96")
def test_a_run_that_has_ended_is_not_cancelled(api: httpx2.Client, job: Job) -> None:
    job.say(e.RunCompleted())

    answer = api.post(f"{job.path}/cancel")

    assert answer.status_code == 409
    assert api.get(f"{job.path}/status").json()["status"] == "succeeded"


def test_a_failed_run_says_why(api: httpx2.Client, job: Job) -> None:
    job.say(e.RunFailed(message="path: no such file."))

    status = api.get(f"{job.path}/status").json()

    assert (status["status"], status["error"]) == ("failed", "path: no such file.")
    assert api.get(f"{job.path}/steps").json()["steps"][-1]["message"] == "path: no such file."


# WebSocket


@pytest.mark.rows("S3.6", "S3.64", "S3.98", "S3.113")
def test_the_socket_tells_status_steps_and_changes_as_they_happen(server: Running, job: Job) -> None:
    with websocket(server, f"/ws/{job.id}") as connection:
        told = messages(connection)
        first, planned, before = next(told), next(told), next(told)
        learn(job, 1, 2)
        moved = next(told)
        measure(job, ks_mean=0.081)
        noted, measured = next(told), next(told)
        job.say(e.RunCompleted())
        rest = list(told)
        code = connection.close_code

    assert [message["type"] for message in (first, planned, before)] == ["status", "step", "status"]
    assert planned["data"]["message"] == "Conditional GAN, 5 epochs"
    assert (moved["type"], moved["data"]["progress"], moved["data"]["current_step"]) == ("status", 30, 3)
    assert noted["data"]["type"] == "metrics"
    assert measured["data"]["metrics"]["ks_mean"]["verdict"] == "pass"
    assert [(message["type"], message["data"]["status"]) for message in rest] == [("status", "succeeded")]
    assert code == 1000


@pytest.mark.rows("S3.65", "S3.91", "S3.93")
def test_who_reconnects_or_polls_gets_every_step(server: Running, api: httpx2.Client, job: Job) -> None:
    with websocket(server, f"/ws/{job.id}") as connection:
        next(messages(connection))
    job.say(e.Note(feed="training", text="while nobody looked"), e.RunCompleted())

    with websocket(server, f"/ws/{job.id}") as connection:
        told = list(messages(connection))
    polled = api.get(f"{job.path}/steps").json()["steps"]

    assert [message["data"] for message in told if message["type"] == "step"] == polled
    assert [step["message"] for step in polled] == ["Conditional GAN, 5 epochs", "while nobody looked"]


@pytest.mark.rows("S3.90", "S3.99")
def test_the_socket_closes_when_a_run_is_cancelled(server: Running, api: httpx2.Client, job: Job) -> None:
    with websocket(server, f"/ws/{job.id}") as connection:
        told = messages(connection)
        api.post(f"{job.path}/cancel")
        job.say(e.RunCancelled(by="ada"))
        statuses = [message["data"].get("status") for message in told if message["type"] == "status"]

    assert statuses[-1] == "cancelled"
    assert connection.close_code == 1000


def test_a_paused_run_is_not_over(server: Running, api: httpx2.Client, job: Job) -> None:
    job.say(e.ControlRequested(control=Control.PAUSE, actor="ada"), e.RunPaused())

    with websocket(server, f"/ws/{job.id}") as connection:
        told = messages(connection)
        first = next(told)
        job.say(e.RunResumed(actor="ada"))
        statuses = [next(told) for _ in range(3)][-1]

    assert (first["data"]["status"], first["data"]["completed_at"]) == ("paused", None)
    assert statuses["data"]["status"] == "running"


@pytest.mark.rows("S3.92")
def test_a_quiet_socket_beats_every_thirty_seconds(server: Running, job: Job) -> None:
    context = server.server.context
    said: list[Json] = []
    left = asyncio.Event()
    connected = iter([{"type": "websocket.connect"}])

    async def receive() -> Any:
        if message := next(connected, None):
            return message
        await left.wait()
        return {"type": "websocket.disconnect"}

    async def send(message: Any) -> None:
        if "text" in message:
            said.append(json.loads(message["text"]))
        if said.count({"type": "heartbeat"}) == 3:
            left.set()

    scope: Any = {"type": "websocket", "path_params": {"run_id": job.id}}
    call(server, RunSocket(context, 0.02)(scope, receive, send))

    assert HEARTBEAT_SECONDS == 30
    assert said.count({"type": "heartbeat"}) == 3


@pytest.mark.rows("S3.114")
def test_many_watchers_are_told_the_same(server: Running, job: Job) -> None:
    def watch() -> list[Json]:
        with websocket(server, f"/ws/{job.id}") as connection:
            return [message["data"] for message in messages(connection) if message["type"] == "step"]

    with ThreadPoolExecutor(8) as pool:
        watching = [pool.submit(watch) for _ in range(8)]
        until(server, lambda: server.server.context.tails.watchers(job.id) == 8)
        job.notes(300)
        job.say(e.RunCompleted())
        told = [each.result() for each in watching]

    assert all(steps == told[0] for steps in told)
    assert len(told[0]) == 301
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


def test_an_unknown_run_is_refused_before_the_socket_is_accepted(server: Running) -> None:
    with pytest.raises(InvalidStatus), websocket(server, "/ws/nobody"):
        pass


def test_what_is_no_synthesis_is_not_here(server: Running, api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()["id"]

    statuses = [
        api.get(f"/v1/runs/{name}/{part}").status_code
        for name in (other, "nobody")
        for part in ("status", "steps")
    ]
    statuses += [api.post(f"/v1/runs/{name}/cancel").status_code for name in (other, "nobody")]

    assert statuses == [404] * 6


def test_a_stranger_is_told_nothing(server: Running, job: Job) -> None:
    with server.stranger() as stranger:
        statuses = [
            stranger.get(f"{job.path}/status").status_code,
            stranger.post(f"{job.path}/cancel").status_code,
        ]

    assert statuses == [401, 401]
