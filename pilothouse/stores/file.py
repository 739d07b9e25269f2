"""The file of a SQLite database: whose it is, whether it is whole, and whether it is still there.

A file that is not whole is refused before anything writes to it. While a server
has it open, a file that somebody replaces, removes or cuts short is noticed
before the next answer: a commit into a file that is gone must not be acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

from pilothouse.errors import Unavailable
from pilothouse.stores.lock import lock_file

OLDEST_SQLITE = (3, 38)  # the first that knows -> and ->>
LOCK_SECONDS = 5.0
WHOLE_CHECK_BYTES = 64 * 1024 * 1024
RESTORING = ".restoring"
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_SMALL_TABLES = ("alembic_version", "meta", "runs")
_WAY_OUT = (
    "It was left as it is. Put a backup in its place: pilothouse restore FILE. Or move it away to begin anew."
)

_Identity = tuple[int, int]


class DatabaseFile:
    """One SQLite file of one server.

    Args:
        path: The database; its log (`-wal`) and its lock (`.lock`) lie beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wal = beside(path, "-wal")
        self._names = str(path), str(self._wal)
        self._lock: IO[str] | None = None
        self._identity: _Identity | None = None
        self._wal_identity: _Identity | None = None
        self._size = 0

    def acquire(self) -> None:
        """Keep other servers away for as long as this one has the file open.

        Raises:
            Unavailable: Another server has it open, or its folder cannot be written or knows no locks.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_file(beside(self.path, ".lock"), LOCK_SECONDS)
        except OSError as error:
            hint = f"Let the server's user write to {self.path.parent}, or name another folder with --data."
            raise Unavailable(f"{self.path} cannot be opened: {error}", hint=hint) from error
        if lock is None:
            raise Unavailable(
                f"another server has {self.path} open",
                hint="Stop it, give this one another data folder, or use PostgreSQL for several servers.",
            )
        self._lock = lock

    def release(self) -> None:
        """Let others in."""
        self._identity = self._wal_identity = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def prepare(self) -> None:
        """Look at the file; make it where there is none.

        Raises:
            Unavailable: It is not whole, its folder cannot be written, or SQLite is too old; nothing was changed.
        """
        _require_version()
        if not self._is_missing():
            inspect(self.path)
            return
        fresh = beside(self.path, ".new")
        try:
            fresh.unlink(missing_ok=True)
            with closing(sqlite3.connect(fresh)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            settle(fresh, self.path)  # never an empty file: that would be one that was cut short
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{self.path} cannot be made: {error}") from error

    def watch(self) -> None:
        """Remember which file was opened; the log may have been made anew since."""
        there = self.path.stat()
        self._identity, self._size = (there.st_dev, there.st_ino), there.st_size
        self._wal_identity = None

    def confirm(self) -> None:
        """Make sure that the file that was opened is the one that lies there.

        Raises:
            Unavailable: It was replaced, removed or cut short.
        """
        if self._identity is None:
            return
        known = self._size  # before the look: another thread may see a longer file meanwhile
        try:
            there, wal = os.stat(self._names[0]), os.stat(self._names[1])  # noqa: PTH116 — twice as fast
        except OSError as error:
            raise self._gone(f"is gone ({error.strerror})") from None
        if self._wal_identity is None:
            self._wal_identity = (wal.st_dev, wal.st_ino)
        if (there.st_dev, there.st_ino) != self._identity or (wal.st_dev, wal.st_ino) != self._wal_identity:
            raise self._gone("was replaced by another file")
        if there.st_size < known:
            raise self._gone("was cut short")
        self._size = there.st_size

    def _gone(self, what: str) -> Unavailable:
        return Unavailable(
            f"{self.path} {what} while the server had it open",
            hint="Nothing is written any more. Stop the server, put the right file there, start it again.",
        )

    def _is_missing(self) -> bool:
        """True where a new database may begin.

        Raises:
            Unavailable: The database is missing, and what lies beside it says that there was one.
        """
        if self.path.exists():
            return False
        if beside(self.path, RESTORING).exists():
            raise Unavailable(
                f"{self.path} is missing: a restore was cut off",
                hint="Run `pilothouse restore` again; the database from before it lies beside, under a dated name.",
            )
        if self._wal.exists() and self._wal.stat().st_size:
            raise Unavailable(
                f"{self.path} is missing, but {self._wal.name} is there, which belongs to it",
                hint=f"Put the database back, or restore a backup; else move {self._wal.name} away.",
            )
        return True


def _require_version() -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Unavailable(
            f"SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer is needed, and this Python brings"
            f" {sqlite3.sqlite_version}",
            hint="Use a Python that brings its own (from python.org, conda or uv), or PostgreSQL.",
        )


def inspect(path: Path, *, whole: bool = False) -> None:
    """Look whether a SQLite file is whole. Reads only.

    Args:
        path: The file.
        whole: Read all of it. Otherwise a file above 64 MB is looked at in its header, its
            schema and its small tables, so that a server starts within a moment.

    Raises:
        Unavailable: It is not, or it is no SQLite file; the message names it.
    """
    _check_header(path)
    whole = whole or path.stat().st_size <= WHOLE_CHECK_BYTES
    try:
        with closing(reading(path)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            checks = [""] if whole else [f"({name})" for name in _SMALL_TABLES if name in tables]
            for check in checks:
                found = connection.execute(f"PRAGMA quick_check{check}").fetchone()[0]
                if found != "ok":
                    raise damaged(path, str(found))
    except sqlite3.OperationalError as error:
        raise Unavailable(f"{path} cannot be opened: {error}", hint="Look at its permissions.") from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, and begins no transaction by itself."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def damaged(path: Path, reason: str) -> Unavailable:
    """The error for a file that is not whole."""
    return Unavailable(f"{path} is damaged: {' '.join(reason.split())}", hint=_WAY_OUT)


def beside(path: Path, suffix: str) -> Path:
    """A file beside another one, named after it."""
    return path.with_name(path.name + suffix)


def settle(source: Path, target: Path) -> None:
    """Put a finished file in its place, durably."""
    _sync(source)
    source.replace(target)
    if sys.platform != "win32":
        _sync(target.parent)


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error}", hint="Look at its permissions.") from error
    if not size:
        raise damaged(path, "it is empty")
    if not header.startswith(_MAGIC):
        raise damaged(path, "it is not a SQLite database")
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    pages = int.from_bytes(header[28:32], "big")
    is_valid = header[24:28] == header[92:96]  # else an old program wrote it last, and the count is stale
    wal = beside(path, "-wal")
    # Who died while the log was copied into the file may have left the count ahead of the pages:
    # what is missing is in the log then, and no more than the log holds.
    there = size + (wal.stat().st_size if wal.exists() else 0)
    if len(header) < _HEADER_BYTES or (is_valid and there < page * pages):
        raise damaged(path, f"it was cut short: {size} of {page * pages} bytes")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
