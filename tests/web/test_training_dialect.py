"""Dialect 004, against the rows of its document: `/api/training/…` and `WS /ws/training/{job_id}`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from pilothouse.kinds import builtin
from pilothouse.model import event as e
from pilothouse.web.dialects.training import TERMINATED
from pilothouse.web.dialects.training_stream import PULSE_SECONDS, TrainingSocket
from tests.web.clients import Job, Json, call, until, websocket
from tests.web.serving import COUNTING, Running, running

BODY: Json = {"name": "fine", "model_name": "tiny", "dataset_path": "tickets", "steps": 1000}
PROGRESS = {
    "job_id", "status", "progress", "current_epoch", "total_epochs", "current_step", "total_steps", "loss",
    "eval_loss", "samples_per_second", "gpu_memory_allocated_gb", "gpu_utilization_percent", "eta_seconds",
    "timestamp", "complete",
}  # fmt: skip
COMPLETION = {
    "job_id", "status", "progress", "final_loss", "eval_loss", "complete", "completed_at", "error", "timestamp",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the kinds that ship."""
    kinds = {**builtin(), "counting": COUNTING}
    with running(tmp_path_factory.mktemp("data"), kinds, lease_seconds=600) as server:
        yield server


@pytest.fixture
def job(server: Running, api: httpx2.Client) -> Job:
    """A training that has begun: 1,000 steps, none done."""
    job = Job(server, api.post("/api/training/execute", json=BODY).json()["job_id"])
    job.path = f"/api/training/{job.id}"
    job.say(e.RunStarted(attempt=1), e.ProgressTold(total=1000))
    return job


def at(step: int, loss: float = 0.234) -> tuple[e.Body, ...]:
    """What a training says when it has come so far."""
    values: dict[str, Any] = {
        "loss": loss,
        "eval_loss": 0.189,
        "samples_per_second": 3.2,
        "epoch": 3 * step / 1000,
        "total_epochs": 3,
    }
    return e.ProgressTold(done=step), e.Metric(step=step, values=values)


def socket(job: Job) -> Any:
    """A WebSocket of the dialect."""
    return websocket(job.server, f"/ws/training/{job.id}")


def heard(connection: ClientConnection, count: int | None = None) -> list[Json]:
    """So many messages; all until the end without a count."""
    messages: list[Json] = []
    for text in connection:
        messages.append(json.loads(text))
        if len(messages) == count:
            break
    return messages


@pytest.mark.rows("S5.58")
def test_a_job_is_executed_with_a_model_and_a_dataset(api: httpx2.Client) -> None:
    answer = api.post("/api/training/execute", json=BODY)

    told = answer.json()
    params = api.get(f"/api/runs/{told['job_id']}").json()["params"]
    assert answer.status_code == 201
    assert told["job_id"].startswith("job_")
    assert (told["status"], told["name"], told["complete"]) == ("queued", "fine", False)
    assert (params["model"], params["dataset"], params["steps"]) == ("tiny", "tickets", 1000)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dataset_path": "x"}, "model_name"),
        ({"model_name": "x"}, "dataset_path"),
        ({"model_name": "x", "dataset_path": "x", "batch_size": 0}, "batch_size"),
        ({"model_name": "x", "dataset_path": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_bad_field_is_refused_by_name(api: httpx2.Client, body: Json, field: str) -> None:
    answer = api.post("/api/training/execute", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


@pytest.mark.rows("S5.59", "S5.66")
def test_the_status_can_be_polled(api: httpx2.Client, job: Job) -> None:
    job.say(*at(455))

    told = api.get(f"/api/training/status/{job.id}").json()

    assert told.keys() >= PROGRESS
    assert (told["progress"], told["current_step"], told["started_at"][-1]) == (45.5, 455, "Z")


@pytest.mark.rows(
    "S5.9", "S5.10", "S5.22", "S5.23", "S5.24", "S5.25", "S5.26", "S5.27", "S5.28", "S5.29", "S5.30", "S5.31",
    "S5.32", "S5.33", "S5.34", "S5.35", "S5.36", "S5.47",
)  # fmt: skip
def test_the_first_message_is_the_status_with_every_field(job: Job) -> None:
    job.say(*at(455))

    with socket(job) as connection:
        (told,) = heard(connection, 1)

    assert told.keys() == PROGRESS
    assert told | {"timestamp": "", "eta_seconds": None} == {
        "job_id": job.id,
        "status": "running",
        "progress": 45.5,
        "current_epoch": 2,
        "total_epochs": 3,
        "current_step": 455,
        "total_steps": 1000,
        "loss": 0.234,
        "eval_loss": 0.189,
        "samples_per_second": 3.2,
        "gpu_memory_allocated_gb": None,
        "gpu_utilization_percent": None,
        "eta_seconds": None,
        "timestamp": "",
        "complete": False,
    }
    assert told["timestamp"].endswith("Z")
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None


@pytest.mark.rows("S5.32", "S5.33")
def test_gpu_figures_are_told_where_there_are_some(job: Job, api: httpx2.Client) -> None:
    job.say(e.Metric(step=1, values={"gpu_memory_allocated_gb": 18.5, "gpu_utilization_percent": 99}))

    told = api.get(f"/api/training/status/{job.id}").json()

    assert (told["gpu_memory_allocated_gb"], told["gpu_utilization_percent"]) == (18.5, 99)


def test_the_machines_gpu_figures_stand_in_for_the_trainers(job: Job, api: httpx2.Client) -> None:
    job.say(e.Metric(step=1, values={"system/gpu0_memory_bytes": 2e9, "system/gpu0_percent": 50}))

    told = api.get(f"/api/training/status/{job.id}").json()

    assert (told["gpu_memory_allocated_gb"], told["gpu_utilization_percent"]) == (2.0, 50)


def test_a_loss_that_is_no_number_is_none(job: Job, api: httpx2.Client) -> None:
    job.say(e.Metric(step=1, values={"loss": float("nan")}))

    assert api.get(f"/api/training/status/{job.id}").json()["loss"] is None


@pytest.mark.rows("S5.11", "S5.52", "S5.55")
def test_a_message_comes_every_second_while_the_job_is_active(job: Job) -> None:
    with socket(job) as connection:
        heard(connection, 1)
        began = time.monotonic()
        job.say(*at(10))
        told = heard(connection, 2)
        seconds = time.monotonic() - began

    assert PULSE_SECONDS == 1.0
    assert [message["current_step"] for message in told] == [10, 10]
    assert 1.0 <= seconds < 10.0


@pytest.mark.rows("S5.12", "S5.13", "S5.50", "S5.56", "S5.62")
def test_three_clients_get_the_same_and_one_that_leaves_disturbs_nobody(server: Running, job: Job) -> None:
    with socket(job) as first, socket(job) as second:
        with socket(job) as third:
            for connection in (first, second, third):
                heard(connection, 1)
            until(server, lambda: server.server.context.tails.watchers(job.id) == 1)  # one pulse for all
            job.say(*at(10))
            shared = [heard(connection, 1) for connection in (first, second, third)]
        job.say(*at(20))
        others = [heard(connection, 1) for connection in (first, second)]
        job.say(e.RunCompleted())
        ends = [heard(connection)[-1] for connection in (first, second)]

    assert shared[0] == shared[1] == shared[2]
    assert others[0] == others[1]
    assert ends[0] == ends[1]
    assert ends[0]["complete"]
    until(server, lambda: server.server.context.tails.watchers(job.id) == 0)


@pytest.mark.rows(
    "S5.14", "S5.37", "S5.38", "S5.39", "S5.40", "S5.41", "S5.42", "S5.43", "S5.45", "S5.57", "S5.83", "S5.84"
)
def test_completion_is_told_and_the_server_closes(job: Job) -> None:
    with socket(job) as connection:
        heard(connection, 1)
        job.say(*at(999, loss=0.123), e.ItemFinished(key="step-1000", seconds=1), e.RunCompleted())
        told = heard(connection)
        code = connection.close_code

    last = told[-1]
    assert last.keys() >= COMPLETION
    assert (last["status"], last["progress"], last["complete"], last["error"]) == (
        "completed",
        100.0,
        True,
        None,
    )
    assert (last["final_loss"], last["eval_loss"]) == (0.123, 0.189)
    assert last["completed_at"].endswith("Z")
    assert [message["complete"] for message in told[:-1]] == [False] * (len(told) - 1)
    assert code == 1000


@pytest.mark.rows("S5.21", "S5.20")
def test_the_last_message_has_what_the_printed_clients_read_before_they_look_whether_it_is_the_last(
    job: Job,
) -> None:
    job.say(e.RunFailed(message="bad"))

    with socket(job) as connection:
        (told,) = heard(connection)

    assert {"progress", "loss", "current_step", "total_steps", "status", "complete"} <= told.keys()
    assert f"{told['progress']:.1f}" == "0.0"


@pytest.mark.rows("S5.44")
def test_a_process_that_is_gone_is_told_in_the_documents_words(job: Job) -> None:
    with socket(job) as connection:
        heard(connection, 1)
        job.say(e.RunFailed(reason="worker_lost", message="The job ended without a last word (signal 9)."))
        last = heard(connection)[-1]

    assert (last["status"], last["error"], last["complete"]) == ("failed", TERMINATED, True)
    assert TERMINATED == "Training process terminated unexpectedly"
    assert last["timestamp"].endswith("Z")


def test_another_failure_is_told_in_its_own_words(job: Job) -> None:
    job.say(e.RunFailed(reason="not_finite", message="The loss is not a number at step 17."))

    with socket(job) as connection:
        (told,) = heard(connection)

    assert (told["status"], told["error"]) == ("failed", "The loss is not a number at step 17.")


@pytest.mark.rows("S5.46")
def test_an_unknown_job_is_refused_before_it_is_accepted(server: Running, api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()["id"]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    for reference in ("job_nobody", other):
        scope: Any = {"type": "websocket", "path_params": {"job_id": reference}, "headers": []}
        call(server, TrainingSocket(server.server.context)(scope, receive, send))
    with pytest.raises(InvalidStatus) as refused, websocket(server, "/ws/training/job_nobody"):
        pass

    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 4404)] * 2
    assert refused.value.response.status_code == 403


@pytest.mark.rows("S5.69", "S5.70")
def test_a_job_is_paused_resumed_and_cancelled(api: httpx2.Client, job: Job) -> None:
    with socket(job) as connection:
        asked = api.post(f"{job.path}/pause")
        job.say(e.RunPaused())
        while (paused := heard(connection, 1)[0])["status"] != "paused":
            continue
        resumed = api.post(f"{job.path}/resume")
        while (going := heard(connection, 1)[0])["status"] == "paused":
            continue
        cancelled = api.post(f"{job.path}/cancel")
        job.say(e.RunCancelled(by="ada"))
        last = heard(connection)[-1]

    assert (asked.status_code, asked.json()["job_id"]) == (202, job.id)
    assert asked.json()["message"] == "Pausing after current step, with a checkpoint"
    assert paused["complete"] is False  # a paused job is not complete
    assert (resumed.status_code, going["status"]) == (202, "running")
    assert (cancelled.status_code, last["status"], last["complete"]) == (202, "cancelled", True)


@pytest.mark.parametrize("control", ["pause", "resume", "cancel"])
def test_an_ended_job_refuses_controls(api: httpx2.Client, job: Job, control: str) -> None:
    job.say(e.RunCompleted())

    assert api.post(f"{job.path}/{control}").status_code == 409


@pytest.mark.rows("S5.72", "S5.74")
def test_the_model_is_downloaded_with_its_size_and_in_ranges(api: httpx2.Client, job: Job) -> None:
    early = api.get(f"{job.path}/download/model")
    upload = f"/api/runs/{job.id}/artifacts/model.zip?attempt=1"
    api.post(upload, content=b"weights" * 100, headers={"content-type": "application/octet-stream"})

    whole = api.get(f"{job.path}/download/model")
    part = api.get(f"{job.path}/download/model", headers={"range": "bytes=7-13"})

    assert early.status_code == 404
    assert f"/api/runs/{job.id}/artifacts" in early.json()["error"]["hint"]
    assert (whole.content, whole.headers["content-length"]) == (b"weights" * 100, "700")
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        b"weights",
        "bytes 7-13/700",
    )


@pytest.mark.rows("S5.73")
def test_the_logs_are_downloaded_at_any_time(api: httpx2.Client, job: Job) -> None:
    job.say(
        e.Log(level="info", source="trainer", text="step 10/1000: loss 0.5"),
        e.Note(feed="metrics", text="Best evaluation so far: 0.4."),
        e.RunFailed(message="bad"),
    )

    answer = api.get(f"{job.path}/download/logs")

    lines = [line.partition(" ")[2] for line in answer.text.splitlines()]
    assert lines == [
        "run started: ",
        "info trainer: step 10/1000: loss 0.5",
        "note metrics: Best evaluation so far: 0.4.",
        "run failed: bad",
    ]
    assert answer.headers["content-disposition"] == f'attachment; filename="{job.id}.log"'


def test_what_is_no_training_is_not_here(api: httpx2.Client) -> None:
    other = api.post("/api/runs", json={"kind": "counting"}).json()["id"]
    paths = ["status/{}", "{}/download/model", "{}/download/logs"]

    statuses = [
        api.get(f"/api/training/{path.format(run)}").status_code for path in paths for run in (other, "no")
    ]
    statuses += [api.post(f"/api/training/{other}/{control}").status_code for control in ("pause", "cancel")]

    assert statuses == [404] * 8


def test_a_deleted_job_ends_its_stream(server: Running, api: httpx2.Client) -> None:
    bodies: list[Any] = []
    made = Job(server, api.post("/api/training/execute", json=BODY).json()["job_id"])

    async def watch() -> None:
        left = asyncio.Event()

        async def receive() -> Any:
            if not bodies:
                return {"type": "websocket.connect"}
            await left.wait()
            return {"type": "websocket.disconnect"}

        async def send(message: Any) -> None:
            bodies.append(message)
            if len(bodies) == 2:
                store = server.server.context.store
                await store.append(made.id, [e.RunStarted(attempt=1), e.RunFailed(message="x")])
                await store.delete(made.id)

        scope: Any = {"type": "websocket", "path_params": {"job_id": made.id}, "headers": []}
        async with asyncio.timeout(5):
            await TrainingSocket(server.server.context, 0.01)(scope, receive, send)

    call(server, watch())

    assert bodies[-1]["type"] == "websocket.close"
