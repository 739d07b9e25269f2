"""Where a host runs: what tells it from others of its name, and what keeps a second one away from there."""

from __future__ import annotations

import time
import uuid
from hashlib import blake2b
from pathlib import Path
from typing import IO

from pilothouse.sdk.marks import hold

LEAVE_SECONDS = 10.0  # a host that is told to stop may take, until its jobs have ended
LOOK_SECONDS = 0.05


def instance_of(data: Path) -> str:
    """What tells a host from others of its name: where it runs. The same before and after a restart there."""
    try:  # on Linux: which boot of which machine, which container
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        machine = boot + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        machine = str(uuid.getnode())
    return blake2b(f"{machine} {data.resolve()}".encode(), digest_size=8).hexdigest()


def keep_others_away(data: Path, name: str, patience_seconds: float = LEAVE_SECONDS) -> IO[bytes] | None:
    """Be the only host of this name with this data folder, until the file is closed or the process ends.

    Two of them would take each other's jobs for what they have lost themselves, and end them.

    Returns:
        The file; None where another one does not leave for so long.

    Raises:
        OSError: The folder cannot be written.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (data / f"host-{blake2b(name.encode(), digest_size=4).hexdigest()}.lock").open("ab")
    end = time.monotonic() + patience_seconds
    while not hold(file.fileno()):
        if time.monotonic() > end:
            file.close()
            return None
        time.sleep(LOOK_SECONDS)
    return file
