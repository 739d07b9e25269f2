"""Locks on files, where there are none to be had."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from pilothouse.errors import Conflict, Unavailable
from pilothouse.stores.file import DatabaseFile
from pilothouse.web.serve import lock_folder


def test_a_file_system_without_locks_is_not_called_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    for take in (DatabaseFile(tmp_path / "pilothouse.db").acquire, lambda: lock_folder(tmp_path)):
        with pytest.raises(Unavailable, match=r"cannot be locked: .*No locks available"):
            take()


def test_a_folder_that_is_let_go_is_taken_at_once(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(Conflict, match="another server uses the data folder"):
        lock_folder(tmp_path, 0.0)

    lock_folder(tmp_path, 0.0).close()
