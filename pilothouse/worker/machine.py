"""The memory that a process may use of its machine, as its control group limits it."""

from __future__ import annotations

from pathlib import Path

import psutil

from pilothouse.sdk.sampler import CGROUP, read_limit


def memory_bytes(group: Path = CGROUP) -> int:
    """The memory that this process may use."""
    total = int(psutil.virtual_memory().total)
    limit = read_limit(group / "memory.max")
    return min(total, int(limit)) if limit.isdecimal() and int(limit) else total
