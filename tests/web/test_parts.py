"""What is left of a file that was being sent when its server was killed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pilothouse.web.parts import STALE_SECONDS, part_of, remove_stale
from tests.web.clients import until
from tests.web.serving import running


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
