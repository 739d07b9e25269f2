"""A zip archive that is made while it is sent: memory stays flat however large the files are.

What it holds is stored, not compressed: models and checkpoints do not shrink, and
the server's time belongs to the runs.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CHUNK_BYTES = 256 * 1024
MISSING = "missing.txt"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive.

    Attributes:
        name: Its name there.
        path: Where it is; None where it cannot be.
        time: When it was saved.
    """

    name: str
    path: Path | None
    time: datetime


class _Wire:
    """Takes what the archive writes, until somebody fetches it. It cannot seek, so sizes follow the data."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._place = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        """Nothing waits."""

    def seekable(self) -> bool:
        return False

    def fetch(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def packed(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive, piece by piece. A file that has gone meanwhile is named in `missing.txt`.

    Raises:
        OSError: A file cannot be read to its end; the receiver sees that the archive is cut.
    """
    wire = _Wire()
    missing: list[str] = []
    with zipfile.ZipFile(wire, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for member in members:
            try:
                file = member.path.open("rb") if member.path else None
            except OSError:
                file = None
            if file is None:
                missing.append(member.name)
                continue
            with file, archive.open(_info(member), "w", force_zip64=True) as into:
                while chunk := file.read(CHUNK_BYTES):
                    into.write(chunk)
                    yield wire.fetch()
        if missing:
            name = f"{MISSING}.txt" if MISSING in archive.NameToInfo else MISSING
            archive.writestr(name, "These files were not there any more:\n" + "\n".join(missing) + "\n")
    yield wire.fetch()


def _info(member: Member) -> zipfile.ZipInfo:
    moment = member.time.timetuple()[:6]
    info = zipfile.ZipInfo(member.name, max(moment, _EARLIEST))
    info.external_attr = 0o644 << 16
    return info
