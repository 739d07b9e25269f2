"""The loop of a training: prepare, train, save; and where an attempt begins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pilothouse.kinds.training import KIND, progressfile
from pilothouse.kinds.training.backend import Backend
from pilothouse.kinds.training.checkpoint import Checkpoint, Shelf, pack, read
from pilothouse.kinds.training.course import ZIPS, Course, Plan, key_of, offer, report, signature
from pilothouse.kinds.training.dataset import load_examples
from pilothouse.kinds.training.errors import DiskFull, OutOfMemory
from pilothouse.kinds.training.foreign import follow_command, watch_file
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.shortage import is_disk_full, is_out_of_memory
from pilothouse.sdk.done import Done
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.signals import Cancelled

PHASES = ("Prepare", "Train", "Save")
MODEL = "model.zip"
TRAINER_LOG = "trainer.jsonl"


def run(run: RunHandle) -> None:
    """Train with transformers, or follow a trainer elsewhere.

    Raises:
        PilothouseError: What is missing or went wrong, and the way out.
    """
    params = Params.model_validate(run.params)
    match params.mode:
        case "command":
            follow_command(run, params)
        case "watch":
            watch_file(run, Path(params.progress_file or "").expanduser())
        case "train":
            with told_if_it_ends(run):
                check_packages(params)
                examples = load_examples(params)  # what is bad is said before anything heavy is imported
                from pilothouse.kinds.training.hugging import TransformersBackend

            Training(run, params, TransformersBackend(examples)).run()


def check_packages(params: Params) -> None:
    """Fail at once where packages are missing.

    Raises:
        MissingExtra: With the command that installs them.
    """
    extra = KIND.extra
    assert extra is not None
    needed = [name for name in extra.modules if name != "peft" or params.method == "lora"]
    replace(extra, modules=tuple(needed)).require("Training")


class Training:
    """One attempt of one training.

    Args:
        run: The handle.
        params: The validated params.
        backend: Who trains.
    """

    def __init__(self, run: RunHandle, params: Params, backend: Backend) -> None:
        self._run = run
        self._params = params
        self._backend = backend
        self._shelf = Shelf(run.folder / "checkpoints")

    def run(self) -> None:
        """Take the steps that are left, then save the model.

        Raises:
            PilothouseError: What went wrong, and the way out.
        """
        with told_if_it_ends(self._run):
            with self._run.phase(PHASES[0], 1, 3), self._explained(lambda: "while the model is loaded"):
                plan = self._backend.prepare(self._params, self._run.folder, self._tell)
                self._run.total(plan.steps)
                self._run.safepoint()
                start = self._start()
            course = Course(self._run, self._params, plan, self._shelf)
        self._announce(plan, start)
        course.begin(start)
        try:
            with self._run.phase(PHASES[1], 2, 3), self._explained(lambda: f"at step {course.step + 1}"):
                if course.step < plan.steps:
                    self._backend.train(course, self._shelf.folder, start)
            with self._run.phase(PHASES[2], 3, 3), self._explained(lambda: "while the model is saved"):
                self._save(start)
        except Cancelled:
            course.ended("cancelled")
            raise
        except Exception as error:
            course.ended("failed", str(error))
            raise
        course.ended("completed")

    @contextmanager
    def _explained(self, when: Callable[[], str]) -> Iterator[None]:
        """Say the way out where memory or disk is short."""
        try:
            yield
        except Exception as error:
            if is_out_of_memory(error):
                raise self._out_of_memory(when(), error) from error
            if is_disk_full(error):
                raise self._disk_full(error) from error
            raise

    # Where it begins

    def _start(self) -> Checkpoint | None:
        """The newest whole checkpoint; says so where a later one is gone."""
        finished = self._run.finished()
        self._shelf.sweep()
        shutil.rmtree(self._run.folder / ZIPS, ignore_errors=True)  # of a process that was killed
        own = self._shelf.whole()
        self._catch_up(own, {done.key for done in finished})
        start = own[-1] if own else self._of_the_retried(finished)
        self._say_what_is_gone(finished, start)
        self._say_what_is_repeated(start)
        return start

    def _catch_up(self, own: list[Checkpoint], finished: set[str]) -> None:
        """Offer and report what was saved by a process that was killed before it could."""
        for checkpoint in own:
            if not checkpoint.is_offered:
                offer(self._run, self._params, checkpoint)
            if key_of(checkpoint.step) not in finished:
                self._run.progress(checkpoint.step - 1)
                report(self._run, checkpoint)

    def _of_the_retried(self, finished: list[Done[None]]) -> Checkpoint | None:
        """The newest checkpoint of the run that this one retries, where it still lies and fits."""
        for done in reversed(finished):
            checkpoint = read(Path(str(done.data.get("place") or "-")))
            if checkpoint and checkpoint.facts["signature"] == signature(self._params):
                return checkpoint
        return None

    def _say_what_is_gone(self, finished: list[Done[None]], start: Checkpoint | None) -> None:
        last = max((done for done in finished if "step" in done.data), key=_step_of, default=None)
        at = start.step if start else 0
        if last is None or at >= _step_of(last):
            return
        begins = f"goes on from the checkpoint of step {at}" if start else "begins again at the first step"
        again = f"steps {at + 1} to {_step_of(last)} are done again, and their rows stay as they were"
        place = Path(str(last.data.get("place") or self._shelf.place(_step_of(last))))
        why = f"is not in {place.parent} any more, or is damaged"
        if read(place):
            why = "is of another model, method, dataset or precision"
        self._run.note("error", f"The checkpoint of step {_step_of(last)} {why}. Training {begins}: {again}.")

    def _say_what_is_repeated(self, start: Checkpoint | None) -> None:
        """Steps after the last checkpoint died with their process; how many, progress.json knows."""
        seen = progressfile.read(self._run.folder / progressfile.NAME)
        at = start.step if start else 0
        if seen and seen.step and seen.step > at and self._run.attempt > 1:
            last = f"The last checkpoint is of step {at}" if at else "There is no checkpoint yet"
            again = f"what followed step {at}" if at else "all"
            text = f"{last}, and the process had come to step {seen.step} at least: {again} is done again."
            self._run.note("training", text)

    def _announce(self, plan: Plan, start: Checkpoint | None) -> None:
        params = self._params
        what = f"{params.model} on {params.dataset}, {'LoRA' if params.method == 'lora' else 'all weights'}"
        if start is None:
            self._run.note(
                "planned", f"{plan.steps} steps: {what}, {plan.steps / plan.steps_per_epoch:.3g} epochs."
            )
        else:
            self._run.note("training", f"Goes on from the checkpoint of step {start.step} of {plan.steps}.")

    # How it ends

    def _save(self, start: Checkpoint | None) -> None:
        """Offer the model and the trainer's log."""
        checkpoint = next(reversed(self._shelf.whole()), start)
        assert checkpoint is not None
        folder = self._run.folder / "model"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._backend.export(checkpoint, folder)
        path = pack(folder, self._run.folder / MODEL)
        self._run.artifact(path)
        path.unlink()
        self._run.artifact(self._log())
        self._run.note("file", f"The model after step {checkpoint.step} is {MODEL}.")

    def _log(self) -> Path:
        """Every finished stretch as a line of JSON, whether its checkpoint is kept or not."""
        path = self._run.folder / TRAINER_LOG
        rows = [done.data | {"seconds": done.seconds} for done in self._run.finished() if "step" in done.data]
        rows.sort(key=lambda row: int(row["step"]))
        lines = (json.dumps({name: value for name, value in row.items() if name != "place"}) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def _out_of_memory(self, when: str, error: BaseException) -> OutOfMemory:
        kept = self._shelf.whole()
        good = f"The checkpoint of step {kept[-1].step} is kept." if kept else "No checkpoint was saved yet."
        batch, more = self._params.batch_size, self._params.accumulation
        smaller = (
            f"set batch_size {batch // 2} with accumulation {more * 2} (the same steps)"
            if batch > 1
            else "set method lora"
        )
        way = f"Make it smaller: {smaller}, a shorter max_length, method lora, or precision bf16. {good}"
        return OutOfMemory(f"Out of memory {when}: {_first_line(error)}", hint=way)

    def _disk_full(self, error: BaseException) -> DiskFull:
        self._shelf.sweep()  # half a checkpoint takes room for nothing
        kept = self._shelf.whole()
        good = f"The checkpoint of step {kept[-1].step} is good: a retry goes on from there." if kept else ""
        way = "Make room first; a lower keep_checkpoints, or offer_checkpoints off, needs less of it."
        return DiskFull(
            f"There is no room left in {self._shelf.folder}: {_first_line(error)}",
            hint=f"{good} {way}".strip(),
        )

    def _tell(self, text: str) -> None:
        self._run.note("planned", text)


@contextmanager
def told_if_it_ends(run: RunHandle) -> Iterator[None]:
    """Tell whoever polls the file of an end that comes before the first step."""
    path = run.folder / progressfile.NAME
    try:
        yield
    except Cancelled:
        progressfile.end(path, run.id, "cancelled")
        raise
    except Exception as error:
        progressfile.end(path, run.id, "failed", str(error))
        raise


def _step_of(done: Done[None]) -> int:
    return int(done.data["step"])


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
