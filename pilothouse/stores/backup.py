"""Copies of a SQLite database: taken while a server writes to it, and put back in its place.

A copy is one file, whole and checked. Putting one back never loses what was
there: it stays beside, under a dated name, and a restore that is cut off leaves
either the old database or none, never a mixture of both. The files of runs follow
their database, by the next start at the latest.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.errors import Conflict, Unavailable
from pilothouse.stores.file import RESTORING, beside, damaged, inspect, reading, settle
from pilothouse.stores.migration import check_known

STEP_PAGES = 256
REST_SECONDS = 0.002
UNPACKING = f"{RESTORING}-"
_PART = ".part"


def copy_database(source: Path, target: Path, *, force: bool = False) -> int:
    """Copy a SQLite database into one whole file; a server may write to it meanwhile.

    The copy is the database at one moment. It is read in steps of 1 MB from a snapshot, so the
    writer is not held up; its log (`-wal`) grows until the copy is done.

    Args:
        source: The database.
        target: The copy; it appears under this name when it is finished and checked.
        force: Replace a file that is there.

    Returns:
        The copy's size in bytes.

    Raises:
        Conflict: The target exists.
        Unavailable: The source is missing, damaged or no Pilothouse database, or there is no room.
    """
    check_free(target, force=force)
    if not source.exists():
        raise Unavailable(f"there is no database at {source}", hint="Name the data folder with --data.")
    part = beside(target, _PART)
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, part)
        inspect(part, whole=True)
        settle(part, target)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise Unavailable(f"{source} cannot be copied to {target}: {error}") from error
        raise damaged(source, str(error)) from error
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def check_free(target: Path, *, force: bool) -> None:
    """Make sure that a backup may have this name.

    Raises:
        Conflict: There is a file, and `force` does not allow to replace it.
    """
    if target.exists() and not force:
        raise Conflict(f"{target} exists already", hint="Choose another name, or replace it with --force.")


def check_revision(path: Path) -> None:
    """Make sure that a file is a Pilothouse database which this version can read.

    Raises:
        Unavailable: It is not.
    """
    try:
        with closing(reading(path)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            connection.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    except (sqlite3.Error, TypeError) as error:  # no such table, or nothing in it
        raise Unavailable(f"{path} is not a Pilothouse database: {error}") from error
    check_known(revision, path, "Restore it with the newer version.")


def replace_database(path: Path, copy: Path) -> Path | None:
    """Put a copy in a database's place. Nobody may have either open.

    Returns:
        Where the database that was there is now, None without one.
    """
    kept = None
    if path.exists():
        kept = dated(path)
        for suffix in ("", "-wal"):
            if beside(path, suffix).exists():
                _keep(beside(path, suffix), beside(kept, suffix))
        path.unlink()
    elif beside(path, "-wal").exists():
        beside(path, "-wal").rename(beside(dated(path), "-wal"))
    for suffix in ("-wal", "-shm"):  # the copy must never meet another database's log
        beside(path, suffix).unlink(missing_ok=True)
    settle(copy, path)
    return kept


def lay_files(fresh: Path, files: Path) -> None:
    """Lay the files of a backup beside those that are there, durably, before its database is put in place.

    Args:
        fresh: The folder of the backup's files, on the same file system; it may be missing.
        files: The folder `runs`.
    """
    fresh.mkdir(exist_ok=True)
    os.sync()
    settle(fresh, beside(files, RESTORING))


def settle_files(files: Path, database: Path) -> Path | None:
    """Put files that were laid beside in their place, where their database is in its own; else drop them.

    Called at the end of a restore, and by whoever comes after one that was cut off. Nobody else
    may use the data folder.

    Returns:
        Where the files that were there are now, None without any.

    Raises:
        Unavailable: They cannot be moved.
    """
    laid, kept = beside(files, RESTORING), None
    try:
        if laid.exists():
            if beside(database, RESTORING).exists():
                shutil.rmtree(laid)
            else:
                if files.exists():
                    kept = files.rename(dated(files))
                settle(laid, files)
    except OSError as error:
        raise Unavailable(
            f"{laid} cannot be put in the place of {files.name}: {error}", hint="Look at its permissions."
        ) from error
    for left in files.parent.glob(f"{UNPACKING}*"):
        shutil.rmtree(left, ignore_errors=True)
    return kept


def check_no_leftover(file: Path, files: Path, database: Path) -> None:
    """Make sure that a backup is not what a restore that was cut off left: the next one removes that.

    Raises:
        Conflict: It is.
    """
    left = [beside(database, RESTORING), beside(files, RESTORING), *files.parent.glob(f"{UNPACKING}*")]
    if any(file.resolve().is_relative_to(each.resolve()) for each in left):
        raise Conflict(
            f"{file} is what a restore that was cut off left",
            hint="Restore the backup itself, or give this a name of its own first.",
        )


def dated(path: Path) -> Path:
    """A name beside a file or folder, for what lies there now, that nothing has yet."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    names = (beside(path, f".before-{stamp}{more}") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not name.exists())


def _copy(source: Path, target: Path) -> None:
    with closing(reading(source)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the snapshot begins here
        new.execute("PRAGMA synchronous=OFF")  # the finished file is synced as a whole
        old.backup(new, pages=STEP_PAGES, progress=lambda *_: time.sleep(REST_SECONDS))
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def _keep(source: Path, target: Path) -> None:
    """A second name for a file; a copy where the file system knows no second names."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
