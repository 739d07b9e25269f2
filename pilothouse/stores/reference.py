"""How people name a run: `#42`, `@last`, a name, an id or its beginning."""

from __future__ import annotations

from collections.abc import Sequence

from pilothouse.errors import Conflict, NotFound
from pilothouse.model.run import Run

LAST = "@last"
SHOWN = 5


def number_in(reference: str) -> int | None:
    """The run number in `#42` or `42`, None in anything else."""
    digits = reference.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


def choose(reference: str, runs: Sequence[Run]) -> Run | None:
    """The one run that fits, None when none does.

    Args:
        reference: What the user wrote.
        runs: The runs that fit, newest first; more than five need not be given.

    Raises:
        Conflict: Several fit (code `ambiguous`).
    """
    if len(runs) < 2:
        return runs[0] if runs else None
    shown = ", ".join(f"#{run.number} {run.name} ({run.id})" for run in runs[:SHOWN])
    error = Conflict(
        f"{reference!r} fits several runs: {shown}{' …' if len(runs) > SHOWN else ''}",
        hint="Name it by its number, such as #42.",
    )
    error.code = "ambiguous"
    raise error


def unknown(reference: str) -> NotFound:
    """The error for a reference that nothing fits."""
    return NotFound(f"there is no run {reference!r}", hint="`pilothouse ls` shows the runs there are.")


def alive(run: Run) -> Conflict:
    """The error for a run that must end before it can be deleted."""
    return Conflict(
        f"{run.name} is {run.status}; only a run that has ended can be deleted",
        hint="Cancel it first.",
        status=run.status,
    )
