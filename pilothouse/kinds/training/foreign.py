"""A trainer that is not ours: its command is run and its bar read, or its progress.json is followed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilothouse.kinds.bars import Bar
from pilothouse.kinds.script.job import perform
from pilothouse.kinds.training import progressfile
from pilothouse.kinds.training.errors import TrainerFailed
from pilothouse.kinds.training.params import Params
from pilothouse.kinds.training.progressfile import Seen
from pilothouse.sdk.handle import RunHandle

LOOK_SECONDS = 0.5
SCRIPT_PARAMS = ("command", "folder", "environment", "restart", "stuck_seconds")


def follow_command(run: RunHandle, params: Params) -> None:
    """Run a training command; its bar is the progress, the numbers behind the bar are metrics.

    Raises:
        PilothouseError: It cannot be started, or did not end well.
    """
    ours = params.model_dump(include=set(SCRIPT_PARAMS))

    def moved(bar: Bar) -> None:
        run.progress(bar.done, bar.total)
        if numbers := {_NAMES.get(name, name): value for name, value in bar.numbers.items()}:
            run.metric(bar.done, **numbers)

    with run.phase("Train"):
        perform(run, ours, moved)


_NAMES = {"lr": "learning_rate", "train_loss": "loss", "val_loss": "eval_loss"}


def watch_file(run: RunHandle, path: Path, sleep: Callable[[float], None] = time.sleep) -> None:
    """Follow the progress.json of a trainer that runs on its own, until it says that it is over.

    Pause and cancel end the watching and never the trainer, which knows nothing of it.

    Raises:
        TrainerFailed: It says that it has failed.
        Cancelled, Released: As it says.
    """
    run.note("planned", f"Follows {path}. Pausing or cancelling this run leaves the trainer alone.")
    if not path.exists():
        run.note("training", f"There is no {path} yet; waiting for it.")
    last: Seen | None = None
    with run.phase("Train"):
        while True:
            run.safepoint()
            seen = progressfile.read(path)
            if seen is not None and seen != last:
                _tell(run, seen, last)
                last = seen
                if seen.error:
                    raise TrainerFailed(
                        seen.error, hint=f"It is what {path} says; the trainer's own log knows more."
                    )
                if seen.is_over:
                    return
            sleep(LOOK_SECONDS)


def _tell(run: RunHandle, seen: Seen, last: Seen | None) -> None:
    if seen.step is not None:
        run.progress(seen.step, seen.total)
    before: dict[str, Any] = last.metrics if last else {}
    if seen.metrics and seen.metrics != before:
        run.metric(seen.step or 0, **seen.metrics)
