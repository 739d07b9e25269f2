"""Why a job failed, as the fields of `run.failed`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from pilothouse.errors import PilothouseError
from pilothouse.sdk.done import in_words

TAIL_CHARACTERS = 4_000
_MORE = ("where", "exit_code", "signal", "tail")


def describe(error: BaseException, entry: str | None = None) -> dict[str, Any]:
    """The data of `run.failed`: a deliberate error in its own words, a crash with its place and traceback.

    Args:
        error: What ended the job. The details `where`, `exit_code`, `signal` and `tail` of a
            deliberate error are taken over.
        entry: The job's entry, for the hint; None when no host started it.
    """
    if isinstance(error, PilothouseError):
        return {
            "reason": error.code,
            "message": error.message,
            "hint": error.hint,
            "tail": _said(error),
            "exit_code": 1,
        } | {name: error.details[name] for name in _MORE if name in error.details}
    lines = traceback.format_exception(error)
    return {
        "reason": "crash",
        "message": in_words(error),
        "hint": _hint(error, entry),
        "where": _where(error),
        "tail": "".join(lines)[-TAIL_CHARACTERS:],
        "exit_code": _exit_code(error),
    }


def in_print(error: BaseException, failure: dict[str, Any]) -> str:
    """What the console shows of a failure: a deliberate error's own words, a crash's traceback."""
    return _said(error) if isinstance(error, PilothouseError) else str(failure["tail"])


def _said(error: PilothouseError) -> str:
    return "\n".join(filter(None, [error.message, error.hint]))


def _exit_code(error: BaseException) -> int:
    code = error.code if isinstance(error, SystemExit) else 1
    return code if isinstance(code, int) and 0 < code < 256 else 1


def _where(error: BaseException) -> str | None:
    """The innermost frame of the user's own code; else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    others = _not_the_users()
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    for frame in (own or frames)[-1:]:
        return f"{frame.filename}:{frame.lineno} in {frame.name}"
    return None


def _not_the_users() -> tuple[str, ...]:
    """Where code lies that the user did not write."""
    import sysconfig

    here = Path(__file__).parent
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*installed, str(here), str(here.parent / "worker"), "<frozen")


def _hint(error: BaseException, entry: str | None) -> str | None:
    if not isinstance(error, ImportError) or entry is None:
        return None
    module = entry.partition(":")[0]
    missing = (error.name or "").partition(".")[0]
    if not missing or missing == module.partition(".")[0]:
        return f"`{module}` cannot be imported where the host runs; is its folder on PYTHONPATH?"
    return f"Install it where the host runs: {sys.executable} -m pip install {missing}"
