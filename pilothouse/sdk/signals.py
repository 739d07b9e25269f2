"""What unwinds a job, and what fails one item of it.

    BaseException
    ├── Cancelled    a user cancelled the run
    ├── Released     a paused run gives its memory back: leave, a later attempt goes on
    ├── Fenced       another attempt owns the run: leave at once and write nothing more
    └── CutOff       the server has been away for too long: save and leave
    Exception
    └── ItemFailed   one item failed, in the job's own words

The first four are no `Exception`, so a job's own `except Exception` cannot
swallow them; `finally` blocks run.
"""

from __future__ import annotations

from typing import Any


class Cancelled(BaseException):
    """Unwinds the job after a cancel."""


class Released(BaseException):
    """Unwinds the job after a pause that frees its memory; the next attempt skips what is finished."""


class Fenced(BaseException):
    """Unwinds the job when its attempt may no longer write."""


class CutOff(BaseException):
    """Unwinds the job when no server has answered for longer than the orphan time-out."""


class ItemFailed(Exception):
    """Fails one item with a clean message; the run goes on.

    Args:
        message: What happened, in one sentence; shown as it is.
        data: Columns of the failed item.
    """

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
