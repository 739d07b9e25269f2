"""Locks on files: who holds one keeps every other process away until it closes the file or dies."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO

from pilothouse.errors import Unavailable

POLL_SECONDS = 0.05


def lock_file(path: Path, patience_seconds: float) -> IO[str] | None:
    """Lock a file, which is made where there is none.

    Args:
        path: The file.
        patience_seconds: How long to wait for one who is about to leave.

    Returns:
        The file, locked until it is closed; None while somebody else holds it.

    Raises:
        OSError: It cannot be opened.
        Unavailable: It cannot be locked, by nobody's fault.
    """
    file = path.open("a")
    end = time.monotonic() + patience_seconds
    try:
        while not _try_lock(file):
            if time.monotonic() > end:
                file.close()
                return None
            time.sleep(POLL_SECONDS)
    except OSError as error:
        file.close()
        hint = "Its file system may know no locks: choose a folder on a disk of this machine with --data."
        raise Unavailable(f"{path} cannot be locked: {error}", hint=hint) from error
    return file


def _try_lock(file: IO[str]) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
