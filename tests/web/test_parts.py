"""A file on its way to the disk, and what is left of it when its server is killed."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.web.parts import STALE_SECONDS, part_of, remove_stale
from tests.web.clients import Job, until
from tests.web.serving import Running, running
from tests.web.test_artifacts import DATA, folder, job, upload

__all__ = ["job"]


def left_behind(path: Path, age_seconds: float) -> Path:
    """A file that was last written to so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    return path


def test_a_part_that_nobody_writes_to_goes_and_one_that_still_grows_stays(tmp_path: Path) -> None:
    files = tmp_path / "run_1" / "artifacts"
    old = left_behind(part_of(files / "checkpoints" / "step-1.pt"), STALE_SECONDS + 60)
    growing = left_behind(part_of(files / "model.zip"), 30)

    assert remove_stale(tmp_path) == [old]
    assert growing.exists()


@pytest.mark.parametrize(
    "name",
    [
        "run_1/artifacts/model.part",
        "run_1/artifacts/.model.bin.part",
        "run_1/artifacts/model.bin.0123abcd.part",
        "run_1/artifacts/.model.bin.0123ABCD.part",
        "run_1/artifacts/.model.bin.0123abcd.part.txt",
        "run_1/.model.bin.0123abcd.part",
        ".model.bin.0123abcd.part",
    ],
)
def test_nothing_else_goes_however_old_it_is(tmp_path: Path, name: str) -> None:
    file = left_behind(tmp_path / name, 100 * STALE_SECONDS)

    assert remove_stale(tmp_path) == []
    assert file.exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    elsewhere = left_behind(tmp_path / "elsewhere" / ".a.0123abcd.part", 100 * STALE_SECONDS)
    files = tmp_path / "runs" / "run_1" / "artifacts"
    files.mkdir(parents=True)
    (files / "sub").symlink_to(elsewhere.parent)
    (files / ".b.0123abcd.part").symlink_to(elsewhere)

    assert remove_stale(tmp_path / "runs") == []
    assert elsewhere.exists()


def test_a_server_that_starts_removes_what_the_one_before_it_left(tmp_path: Path) -> None:
    old = left_behind(part_of(tmp_path / "runs" / "run_1" / "artifacts" / "a.bin"), STALE_SECONDS + 60)

    with running(tmp_path) as server:
        until(server, lambda: not old.exists())


def test_a_folder_that_cannot_be_made_asks_for_another_try(
    api: httpx2.Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        answer = upload(api, job, "sub/data.bin", DATA)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "No space left on device" in answer.json()["error"]["message"]


def test_a_file_is_on_the_disk_before_it_is_in_its_place_and_its_job_is_told_so(
    api: httpx2.Client, server: Running, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(number: int) -> None:
        name = str(Path(f"/proc/self/fd/{number}").readlink())
        if name.startswith(str(folder(server, job))):
            done.append("folder" if Path(name).is_dir() else f"file of {Path(name).stat().st_size}")
        fsync(number)

    def replaced(self: Path, target: Path) -> Path:
        done.append("in its place")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)

    assert upload(api, job, "model.bin", DATA).status_code == 201
    assert done == [f"file of {len(DATA)}", "in its place", "folder"]
