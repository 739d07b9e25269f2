"""Autotune on the whole of Pilothouse: real servers, and nothing of them is left, whoever dies."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.e2e.conftest import up
from tests.e2e.stack import Stack, until
from tests.web.clients import websocket_within

__all__ = ["up"]

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("autotune")]

STRAY = "3599"
SERVE = f"setsid sleep {STRAY} & sleep {STRAY} & {sys.executable} -m pilothouse.llm.offline --port {{port}} "
LOAD = {"concurrencies": [2], "requests": 6, "warmup": 1, "max_tokens": 6}


def params(ms: int = 30, **more: Any) -> dict[str, Any]:
    """A server behind a shell that leaves processes in and outside of its group."""
    command = ["sh", "-c", f"{SERVE} --ms-per-token {ms} --order {{order}} --max-batch {{batch}}"]
    space = [{"name": "order", "values": [1, 2, 3]}, {"name": "batch", "values": [1, 2]}]
    target = {"server": "command", "command": command, "model": "offline"}
    return {"target": target, "space": space, "strategy": "grid", "load": LOAD, **more}


def start(up: Stack, **more: Any) -> str:
    return str(up.api("POST", "/api/runs", {"kind": "autotune", "params": params(**more)})["id"])


def processes(run_id: str) -> list[psutil.Process]:
    """What lives of a run, wherever it went: all that has its name in the environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get("PILOTHOUSE_RUN_ID") == run_id
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def named(run_id: str, *words: str) -> list[psutil.Process]:
    """Those whose command holds all these words."""
    found = []
    for process in processes(run_id):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if all(word in command for word in words):
            found.append(process)
    return found


def jobs(found: list[psutil.Process]) -> list[psutil.Process]:
    """The job's own process, and the shim above it."""
    return [each for each in found if "pilothouse.worker.child" in " ".join(each.cmdline())]


def items(up: Stack, run_id: str) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in up.api("GET", f"/api/runs/{run_id}/items?limit=100")["items"]}


def at_work(up: Stack, run_id: str, done: int) -> list[psutil.Process]:
    """Wait until so many experiments are done and the next server answers under load."""
    up.wait(run_id, lambda run: run["progress"]["done"] >= done, f"{done} experiments")
    up.wait(run_id, lambda run: (run["phase"] or {}).get("name") == "Benchmark", "a benchmark")
    until(lambda: len(named(run_id, "sleep", STRAY)) >= 2, "the processes that a server left")
    return processes(run_id)


def ended(run: dict[str, Any]) -> bool:
    return run["ended_at"] is not None


def test_a_killed_job_leaves_no_server_and_repeats_no_experiment(up: Stack) -> None:
    run_id = start(up)
    before = at_work(up, run_id, 2)
    kept = {key: item for key, item in items(up, run_id).items() if item["state"] == "done"}

    (job,) = [each for each in jobs(before) if "shim" not in " ".join(each.cmdline())]
    job.kill()
    until(
        lambda: not [each for each in before if each.is_running() and each.status() != psutil.STATUS_ZOMBIE],
        "its end",
    )
    run = up.wait(run_id, ended, "the end")

    assert (run["status"], run["attempt"], run["progress"]["done"]) == ("completed", 2, 6)
    now = items(up, run_id)
    assert {key: now[key] for key in kept} == kept
    assert [item["attempt"] for item in now.values()].count(1) == len(kept) >= 2
    assert {item["data"]["outcome"] for item in now.values()} == {"measured"}
    until(lambda: not processes(run_id), "the end of all that was started")


def test_a_cancel_stops_the_server_in_hand_and_keeps_what_is_measured(up: Stack) -> None:
    run_id = start(up)
    at_work(up, run_id, 1)

    up.api("POST", f"/api/runs/{run_id}/cancel")
    run = up.wait(run_id, ended, "the end")

    assert run["status"] == "cancelled"
    assert {item["data"]["outcome"] for item in items(up, run_id).values() if item["state"] == "done"} == {
        "measured"
    }
    assert "failed" not in {item["state"] for item in items(up, run_id).values()}
    assert processes(run_id) == []


def test_a_pause_that_releases_waits_for_the_experiment_and_a_resume_goes_on(up: Stack) -> None:
    run_id = start(up)
    at_work(up, run_id, 1)

    up.api("POST", f"/api/runs/{run_id}/pause", {"strength": "release"})
    paused = up.wait(run_id, lambda run: run["status"] == "paused", "the pause")
    until(lambda: not processes(run_id), "an empty machine")
    kept = items(up, run_id)
    up.api("POST", f"/api/runs/{run_id}/resume")
    run = up.wait(run_id, ended, "the end")

    assert {item["state"] for item in kept.values()} == {"done"}
    assert paused["progress"]["done"] == len(kept) >= 2
    assert (run["status"], run["attempt"], run["progress"]["done"]) == ("completed", 2, 6)
    assert {key: items(up, run_id)[key] for key in kept} == kept


@pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs the extra tune")
def test_a_study_that_is_killed_goes_on_with_all_its_trials(up: Stack) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    run_id = start(up, ms=20, strategy="tpe", experiments=5)
    before = at_work(up, run_id, 2)

    for process in jobs(before):  # its shim too
        process.kill()
    run = up.wait(run_id, ended, "the end")

    journal = up.data / "runs" / run_id / "study.journal"
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.load_study(study_name="autotune", storage=storage)
    values = {t.user_attrs["experiment"]: t.value for t in study.trials if t.state.name == "COMPLETE"}
    assert run["status"] == "completed"
    assert values == {int(key): item["data"]["score"] for key, item in items(up, run_id).items()}
    assert len({item["data"]["point"] for item in items(up, run_id).values()}) == 5


def test_the_command_line_starts_it_from_a_file_and_refuses_an_empty_space(up: Stack, tmp_path: Path) -> None:
    (tmp_path / "tune.toml").write_text(
        """
        strategy = "grid"
        [target]
        server = "offline"
        [[space]]
        name = "order"
        values = [1, 3]
        [load]
        concurrencies = [1]
        requests = 3
        warmup = 0
        max_tokens = 8
        """
    )
    done = up.cli("run", "autotune", "-c", str(tmp_path / "tune.toml"))
    refused = up.cli("run", "autotune", "-c", str(tmp_path / "tune.toml"), "--set", "space=[]", check=False)

    assert "2/2 experiments" in done.stderr + done.stdout
    assert refused.returncode != 0
    assert "there is nothing to tune; add a parameter with at least two values" in refused.stderr


def messages(up: Stack, path: str) -> Iterator[dict[str, Any]]:
    """What a client of the dialect hears, until the socket closes."""
    with websocket_within(60, up, path) as connection:
        for message in map(json.loads, connection):
            if message["type"] != "heartbeat":
                yield message


@pytest.mark.rows("S4.60", "S4.61", "S4.66", "S4.69", "S4.70", "S4.71", "S4.72", "S4.75", "S4.88")
def test_a_task_is_told_from_its_start_to_its_completion_also_to_who_lost_the_server(up: Stack) -> None:
    run_id = start(up, space=[{"name": "order", "values": [1, 3]}, {"name": "batch", "values": [1, 2]}])
    number = up.run(run_id)["number"]
    path = f"/api/ws/tasks/{number}"

    first = messages(up, path)
    early = [next(first) for _ in range(3)]
    at_work(up, run_id, 1)
    up.kill_server()
    with contextlib.suppress(ConnectionClosed):  # as the network is lost
        list(first)
    until(up.is_up, "the server's health")
    told = list(messages(up, path))

    assert [message["type"] for message in told[:3]] == [
        "task_started",
        "experiment_started",
        "experiment_progress",
    ]
    assert told[:3] == early
    assert told[-1]["type"] == "task_completed"
    finished = [message for message in told if message["type"] == "experiment_completed"]
    assert [message["experiment_id"] - number * 100_000 for message in finished] == [1, 2, 3, 4]
    assert all(message["data"]["metrics"]["tokens_per_second"] > 0 for message in finished)
    best = min(finished, key=lambda message: float(message["data"]["objective_score"]))
    assert told[-1]["data"]["best_experiment_id"] == best["experiment_id"]
    experiments = up.api("GET", f"/api/tasks/{number}/experiments")["experiments"]
    assert [each["objective_score"] for each in experiments] == [
        message["data"]["objective_score"] for message in finished
    ]
