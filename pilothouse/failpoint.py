"""Named points at which a test kills the process. For tests only: nothing fires unless it is armed.

`PILOTHOUSE_FAILPOINT=name` arms one point; `name:3` fires at the third pass.
`PILOTHOUSE_FAILPOINT_ONCE=path` names a marker file. Whoever makes it may die;
the process that is started in its place finds it there and goes on. The file
then says which program died.

A point that is not armed costs one comparison of two short strings.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

ARMED, _, _PASS = os.environ.get("PILOTHOUSE_FAILPOINT", "").partition(":")
_MARKER = os.environ.get("PILOTHOUSE_FAILPOINT_ONCE", "")
_passes = count(1)


def reach(name: str) -> None:
    """Die here, as by a power cut, if this point is armed and its time has come."""
    if name == ARMED and next(_passes) == int(_PASS or 1) and _is_first():
        os.kill(os.getpid(), signal.SIGKILL)


def _is_first() -> bool:
    """True for the one process that makes the marker file, and where none is asked for."""
    if not _MARKER:
        return True
    try:
        file = os.open(_MARKER, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    os.write(file, f"{Path(sys.argv[0]).stem} {os.getpid()}\n".encode())
    os.fsync(file)
    return True
