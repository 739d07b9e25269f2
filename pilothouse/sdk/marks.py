"""What a process has in hand, in memory that outlives it.

A small file, mapped into memory, holds the keys of the items that were begun
last and the number of the last acknowledged event. Writing a key costs a
microsecond and no system call, and a killed process leaves it behind. Keys are
never taken out: who reads them leaves out those that have a result.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

SIZE_BYTES = 64 * 1024
LONGEST_BYTES = 4096
_ACKED = struct.Struct("=Q")
_HEAD = struct.Struct("=IHxxQ")  # checksum, length of the key, number
_STEP = _HEAD.size
_BEGIN = 16

try:
    from fcntl import LOCK_EX, LOCK_NB, lockf
except ImportError:  # pragma: no cover - Windows has no such lock, and then nobody counts as alive
    lockf = None  # type: ignore[assignment]


class Marks:
    """The marks of one living process.

    Args:
        path: The file, made anew; its blocks are taken at once, so that no later
            write into the mapped memory can meet a full disk.

    Raises:
        OSError: There is no room for it, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _reserve(self._descriptor, SIZE_BYTES)
            hold(self._descriptor)
            self._memory = mmap.mmap(self._descriptor, SIZE_BYTES)
        except BaseException:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise
        self._lock = threading.Lock()
        self._place = _BEGIN
        self._number = 0
        self._is_closed = False

    def note(self, key: str) -> None:
        """An item begins. A key that is too long to be one is left out."""
        name = key.encode("utf-8", "surrogatepass")
        size = _STEP + (len(name) + _STEP - 1) // _STEP * _STEP
        if len(name) > LONGEST_BYTES:
            return
        with self._lock:
            if self._is_closed:
                return
            self._number = number = self._number + 1
            place = self._place
            if place + size > SIZE_BYTES:
                place = _BEGIN
            self._place = place + size
            head = _HEAD.pack(crc32(name, number & 0xFFFFFFFF), len(name), number)
            self._memory[place : place + _STEP + len(name)] = head + name

    def acknowledge(self, number: int) -> None:
        """Keep how far the server has stored this process's events."""
        with self._lock:
            if not self._is_closed:
                self._memory[: _ACKED.size] = _ACKED.pack(number)

    def close(self, *, is_over: bool) -> None:
        """Let go of the file; remove it when nobody will need it."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._memory.close()
            os.close(self._descriptor)
        if is_over:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Left:
    """What a process left behind.

    Attributes:
        acked: Number of its last acknowledged event.
        keys: Items it began, oldest first; the finished ones are among them.
    """

    acked: int = 0
    keys: tuple[str, ...] = ()


def read_left(path: Path) -> Left:
    """Read the marks of a process that has gone; empty without any."""
    try:
        memory = path.read_bytes()
    except OSError:
        return Left()
    if len(memory) < _BEGIN:
        return Left()
    found: dict[int, str] = {}
    for place in range(_BEGIN, len(memory) - _STEP, _STEP):
        checksum, length, number = _HEAD.unpack_from(memory, place)
        name = memory[place + _STEP : place + _STEP + length]
        if number and 0 < length == len(name) and checksum == crc32(name, number & 0xFFFFFFFF):
            found[number] = name.decode("utf-8", "surrogatepass")
    keys = dict.fromkeys(found[number] for number in sorted(found))
    return Left(_ACKED.unpack_from(memory)[0], tuple(keys))


def acknowledge(path: Path, number: int) -> None:
    """Keep how far a process's events are stored, after its end."""
    try:
        with path.open("rb+") as file:
            file.write(_ACKED.pack(number))
    except OSError:
        return


def hold(descriptor: int) -> bool:
    """Lock an open file for this process; False while another process holds it.

    The lock ends with the process, however that dies, and is not handed on to its children.
    """
    if lockf is None:
        return True
    try:
        lockf(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _reserve(descriptor: int, size: int) -> None:
    """Take the blocks of a file."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.write(descriptor, b"\0" * size)
