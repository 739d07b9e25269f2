"""What a job leaves for its host when it ends because no server answers.

It has not crashed then. Its exit code alone does not prove that: any job may end with any code.
"""

from __future__ import annotations

import contextlib
from pathlib import Path


def note_cut_off(folder: Path, attempt: int) -> None:
    """Called by the job's process; a full disk makes the end count as a crash."""
    with contextlib.suppress(OSError):
        _note(folder, attempt).touch()


def was_cut_off(folder: Path, attempt: int) -> bool:
    """Whether the attempt has ended because no server answered."""
    return _note(folder, attempt).exists()


def _note(folder: Path, attempt: int) -> Path:
    return folder / f"cut-off-{attempt}"
