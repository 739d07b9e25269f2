"""What has come of a file that is still being sent, hidden beside the place where it belongs.

A server that is killed leaves it behind; it is removed once nothing has been written to it for an hour.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

STALE_SECONDS = 3_600.0
_NAME = re.compile(r"\..+\.[0-9a-f]{8}\.part")


def part_of(path: Path) -> Path:
    """Where a file that is to be kept at a path is written first; no file of a run has such a name."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def remove_stale(runs: Path, age_seconds: float = STALE_SECONDS) -> list[Path]:
    """Remove the parts that no sender can be at any more; returns them.

    Args:
        runs: Holds one folder per run, with its files in `artifacts`.
        age_seconds: Nothing has been written to them for so long. A sender that is silent for a
            fraction of it has lost its connection.
    """
    removed: list[Path] = []
    for folder in sorted(runs.glob("*/artifacts")):
        for base, _, names in os.walk(folder):  # follows no links
            for part in (Path(base, name) for name in names if _NAME.fullmatch(name)):
                with contextlib.suppress(OSError):  # it is there no more, or not ours to remove
                    if not part.is_symlink() and time.time() - part.stat().st_mtime > age_seconds:
                        part.unlink()
                        removed.append(part)
    return removed
