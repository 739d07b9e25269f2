"""A backup with the runs' files: a tar archive that holds a copy of the database and the folder `runs`."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.errors import Conflict, Unavailable
from pilothouse.stores.backup import copy_database
from pilothouse.stores.file import beside, settle

DATABASE = "pilothouse.db"
FILES = "runs"
_PART = ".part"

Swap = Callable[[], Path | None]


def pack(database: Path, files: Path, target: Path, *, force: bool = False) -> int:
    """Write an archive; returns its size in bytes.

    The database is copied first: a file is written before the event that names it, so
    every file that the copy names is there.

    Raises:
        Conflict: The target exists.
        Unavailable: The database cannot be copied, or the archive cannot be written.
    """
    if target.exists() and not force:
        raise Conflict(f"{target} exists already", hint="Choose another name, or replace it with --force.")
    part, copy = beside(target, _PART), beside(target, ".db")
    try:
        copy_database(database, copy, force=True)
        with tarfile.open(part, "w") as archive:
            archive.add(copy, DATABASE)
            if files.is_dir():
                archive.add(files, FILES)
        part.chmod(0o600)
        settle(part, target)
    except (OSError, tarfile.TarError) as error:
        raise Unavailable(f"{target} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    return target.stat().st_size


def is_archive(file: Path) -> bool:
    """Whether a backup was made with its files."""
    return file.is_file() and tarfile.is_tarfile(file)


@contextmanager
def unpacked(file: Path, folder: Path) -> Iterator[tuple[Path, Swap]]:
    """An archive's database, and a function that puts its files in their place.

    That function returns where the files that were there are now, None without any.

    Raises:
        Unavailable: The archive is damaged, or holds no database.
    """
    place = Path(tempfile.mkdtemp(prefix=".restoring-", dir=folder))
    try:
        with tarfile.open(file) as archive:
            archive.extractall(place, filter="data")
        if not (place / DATABASE).is_file():
            raise Unavailable(f"{file} holds no {DATABASE}")
        yield place / DATABASE, lambda: _swap(place / FILES, folder / FILES)
    except (OSError, tarfile.TarError) as error:
        raise Unavailable(f"{file} cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _swap(fresh: Path, there: Path) -> Path | None:
    kept = None
    if there.exists():
        kept = beside(there, f".before-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}")
        there.rename(kept)
    if fresh.exists():
        fresh.rename(there)
    return kept
