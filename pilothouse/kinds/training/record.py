"""What is measured along the way, and what of it a checkpoint carries so that sums go on exactly.

Losses stay as the device gave them until they are needed. Every mean is a sum in the
order of the steps over their count, so a resumed training logs the same digits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, SupportsFloat, SupportsInt

MOST_LETTERS = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What the model says to a prompt at an evaluation.

    Attributes:
        prompt: What it is given.
        output: What it makes of it.
        expected: What the dataset says; None where nobody knows.
    """

    prompt: str
    output: str
    expected: str | None


class Record:
    """Sums since the last log and since the last checkpoint.

    Args:
        clock: Monotonic seconds.

    Attributes:
        epoch: How often the dataset was gone through.
        latest: The newest value of each metric.
        best: Step and loss of the best evaluation; None before the first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.epoch = 0.0
        self.latest: dict[str, Any] = {}
        self.best: tuple[int, float] | None = None
        self._losses: list[SupportsFloat] = []  # since the last log
        self._checked = 0
        self._stretch: list[SupportsFloat] = []  # since the last checkpoint
        self._first = 1
        self._tokens_read = 0
        self._tokens: list[SupportsInt] = []
        self._window_tokens = self._window_samples = 0
        self._window_at = self._stretch_at = clock()
        self._window_seconds = 0.0
        self._evaluated: tuple[int, float] | None = None
        self._sample: Sample | None = None
        self._steps_here, self._seconds_here = 0, 0.0
        self._point: dict[str, float | None] = {}

    @classmethod
    def restore(cls, facts: Mapping[str, Any], clock: Callable[[], float]) -> Record:
        """Go on from what a checkpoint carries."""
        record = cls(clock)
        record.epoch = facts["epoch"]
        record.latest = dict(facts["latest"])
        record.best = (facts["best"][0], facts["best"][1]) if facts["best"] else None
        record._losses = list(facts["losses"])
        record._tokens_read = facts["tokens"]
        record._first = facts["row"]["step"] + 1
        return record

    def facts(self, signature: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
        """What a checkpoint carries: plain JSON, floats to the last digit."""
        return {
            "epoch": self.epoch,
            "latest": self.latest,
            "best": list(self.best) if self.best else None,
            "losses": [float(loss) for loss in self._losses],
            "tokens": self._read_tokens(),
            "signature": dict(signature),
            "row": dict(row),
        }

    # Steps

    def add(self, epoch: float, loss: SupportsFloat, tokens: SupportsInt, samples: int) -> None:
        """One step."""
        self.epoch = epoch
        self._losses.append(loss)
        self._stretch.append(loss)
        self._tokens.append(tokens)
        self._window_samples += samples
        self._steps_here += 1

    def stop_the_clock(self) -> None:
        """An evaluation or a checkpoint comes now: it is no part of the pace."""
        self._window_seconds += self._clock() - self._window_at
        self._window_at = self._clock()

    def first_bad(self) -> int | None:
        """How many steps ago the first loss that is no number was; None when all are numbers."""
        for number in range(self._checked, len(self._losses)):
            if not math.isfinite(float(self._losses[number])):
                return len(self._losses) - 1 - number
        self._checked = len(self._losses)
        return None

    def loss_before(self, steps: int) -> float:
        """The loss of so many steps ago."""
        return float(self._losses[-1 - steps])

    def point(self, rate: float, grad_norm: float | None) -> dict[str, float | None]:
        """The metrics of this log: the mean loss since the last one, and the pace."""
        losses = [float(loss) for loss in self._losses]
        self._read_tokens()
        seconds = self._window_seconds + self._clock() - self._window_at
        point: dict[str, float | None] = {
            "loss": sum(losses) / len(losses) if losses else self.latest.get("loss"),
            "learning_rate": rate,
            "grad_norm": grad_norm,
            "epoch": round(self.epoch, 6),
        }
        if seconds > 0 and self._window_samples:
            point |= {
                "samples_per_second": round(self._window_samples / seconds, 3),
                "tokens_per_second": round(self._window_tokens / seconds, 1),
            }
        return point

    def logged(self, point: Mapping[str, float | None]) -> None:
        """Begin the sums of the next log."""
        self._losses.clear()
        self._checked = 0
        self._window_tokens = self._window_samples = 0
        self._window_seconds, self._window_at = 0.0, self._clock()
        self._point = dict(point)
        self.latest |= point

    def evaluated(self, step: int, loss: float, sample: Sample | None) -> bool:
        """An evaluation; True when it is the best so far. Its time does not count as training."""
        self._evaluated, self._sample = (step, loss), sample
        self.latest |= {"eval_loss": loss}
        self._window_at = self._clock()
        is_best = not self.best or loss < self.best[1]
        if is_best:
            self.best = (step, loss)
        return is_best

    # Stretches

    def row(self, step: int, place: str) -> dict[str, Any]:
        """The columns of the item that a checkpoint closes; `seconds` is its duration."""
        losses = [float(loss) for loss in self._stretch]
        return {
            "step": step,
            "steps": f"{self._first}–{step}" if self._first < step else str(step),
            "epoch": round(self.epoch, 4),
            "loss": sum(losses) / len(losses) if losses else None,
            "eval_loss": self._evaluated[1] if self._evaluated else None,
            "is_best": bool(self.best and self.best[0] == step),
            "learning_rate": self._point.get("learning_rate"),
            "grad_norm": self._point.get("grad_norm"),
            "tokens": self._read_tokens(),
            **self._spoken(),
            "checkpoint": f"checkpoints/step-{step:06d}.zip",
            "place": place,
            "seconds": round(self._clock() - self._stretch_at, 3),
        }

    def next_stretch(self, step: int) -> None:
        """The checkpoint is sealed: begin the sums of the next stretch."""
        self._first = step + 1
        self._stretch.clear()
        self._evaluated = self._sample = None

    def go_on(self) -> None:
        """Saving, and a pause if there was one, are over; neither counts as training."""
        self._seconds_here += self._clock() - self._stretch_at
        self._stretch_at = self._window_at = self._clock()

    def eta_seconds(self, left: int) -> float | None:
        """Seconds left at the pace so far; None before three steps."""
        if self._steps_here < 3:
            return None
        spent = self._seconds_here + self._clock() - self._stretch_at
        return round(spent / self._steps_here * left, 1)

    def _spoken(self) -> dict[str, str | None]:
        """The sample of the stretch's last evaluation; nothing where it has none."""
        if self._sample is None:
            return {}
        return {name: text and text[:MOST_LETTERS] for name, text in asdict(self._sample).items()}

    def _read_tokens(self) -> int:
        for count in self._tokens:
            read = int(count)
            self._tokens_read += read
            self._window_tokens += read
        self._tokens.clear()
        return self._tokens_read
