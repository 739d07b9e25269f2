"""`progress.json`: the state of a training in one file, for tools that poll one.

Written by write-and-rename, so that a reader never sees half of it. The same
format is read when a trainer elsewhere is followed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilothouse.clock import now

NAME = "progress.json"
LARGEST_BYTES = 1_000_000
MOST_STEPS = 10**15
_NUMBERS = {
    "loss": ("loss", "train_loss"),
    "eval_loss": ("eval_loss", "val_loss", "validation_loss"),
    "learning_rate": ("learning_rate", "lr"),
    "grad_norm": ("grad_norm",),
    "samples_per_second": ("samples_per_second",),
    "tokens_per_second": ("tokens_per_second",),
    "epoch": ("epoch", "current_epoch"),
    "gpu_memory_allocated_gb": ("gpu_memory_allocated_gb",),
    "gpu_utilization_percent": ("gpu_utilization_percent",),
}


def write(path: Path, state: Mapping[str, Any]) -> None:
    """Put a state in place of the one before; a full disk costs the file and not the training."""
    plain = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in state.items()}
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(plain, indent=1))
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def end(path: Path, job_id: str, status: str, error: str | None = None) -> None:
    """A training ends before it has a course: what was said before stays, but for the end."""
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        said = {}
    known = said if isinstance(said, dict) else {}
    more = {"job_id": job_id, "status": status, "error": error, "timestamp": now(), "complete": True}
    write(path, known | more)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a `progress.json` says.

    Attributes:
        step: Steps done, None where it does not say.
        total: Steps in all, None where it does not say.
        metrics: By this kind's names.
        is_over: The trainer has ended.
        error: Why it failed, None when it did not.
    """

    step: int | None
    total: int | None
    metrics: dict[str, float]
    is_over: bool
    error: str | None


def read(path: Path) -> Seen | None:
    """Read a file that another program writes; None while there is none, half of one, or something else."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    status = str(said.get("status", "")).lower()
    has_failed = status in {"failed", "error", "cancelled", "canceled"}
    is_over = has_failed or status in {"completed", "done", "finished"} or said.get("complete") is True
    step, total = (_whole(said, *names) for names in (("current_step", "step"), ("total_steps", "total")))
    if step is None and (share := _number(said, ("progress",))) is not None:
        step, total = round(min(100.0, max(0.0, share)) * 10), 1000
    error = str(said.get("error") or f"The trainer says that it is {status}.") if has_failed else None
    metrics = {name: value for name, names in _NUMBERS.items() if (value := _number(said, names)) is not None}
    return Seen(step, total, metrics, is_over, error)


def _whole(said: Mapping[str, Any], *names: str) -> int | None:
    value = _number(said, names)
    return int(value) if value is not None and 0 <= value <= MOST_STEPS else None


def _number(said: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        value = said.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None
