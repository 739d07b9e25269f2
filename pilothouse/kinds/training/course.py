"""The course of one training: when to log, evaluate and save, what is told, and where a resume begins.

Knows no torch. A backend drives the steps and asks here after each one. The rule that
keeps the log truthful: an item is the stretch of steps up to a checkpoint, and it is
finished when that checkpoint is on the disk. Steps after the last checkpoint die with
their process and are done again; no finished item ever is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat, SupportsInt

from pilothouse.clock import now
from pilothouse.errors import PilothouseError
from pilothouse.kinds.training import progressfile
from pilothouse.kinds.training.checkpoint import Checkpoint, Shelf, pack
from pilothouse.kinds.training.errors import NotFinite
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.record import Record, Sample
from pilothouse.sdk.handle import RunHandle

TELL_SECONDS = 0.25
PARTS = 10
ZIPS = "zips"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the way is.

    Attributes:
        steps: Optimiser steps in all.
        steps_per_epoch: Optimiser steps that go through the dataset once.
        has_evaluation: Whether something is held out.
        is_cheap_to_read: A loss can be read at every step without holding up the device.
    """

    steps: int
    steps_per_epoch: int
    has_evaluation: bool
    is_cheap_to_read: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done after a step, in this order."""

    log: bool
    evaluate: bool
    save: bool


class Course:
    """What a backend tells and asks while it trains. Used by the thread that runs the job.

    Args:
        run: The handle.
        params: The validated params; the learning rate is read from the handle.
        plan: How long the way is.
        shelf: Where the checkpoints lie.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        run: RunHandle,
        params: Params,
        plan: Plan,
        shelf: Shelf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._params = params
        self._plan = plan
        self._shelf = shelf
        self._clock = clock
        self._every = max(1, plan.steps // PARTS)
        self._record = Record(clock)
        self._told_at = float("-inf")
        self._rate: float | None = None
        self.step = 0

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self._plan.steps

    @property
    def learning_rate(self) -> float:
        """The highest of the schedule, as it is wanted now."""
        return float(self._run.params["learning_rate"])

    # Where it begins

    def begin(self, start: Checkpoint | None) -> None:
        """Go on from a checkpoint, or begin at the first step."""
        if start is not None:
            self.step = start.step
            self._record = Record.restore(start.facts, self._clock)
        self._run.progress(self.step, self._plan.steps)
        self._run.metric(self.step, total_epochs=self._epochs)
        self._write_file("running")

    # What the backend tells

    def breathe(self) -> None:
        """In the midst of something long: a cancel does not wait for its end."""
        if self._run.pending == "cancel":
            self._run.safepoint()

    def rate_changed(self, rate: float, before: float) -> None:
        """The live learning rate is in force from the next step on."""
        text = f"Learning rate {rate:g} from step {self.step + 1} on, before {before:g}."
        self._run.note("control", text)

    def step_done(self, epoch: float, loss: SupportsFloat, tokens: SupportsInt, samples: int) -> Wanted:
        """One optimiser step is done.

        Args:
            epoch: How often the dataset was gone through so far.
            loss: Mean over what the step learnt from; read only when needed.
            tokens: That went through the model, padding left out; read only when needed.
            samples: Examples that went through the model.

        Raises:
            NotFinite: The loss is no number.
            Cancelled: The run was cancelled.
        """
        self.step += 1
        self._record.add(epoch, loss, tokens, samples)
        wanted = self._wanted()
        if self._plan.is_cheap_to_read or any((wanted.log, wanted.evaluate, wanted.save)):
            self._check_losses()
        self.breathe()
        self._tell(wanted)
        if wanted.evaluate or wanted.save:
            self._record.stop_the_clock()
        return wanted

    def logged(self, rate: float, grad_norm: float | None, **more: float) -> None:
        """The step's learning rate and gradient norm; `more` are metrics of the backend's own."""
        point = self._record.point(rate, grad_norm)
        self._run.metric(self.step, **point, **more)
        shown = ", ".join(f"{name} {value:.6g}" for name, value in point.items() if value is not None)
        self._run.log(f"step {self.step}/{self._plan.steps}: {shown}", source="trainer")
        self._record.logged({**point, **more})
        self._write_file("running")

    def evaluated(self, loss: float, sample: Sample | None = None) -> None:
        """The evaluation after this step.

        Args:
            loss: Of what is held out.
            sample: What the model says to a prompt now.

        Raises:
            NotFinite: Its loss is no number.
        """
        if not math.isfinite(loss):
            self._run.metric(self.step, eval_loss=loss)
            raise self._not_finite(f"The evaluation after step {self.step} gives no number.")
        is_best = self._record.evaluated(self.step, loss, sample)
        best = self._record.best or (self.step, loss)
        self._run.metric(self.step, eval_loss=loss, best_eval_loss=best[1])
        self._run.log(f"step {self.step}: eval_loss {loss:.6g}", source="trainer")
        if sample is not None:
            self._run.log(
                f"step {self.step}: to {sample.prompt!r} it says {sample.output!r}", source="trainer"
            )
        if is_best:
            self._run.note("metrics", f"Best evaluation so far: {loss:.4g} after step {self.step}.")
        self._write_file("running")

    def about_to_save(self) -> Path:
        """Make room for the checkpoint of this step; returns where it belongs."""
        self._shelf.clear(self.step)
        return self._shelf.place(self.step)

    def weights_broken(self) -> NotFinite:
        """A weight is no number, so there is nothing good to save."""
        return self._not_finite(f"A weight is not a number after step {self.step}.")

    def saved(self) -> None:
        """The trainer has written the checkpoint of this step: the item is finished, and a pause may begin.

        Raises:
            Cancelled, Released: As it says; the checkpoint is kept.
        """
        row = self._record.row(self.step, str(self._shelf.place(self.step)))
        facts = self._record.facts(signature(self._params), row)
        checkpoint = self._shelf.seal(self.step, facts)
        report(self._run, checkpoint)
        offer(self._run, self._params, checkpoint)
        best = {self._record.best[0]} if self._record.best else set()
        self._shelf.trim(self._params.keep_checkpoints, best)
        self._record.next_stretch(self.step)
        self._write_file("paused" if self._run.pending == "pause" else "running")
        self._run.safepoint()
        self._record.go_on()
        self._write_file("running")

    def ended(self, status: str, error: str | None = None) -> None:
        """Write how it ended for whoever polls the file."""
        self._write_file(status, error)

    # Within

    @property
    def _epochs(self) -> int:
        """Begun epochs in all."""
        return math.ceil(self._plan.steps / self._plan.steps_per_epoch)

    def _wanted(self) -> Wanted:
        params, step, is_last = self._params, self.step, self.step >= self._plan.steps
        must_save = self._run.pending in ("pause", "leave")
        return Wanted(
            log=is_last or step % params.logging_steps == 0,
            evaluate=self._plan.has_evaluation
            and (is_last or step % (params.eval_steps or self._every) == 0),
            save=is_last or must_save or step % (params.save_steps or self._every) == 0,
        )

    def _tell(self, wanted: Wanted) -> None:
        """The progress, now and then; the item that a checkpoint closes counts the last step itself."""
        if wanted.save:
            self._run.progress(self.step - 1)
        elif wanted.log or self._clock() - self._told_at >= TELL_SECONDS:
            self._told_at = self._clock()
            self._run.progress(self.step)
            self._write_file("running")

    def _check_losses(self) -> None:
        bad = self._record.first_bad()
        if bad is None:
            return
        step, loss = self.step - bad, self._record.loss_before(bad)
        self._run.metric(step, loss=loss)
        raise self._not_finite(f"The loss is not a number at step {step}.")

    def _not_finite(self, what: str) -> NotFinite:
        kept = self._shelf.whole()
        good = f"The checkpoint of step {kept[-1].step} is good: a retry goes on from there." if kept else ""
        way = "Lower learning_rate, add warmup_steps, or use fp32 or bf16 instead of fp16; look at the data."
        self._run.guard("not_finite", what)
        return NotFinite(what, hint=f"{good} {way}".strip())

    def _write_file(self, status: str, error: str | None = None) -> None:
        total = self._plan.steps
        progressfile.write(
            self._run.folder / progressfile.NAME,
            {
                "job_id": self._run.id,
                "status": status,
                "progress": math.floor(1000 * self.step / total) / 10,
                "current_epoch": min(self._epochs, int(self._record.epoch) + 1),
                "total_epochs": self._epochs,
                "current_step": self.step,
                "total_steps": total,
                **self._record.latest,
                "eta_seconds": self._record.eta_seconds(total - self.step),
                "error": error,
                "timestamp": now(),
                "complete": status in ("completed", "failed", "cancelled"),
            },
        )


def steps_per_epoch(examples: int, params: Params, devices: int = 1) -> int:
    """Optimiser steps that go through so many examples once; each GPU takes a batch of its own."""
    batches = math.ceil(examples / (params.batch_size * max(1, devices)))
    return math.ceil(batches / params.accumulation)


def signature(params: Params) -> dict[str, Any]:
    """What must be the same for a checkpoint to fit."""
    return params.model_dump(include={"model", "method", "lora_rank", "dataset", "precision"})


def key_of(step: int) -> str:
    """The key of the item that the checkpoint of a step closes."""
    return f"step-{step:06d}"


def report(run: RunHandle, checkpoint: Checkpoint) -> None:
    """Report the item that a checkpoint closes; a second report of it is left out by its key."""
    row = dict(checkpoint.facts["row"])
    seconds = row.pop("seconds")
    run.item(key_of(checkpoint.step), seconds=seconds, **row)


def offer(run: RunHandle, params: Params, checkpoint: Checkpoint) -> None:
    """List a checkpoint among the run's files. That it cannot be is no reason to stop training."""
    if not params.offer_checkpoints:
        return
    name = f"{key_of(checkpoint.step)}.zip"
    try:
        path = pack(checkpoint.folder, run.folder / ZIPS / name)
        try:
            run.artifact(path, f"checkpoints/{name}")
            checkpoint.mark_offered()
        finally:
            path.unlink(missing_ok=True)
    except (OSError, PilothouseError) as error:
        run.note(
            "error", f"The checkpoint of step {checkpoint.step} is kept here but cannot be offered: {error}"
        )
