"""A backup with the runs' files: a tar archive that holds a copy of the database and the folder `runs`."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pilothouse.errors import Unavailable
from pilothouse.stores.backup import UNPACKING, check_free, copy_database
from pilothouse.stores.file import beside, settle

DATABASE = "pilothouse.db"
FILES = "runs"
_PART = ".part"


def pack(database: Path, files: Path, target: Path, *, force: bool = False) -> int:
    """Write an archive; returns its size in bytes.

    The database is copied first: a file is written before the event that names it, so
    every file that the copy names is there.

    Raises:
        Conflict: The target exists.
        Unavailable: The database cannot be copied, or the archive cannot be written.
    """
    check_free(target, force=force)
    part, copy = beside(target, _PART), beside(target, f"{_PART}.db")
    try:
        copy_database(database, copy, force=True)
        with tarfile.open(part, "w") as archive:
            archive.add(copy, DATABASE)
            _add(archive, files, files)
            for folder, folders, names in os.walk(files):
                for name in (*folders, *names):
                    _add(archive, Path(folder, name), files)
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
def unpacked(file: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """An archive's database, and the folder of its files.

    Raises:
        Unavailable: The archive is damaged, or holds no database.
    """
    place = Path(tempfile.mkdtemp(prefix=UNPACKING, dir=folder))
    try:
        _unpack(file, place)
        yield place / DATABASE, place / FILES
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unpack(file: Path, place: Path) -> None:
    try:
        with tarfile.open(file) as archive:
            archive.extractall(place, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise Unavailable(f"{file} cannot be unpacked: {error}") from error
    if not (place / DATABASE).is_file():
        raise Unavailable(f"{file} holds no {DATABASE}")


class _Sized:
    """Reads a file as long as it was; what was cut off meanwhile is zeros."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes."""
        return self._file.read(size).ljust(size, b"\0")


def _add(archive: tarfile.TarFile, path: Path, files: Path) -> None:
    """Add a file or a folder, but nothing that `unpacked` would refuse.

    A job may run: its files come and go, and are cut short while they are read.
    """
    try:
        info = archive.gettarinfo(path, str(Path(FILES) / path.relative_to(files)))
        if info is None:  # a socket
            return
        tarfile.data_filter(info, str(files.parent))
        if not info.isfile():
            archive.addfile(info)
            return
        with path.open("rb") as file:
            archive.addfile(info, _Sized(file))
    except (FileNotFoundError, tarfile.FilterError):
        return
