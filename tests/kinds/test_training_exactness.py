"""Training with the real library: what a pause, and the kill of a real process, leave of its losses."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from pilothouse.kinds.training import KIND
from pilothouse.model import event as e
from pilothouse.model.run import Strength
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from pilothouse.sdk.signals import Released
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn, spawn

__all__ = ["spawn"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not all(map(find_spec, ("torch", "transformers", "accelerate"))), reason="the extra train is not here"
    ),
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("default"),  # of torch and its friends
    pytest.mark.xdist_group("torch"),
]

ENTRY = "pilothouse.kinds.training.job:run"
HANG = 300.0
SMALL = {
    "steps": 40,
    "batch_size": 4,
    "accumulation": 2,
    "max_length": 24,
    "logging_steps": 4,
    "save_steps": 12,
    "eval_steps": 10,
    "eval_fraction": 0.02,
    "schedule": "cosine",
    "warmup_steps": 3,
    "device": "cpu",
}

Reached = Callable[[], bool]


def losses(server: LinkServer) -> dict[tuple[str, int], list[float]]:
    """Every loss, evaluation, gradient norm and learning rate that was logged: several where a step was done again."""
    found: dict[tuple[str, int], list[float]] = {}
    for body in server.bodies("metric"):
        for name in ("loss", "eval_loss", "grad_norm", "learning_rate"):
            if name in body.values:
                found.setdefault((name, body.step), []).append(body.values[name])
    return found


def step_of(server: LinkServer) -> int:
    return max((body.step for body in server.bodies("metric")), default=0)


def kill(child: subprocess.Popen[str]) -> None:
    """SIGKILL the job itself, at once."""
    for process in psutil.Process(child.pid).children(recursive=True):
        process.kill()
    child.wait(HANG)


@pytest.fixture
def alone(tmp_path: Path) -> Any:
    """A folder to read a real dataset from, so that small examples are learnt."""
    lines = [{"text": f"{n} and {n + 1} make {2 * n + 1}."} for n in range(60)]
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


@pytest.fixture
def perform(server: LinkServer, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Runs the present attempt to its end in the test's own process, which imports torch once for all."""
    links: list[Link] = []

    def perform() -> None:
        from pilothouse.kinds.training.job import run

        log = server.log
        link = Link(server.url, "secret", "run_1", log.run.attempt)
        links.append(link)
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        given = dict(log.run.params)
        handle = RunHandle(
            link,
            id="run_1",
            name="test",
            attempt=log.run.attempt,
            params=given,
            folder=folder,
            finished=tuple(log.finished),
        )
        link.start(on_live=handle.params.update)
        try:
            run(handle)
        finally:
            link.flush(30)

    yield perform
    for link in links:
        link.close()


def test_losses_after_a_pause_and_a_kill_are_those_of_an_uninterrupted_run_to_the_last_digit(
    server: LinkServer, spawn: Spawn, perform: Callable[[], None], alone: str, tmp_path: Path
) -> None:
    params = KIND.validate({**SMALL, "dataset": alone})
    server.add_run(**params)
    perform()
    server.append(e.RunCompleted())
    whole = losses(server)
    model = server.log.files["model.zip"]
    (tmp_path / "folder").rename(tmp_path / "first")

    server.add_run(**params)  # the same again, from its beginning
    with ThreadPoolExecutor(1) as pool:
        pausing = pool.submit(pause_at, server, 4)
        with pytest.raises(Released):
            perform()
        pausing.result()
    server.resume()
    server.next_attempt_of_queued()
    killed = spawn(ENTRY, 2)
    server.wait_for(lambda: step_of(server) >= 28, HANG)
    kill(killed)
    finished = server.keys("item.finished")
    server.next_attempt()
    perform()

    assert all(len(set(values)) == 1 for values in losses(server).values())
    assert {name: values[0] for name, values in losses(server).items()} == {
        name: values[0] for name, values in whole.items()
    }
    assert len(server.keys("item.finished")) == len(set(server.keys("item.finished")))
    assert server.keys("item.finished")[: len(finished)] == finished
    assert weights(server.log.files["model.zip"]) == weights(model)
    assert server.log.run.progress.done == 40


def pause_at(server: LinkServer, step: int) -> None:
    """Ask for a pause that frees the machine, once a step is reached."""
    server.wait_for(lambda: step_of(server) >= step, HANG)
    server.pause(strength=Strength.RELEASE)


def weights(archive: bytes) -> bytes:
    """The weights of a zipped model, bit by bit."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return files.read("model.safetensors")
