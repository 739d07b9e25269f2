"""What a full disk and a kill while a checkpoint is written leave of a training."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from pilothouse.kinds.training.backend import ArithmeticBackend
from pilothouse.kinds.training.checkpoint import Shelf, read
from pilothouse.kinds.training.errors import DiskFull, OutOfMemory
from pilothouse.kinds.training.shortage import is_disk_full
from pilothouse.sdk.signals import Fenced
from tests.kinds.trainings import THIRTY, Begin, Killed, begin, fenced, losses, perform, rows, whole
from tests.sdk.link_server import LinkServer

__all__ = ["begin", "whole"]

FULL = OSError(errno.ENOSPC, "No space left on device")


def half_a_checkpoint(folder: Path, step: int, error: BaseException) -> None:
    """What a trainer leaves that ends while it writes."""
    path = folder / "checkpoints" / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"half")
    raise error


@pytest.mark.parametrize("error", [Killed(), FULL])
def test_what_ends_while_a_checkpoint_is_written_goes_on_from_the_one_before(
    begin: Begin, server: LinkServer, tmp_path: Path, whole: dict[int, float], error: BaseException
) -> None:
    def die(step: int) -> None:
        if step == 20:
            half_a_checkpoint(tmp_path, 20, error)

    with pytest.raises((Killed, DiskFull)):
        perform(begin(**THIRTY), die)
    done: list[int] = []
    perform(begin(), done.append)

    assert done[0] == 11
    assert losses(server) == whole
    assert rows(server) == ["1–10", "11–20", "21–30"]


def test_a_full_disk_is_said_with_its_folder_and_leaves_no_half_of_a_checkpoint(
    begin: Begin, tmp_path: Path
) -> None:
    def die(step: int) -> None:
        if step == 20:
            half_a_checkpoint(tmp_path, 20, FULL)

    with pytest.raises(DiskFull) as caught:
        perform(begin(**THIRTY), die)

    folder = tmp_path / "checkpoints"
    assert caught.value.message.startswith(f"There is no room left in {folder}: [Errno 28]")
    hint = caught.value.hint or ""
    assert "The checkpoint of step 10 is good: a retry goes on from there." in hint
    assert "keep_checkpoints" in hint
    assert [path.name for path in folder.iterdir()] == ["checkpoint-10"]
    assert json.loads((tmp_path / "progress.json").read_text())["status"] == "failed"


def test_a_disk_that_is_full_when_the_seal_is_written_leaves_the_checkpoint_before(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch, whole: dict[int, float]
) -> None:
    seal = Shelf.seal

    def full(self: Shelf, step: int, facts: dict[str, object]) -> object:
        if step == 20:
            raise FULL
        return seal(self, step, facts)

    monkeypatch.setattr(Shelf, "seal", full)
    with pytest.raises(DiskFull):
        perform(begin(**THIRTY))
    monkeypatch.undo()
    done: list[int] = []
    perform(begin(), done.append)

    assert done[0] == 11
    assert losses(server) == whole


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (FULL, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"), True),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), True),
        (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), True),
        (RuntimeError("shape mismatch"), False),
        (OSError(errno.ENOENT, "No such file"), False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error: Exception, is_full: bool) -> None:
    assert is_disk_full(error) == is_full


def test_a_file_that_does_not_reach_the_disk_is_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    shelf.place(5).mkdir()
    (shelf.place(5) / "weights").write_bytes(b"x")

    def lost(number: int) -> None:
        raise OSError(errno.ENOSPC, "only now does the server say so")

    monkeypatch.setattr(os, "fsync", lost)

    with pytest.raises(OSError, match="only now"):
        shelf.seal(5, {})
    assert read(shelf.place(5)) is None


def test_a_file_system_that_cannot_sync_folders_still_takes_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    (shelf.place(5) / "below").mkdir(parents=True)
    (shelf.place(5) / "below" / "weights").write_bytes(b"x")
    synced: list[str] = []

    def files_only(number: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{number}").readlink()))
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "a folder")

    monkeypatch.setattr(os, "fsync", files_only)

    shelf.seal(5, {"n": 1})

    assert read(shelf.place(5)) is not None
    assert {Path(path) for path in synced} >= {tmp_path, shelf.place(5), shelf.place(5) / "below"}


def test_a_checkpoint_whose_offer_was_cut_off_by_a_kill_is_offered_by_the_next_attempt(
    begin: Begin, server: LinkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, *_: object) -> None:
        (tmp_path / "zips").mkdir()
        (tmp_path / "zips" / ".step-000010.zip.part").write_bytes(b"half")
        raise Killed

    monkeypatch.setattr("pilothouse.kinds.training.course.pack", killed)
    with pytest.raises(Killed):
        perform(begin(**THIRTY))
    monkeypatch.undo()
    assert (rows(server), list(server.log.files)) == (["1–10"], [])

    perform(begin())

    assert [name for name in sorted(server.log.files) if name.startswith("checkpoints/")] == [
        "checkpoints/step-000010.zip",
        "checkpoints/step-000020.zip",
        "checkpoints/step-000030.zip",
    ]
    assert not list((tmp_path / "zips").rglob("*"))


def test_a_checkpoint_is_offered_once(
    begin: Begin, server: LinkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArithmeticBackend, "export", fenced)
    with pytest.raises(Fenced):
        perform(begin(**THIRTY))
    monkeypatch.undo()
    server.log.files.clear()

    perform(begin())

    assert sorted(server.log.files) == ["model.zip", "trainer.jsonl"]


def test_the_trainers_log_has_every_stretch_also_those_whose_checkpoints_were_removed(
    begin: Begin, server: LinkServer
) -> None:
    perform(begin(steps=30, save_steps=3, keep_checkpoints=2))

    lines = [json.loads(line) for line in server.log.files["trainer.jsonl"].decode().splitlines()]
    assert [line["step"] for line in lines] == list(range(3, 31, 3))
    assert all("place" not in line for line in lines)


@pytest.mark.parametrize(
    ("phase", "words"), [("prepare", "while the model is loaded"), ("export", "while the model is saved")]
)
def test_memory_that_is_short_before_or_after_the_steps_is_said_too(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str, words: str
) -> None:
    def short(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ArithmeticBackend, phase, short)

    with pytest.raises(OutOfMemory, match=f"Out of memory {words}"):
        perform(begin(**THIRTY))
    told = json.loads((tmp_path / "progress.json").read_text())
    assert (told["status"], told["complete"]) == ("failed", True)
