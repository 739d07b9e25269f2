"""What goes wrong in a training, and what is kept of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pilothouse.kinds.training import KIND
from pilothouse.kinds.training.backend import ArithmeticBackend
from pilothouse.kinds.training.errors import NotFinite, OutOfMemory
from pilothouse.sdk.signals import Fenced
from tests.kinds.trainings import THIRTY, Begin, Killed, begin, fenced, losses, notes, perform, rows, whole
from tests.sdk.link_server import LinkServer

__all__ = ["begin", "whole"]


def test_a_loss_that_is_no_number_fails_with_its_step_and_keeps_the_last_good_checkpoint(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    with pytest.raises(NotFinite) as caught:
        perform(begin(**THIRTY), lambda step: float("nan") if step == 17 else None)

    assert caught.value.message == "The loss is not a number at step 17."
    assert (caught.value.hint or "").startswith(
        "The checkpoint of step 10 is good: a retry goes on from there."
    )
    assert server.log.run.metrics["loss"] == "NaN"
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint-10"]
    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["status"], told["error"]) == ("failed", caught.value.message)


def test_a_retry_goes_on_from_the_checkpoints_of_the_run_it_retries(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    with pytest.raises(NotFinite):
        perform(begin(**THIRTY), lambda step: float("nan") if step == 17 else None)
    done: list[int] = []
    other = tmp_path / "other"
    other.mkdir()

    perform(begin(folder=other), done.append)

    assert done == list(range(11, 31))


def test_a_retry_with_another_model_begins_again_and_says_why(
    begin: Begin, server: LinkServer, tmp_path: Path
) -> None:
    perform(begin(**THIRTY))
    kept = server.bodies("item.finished")
    server.add_run(**KIND.validate({**THIRTY, "model": "another"}))
    for body in kept:
        server.log.append(body.model_copy(update={"reused": True}))
    done: list[int] = []
    other = tmp_path / "other"
    other.mkdir()

    perform(begin(folder=other), done.append)

    assert done[0] == 1
    (said,) = notes(server, "error")
    assert said.startswith(
        "The checkpoint of step 30 is of another model, method, dataset or precision. Training begins"
    )


def test_a_new_run_from_a_chosen_checkpoint_gives_the_losses_of_the_undisturbed_one(
    begin: Begin, server: LinkServer, whole: dict[int, float], tmp_path: Path
) -> None:
    perform(begin(**THIRTY))
    kept = [body for body in server.bodies("item.finished") if body.data["step"] <= 10]
    server.add_run(**KIND.validate(THIRTY))
    for body in kept:
        server.log.append(body.model_copy(update={"reused": True}))
    done: list[int] = []
    other = tmp_path / "other"
    other.mkdir()

    perform(begin(folder=other), done.append)

    assert done == list(range(11, 31))
    assert losses(server) == {step: loss for step, loss in whole.items() if step > 10}
    assert (server.log.run.progress.done, server.log.run.progress.total) == (30, 30)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
              RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 bytes")]
)  # fmt: skip
def test_out_of_memory_is_said_with_ways_out(begin: Begin, error: Exception) -> None:
    def die(step: int) -> None:
        if step == 13:
            raise error

    with pytest.raises(OutOfMemory) as caught:
        perform(begin(**THIRTY, batch_size=16), die)

    assert caught.value.message.startswith("Out of memory at step 13")
    hint = caught.value.hint or ""
    assert "batch_size 8 with accumulation 2 (the same steps)" in hint
    assert "method lora" in hint
    assert "The checkpoint of step 10 is kept." in hint


def test_another_error_of_the_trainer_is_left_as_it_is(begin: Begin, tmp_path: Path) -> None:
    def die(step: int) -> None:
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        perform(begin(**THIRTY), die)

    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["status"], told["complete"], told["error"]) == ("failed", True, "shape mismatch")


@pytest.mark.parametrize("gone", ["last", "all"])
def test_a_deleted_checkpoint_folder_is_said_and_the_last_that_exists_is_taken(
    begin: Begin, server: LinkServer, tmp_path: Path, whole: dict[int, float], gone: str
) -> None:
    def die(step: int) -> None:
        if step == 25:
            raise Killed

    with pytest.raises(Killed):
        perform(begin(**THIRTY), die)
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder / "checkpoint-20" if gone == "last" else folder)

    done: list[int] = []
    perform(begin(), done.append)

    (said,) = notes(server, "error")
    assert said.startswith(f"The checkpoint of step 20 is not in {folder} any more, or is damaged.")
    how = (
        "goes on from the checkpoint of step 10: steps 11"
        if gone == "last"
        else "begins again at the first step: steps 1"
    )
    assert f"Training {how} to 20 are done again, and their rows stay as they were." in said
    assert done[0] == (11 if gone == "last" else 1)
    assert losses(server) == whole
    assert (server.log.run.progress.done, server.log.run.progress.total) == (30, 30)


def test_half_a_checkpoint_is_none(
    begin: Begin, server: LinkServer, tmp_path: Path, whole: dict[int, float]
) -> None:
    def die(step: int) -> None:
        if step == 25:
            raise Killed

    with pytest.raises(Killed):
        perform(begin(**THIRTY), die)
    (tmp_path / "checkpoints" / "checkpoint-20" / "state.json").write_text("{")
    unsealed = tmp_path / "checkpoints" / "checkpoint-24"
    unsealed.mkdir()
    (unsealed / "state.json").write_text("{}")

    done: list[int] = []
    perform(begin(), done.append)

    assert done[0] == 11
    assert losses(server) == whole
    assert not unsealed.exists()


def test_only_the_newest_checkpoints_and_the_best_are_kept(begin: Begin, tmp_path: Path) -> None:
    def worsens(step: int) -> float | None:
        return 0.1 * step if step > 6 else None

    perform(begin(steps=30, save_steps=3, eval_steps=3, keep_checkpoints=2, learning_rate=0.1), worsens)

    kept = sorted(int(path.name.partition("-")[2]) for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [6, 27, 30]


def test_a_checkpoint_that_cannot_be_offered_does_not_stop_the_training(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pilothouse.kinds.training.course.pack", full)

    perform(begin(**THIRTY))

    assert len(rows(server)) == 3
    assert "step 10 is kept here but cannot be offered: [Errno 28] No space left" in notes(server, "error")[0]


def test_a_process_killed_after_the_last_step_only_saves(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArithmeticBackend, "export", fenced)
    with pytest.raises(Fenced):
        perform(begin(**THIRTY))
    monkeypatch.undo()
    done: list[int] = []

    perform(begin(), done.append)

    assert done == []
    assert "model.zip" in server.log.files
