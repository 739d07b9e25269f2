"""The checkpoints in a run's folder: sealed when they are whole, trimmed by rule, zipped for download.

The trainer writes a folder file by file; a process killed meanwhile leaves half of
one. The *seal* is written last, by write-and-rename, and names every file with its
size: a folder without it, or one whose files differ from it, is no checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEAL = "pilothouse.json"
OFFERED = "pilothouse.offered"
PREFIX = "checkpoint-"
# What only the trainer needs: left out of the model that users download.
TRAINING_STATE = frozenset(
    {
        "optimizer.pt",
        "scheduler.pt",
        "scaler.pt",
        "rng_state.pth",
        "trainer_state.json",
        "training_args.bin",
        SEAL,
        OFFERED,
    }
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint.

    Attributes:
        step: Optimiser steps done.
        folder: Where it lies.
        facts: What its seal says beside the files.
    """

    step: int
    folder: Path
    facts: dict[str, Any]

    @property
    def is_offered(self) -> bool:
        """Whether it was listed among the run's files."""
        return (self.folder / OFFERED).exists()

    def mark_offered(self) -> None:
        """It is listed among the run's files now: a later attempt need not do it again."""
        (self.folder / OFFERED).touch()


class Shelf:
    """The checkpoints of one run.

    Args:
        folder: Holds one folder for each; made at first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self.folder / f"{PREFIX}{step}"

    def whole(self) -> list[Checkpoint]:
        """All sealed checkpoints whose files are as the seal says, oldest first."""
        found = [read(path) for path in self.folder.glob(f"{PREFIX}*")]
        return sorted(filter(None, found), key=lambda checkpoint: checkpoint.step)

    def sweep(self) -> None:
        """Remove what was begun and never sealed."""
        for path in self.folder.glob(f"{PREFIX}*"):
            if not (path / SEAL).exists():
                shutil.rmtree(path, ignore_errors=True)

    def clear(self, step: int) -> None:
        """Make room for a checkpoint that is written again."""
        path = self.place(step)
        (path / SEAL).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)

    def seal(self, step: int, facts: Mapping[str, Any]) -> Checkpoint:
        """All files are written: make it a checkpoint, on the disk before this returns.

        Raises:
            OSError: The disk is full, or the folder is gone.
        """
        path = self.place(step)
        files = {}
        for file in _files(path):
            _sync(file)
            files[file.relative_to(path).as_posix()] = file.stat().st_size
        part = path / f".{SEAL}.part"
        part.write_text(json.dumps({"step": step, "files": files, "facts": facts}))
        _sync(part)
        part.replace(path / SEAL)
        for folder in (*(each for each in path.rglob("*") if each.is_dir()), path, self.folder):
            _sync(folder)
        return Checkpoint(step, path, dict(facts))

    def trim(self, keep: int, always: Collection[int]) -> list[int]:
        """Remove all but the newest `keep` and the steps in `always`; returns what was removed."""
        old = [each for each in self.whole()[:-keep] if each.step not in always]
        for checkpoint in old:
            self.clear(checkpoint.step)
        return [checkpoint.step for checkpoint in old]


def read(path: Path) -> Checkpoint | None:
    """The checkpoint in a folder, None where there is none or its files are not whole."""
    try:
        seal = json.loads((path / SEAL).read_text())
        is_whole = all((path / name).stat().st_size == size for name, size in seal["files"].items())
        return Checkpoint(int(seal["step"]), path, dict(seal["facts"])) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def pack(folder: Path, target: Path, leave_out: Iterable[str] = (SEAL, OFFERED)) -> Path:
    """Zip a folder, whole or not at all. Weights do not compress, so nothing is compressed.

    Raises:
        OSError: The disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    left_out = set(leave_out)
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for file in _files(folder):
                if file.name not in left_out:
                    archive.write(file, file.relative_to(folder).as_posix())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (SEAL, OFFERED))


def _sync(path: Path) -> None:
    """Return when it is on the disk. What cannot be written late is often said only here.

    Raises:
        OSError: A file cannot be written whole; some file systems cannot sync a folder, which is let pass.
    """
    number = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
            os.fsync(number)
    finally:
        os.close(number)
