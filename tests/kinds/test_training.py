"""The loop of a training: items, progress, pause, kill, cancel, the live learning rate."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.training import KIND
from pilothouse.kinds.training.backend import ArithmeticBackend
from pilothouse.model.run import Strength
from pilothouse.sdk.signals import Cancelled, Fenced, Released
from tests.kinds.trainings import (
    THIRTY,
    Begin,
    Killed,
    begin,
    fenced,
    hear,
    losses,
    notes,
    perform,
    rows,
    whole,
)
from tests.sdk.link_server import LinkServer

__all__ = ["begin", "whole"]


def test_an_item_is_what_lies_between_two_checkpoints_and_progress_counts_steps(
    begin: Begin, server: LinkServer
) -> None:
    perform(begin(**THIRTY))

    progress = server.log.run.progress
    assert rows(server) == ["1–10", "11–20", "21–30"]
    assert (progress.done, progress.total, progress.failed) == (30, 30, 0)
    assert sorted(losses(server)) == list(range(3, 31, 3))
    assert sorted(server.log.files) == [
        "checkpoints/step-000010.zip",
        "checkpoints/step-000020.zip",
        "checkpoints/step-000030.zip",
        "model.zip",
        "trainer.jsonl",
    ]
    assert [body.name for body in server.bodies("phase.started")] == ["Prepare", "Train", "Save"]


def test_what_the_model_says_at_an_evaluation_is_in_the_row_and_in_the_log(
    begin: Begin, server: LinkServer
) -> None:
    perform(begin(**THIRTY, eval_steps=20))

    said = [body.data.get("output") for body in server.bodies("item.finished")]
    row = server.bodies("item.finished")[1].data
    assert [text is None for text in said] == [True, False, False]
    assert said[1] != said[2]
    assert (row["prompt"], row["expected"]) == ("1 + 1 =", "2")
    assert any("to '1 + 1 =' it says" in body.text for body in server.bodies("log"))


def test_every_metric_of_the_declaration_is_told(begin: Begin, server: LinkServer) -> None:
    perform(begin(**THIRTY))

    declared = {metric.name for metric in KIND.metrics if "gpu" not in metric.name}
    assert server.log.run.metrics.keys() == declared


@pytest.mark.rows("S5.49", "S5.65")
def test_the_file_for_pollers_tells_the_state_and_the_end(begin: Begin, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def look(step: int) -> None:
        if step > 1:
            seen.append(json.loads((tmp_path / "progress.json").read_text()))

    perform(begin(**THIRTY), look)
    last = json.loads((tmp_path / "progress.json").read_text())

    assert {state["status"] for state in seen} == {"running"}
    assert [state["current_step"] for state in seen] == sorted(state["current_step"] for state in seen)
    assert (last["status"], last["progress"], last["complete"], last["total_epochs"]) == (
        "completed",
        100.0,
        True,
        3,
    )
    assert not list(tmp_path.glob(".progress*"))


def test_a_killed_process_goes_on_from_its_last_checkpoint_with_the_same_losses(
    begin: Begin, server: LinkServer, whole: dict[int, float]
) -> None:
    def die(step: int) -> None:
        if step == 18:
            raise Killed

    with pytest.raises(Killed):
        perform(begin(**THIRTY), die)
    finished = server.keys("item.finished")
    perform(begin())

    assert finished == ["step-000010"]
    assert server.keys("item.finished") == ["step-000010", "step-000020", "step-000030"]
    assert losses(server) == whole
    assert server.log.run.progress.done == 30
    (said, _) = notes(server, "training")
    assert said.startswith("The last checkpoint is of step 10, and the process had come to step 1")
    assert said.endswith("at least: what followed step 10 is done again.")


def test_what_was_saved_but_not_yet_told_is_told_and_not_done_again(
    begin: Begin, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = begin(**THIRTY)
    monkeypatch.setattr("pilothouse.kinds.training.course.report", fenced)
    with pytest.raises(Fenced):
        perform(handle)
    monkeypatch.undo()
    done: list[int] = []
    assert server.keys("item.finished") == []

    perform(begin(), done.append)

    assert rows(server) == ["1–10", "11–20", "21–30"]
    assert done[0] == 11


def test_a_pause_saves_at_the_steps_end_and_is_held(
    begin: Begin, server: LinkServer, whole: dict[int, float], tmp_path: Path
) -> None:
    handle = begin(**THIRTY)

    def ask(step: int) -> None:
        if step == 14:
            server.pause()
            hear(handle, "pause")

    def resume() -> None:
        server.wait_for(lambda: server.status() == "paused")
        paused_with.extend(rows(server))
        server.resume()

    paused_with: list[str] = []
    thread = threading.Thread(target=resume)
    thread.start()
    perform(handle, ask)
    thread.join()

    assert paused_with == ["1–10", "11–14"]
    assert rows(server) == ["1–10", "11–14", "15–20", "21–30"]
    assert losses(server) == whole
    assert server.log.run.progress.done == 30


@pytest.mark.parametrize("at", [5, 14, 15, 29])
def test_a_released_pause_comes_back_with_the_same_losses(
    begin: Begin, server: LinkServer, whole: dict[int, float], at: int
) -> None:
    handle = begin(**THIRTY)

    def ask(step: int) -> None:
        if step == at:
            server.pause(strength=Strength.RELEASE)
            hear(handle, "pause")

    with pytest.raises(Released):
        perform(handle, ask)
    server.resume()
    done: list[int] = []
    perform(begin(), done.append)

    assert done == list(range(at + 1, 31))
    assert losses(server) == whole


def test_a_cancel_does_not_wait_for_a_checkpoint(begin: Begin, server: LinkServer, tmp_path: Path) -> None:
    handle = begin(**THIRTY)

    def ask(step: int) -> None:
        if step == 14:
            server.cancel()
            hear(handle, "cancel")

    with pytest.raises(Cancelled):
        perform(handle, ask)

    assert rows(server) == ["1–10"]
    assert (tmp_path / "checkpoints" / "checkpoint-10").is_dir()
    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["status"], told["complete"], told["error"]) == ("cancelled", True, None)


def test_a_cancel_before_the_first_step_is_told_to_who_polls_the_file(
    begin: Begin, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = begin(**THIRTY)
    prepare = ArithmeticBackend.prepare

    def asked(*given: Any) -> Any:
        server.cancel()
        hear(handle, "cancel")
        return prepare(*given)

    monkeypatch.setattr(ArithmeticBackend, "prepare", asked)

    with pytest.raises(Cancelled):
        perform(handle)

    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["job_id"], told["status"], told["complete"], told["error"]) == (
        "run_1",
        "cancelled",
        True,
        None,
    )


def test_a_learning_rate_changed_in_mid_run_is_in_force_at_the_next_step_and_after_a_resume(
    begin: Begin, server: LinkServer
) -> None:
    handle = begin(**THIRTY)

    def ask(step: int) -> None:
        if step == 7:
            handle.params["learning_rate"] = 0.25
        if step == 12:
            server.pause(strength=Strength.RELEASE)
            hear(handle, "pause")

    with pytest.raises(Released):
        perform(handle, ask)
    server.resume()
    again = begin()
    again.params["learning_rate"] = 0.25
    perform(again)

    rates = {
        body.step: body.values["learning_rate"] for body in server.bodies("metric") if "loss" in body.values
    }
    assert (rates[6], rates[9], rates[30]) == (5e-4, 0.25, 0.25)
    assert notes(server, "control") == ["Learning rate 0.25 from step 8 on, before 0.0005."]
