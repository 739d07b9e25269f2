"""Who is alive: a file that its process keeps locked.

The kernel lets a lock go when its process ends, however it ends, so no clock,
heartbeat or process id decides whether a job is dead.
"""

from __future__ import annotations

import fcntl
import secrets
from pathlib import Path
from typing import IO


class Holder:
    """A locked file for as long as this process lives, or until `close`.

    Attributes:
        name: What others call it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._file = _locked(folder)
        self.name = self._path.name

    def close(self) -> None:
        """Let go."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def _locked(folder: Path) -> tuple[Path, IO[bytes]]:
    """A new file and its lock; one that was taken for a dead holder's before it was locked is not used."""
    while True:
        path = folder / secrets.token_hex(8)
        file = path.open("wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return path, file
        file.close()


def remove_dead(folder: Path) -> None:
    """Remove the files that dead holders have left."""
    for path in folder.iterdir():
        is_alive(folder, path.name)


def is_alive(folder: Path, name: str) -> bool:
    """Whether the holder of this name still holds its lock; the file of a dead one is removed."""
    path = folder / name
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
