"""The processes of an attempt: all below its shim, and what a killed shim has left behind.

On Linux a host adopts what loses its shim, so a look at its own children finds it.
Elsewhere, and for what an earlier host left, the marker in the environment does.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping

import psutil

from pilothouse.worker.shim import HAS_PROC, Process, below, is_subreaper


def tree(root: int) -> list[Process]:
    """All descendants of a process, without itself."""
    if HAS_PROC:
        return below(root)
    with contextlib.suppress(psutil.Error):
        return [_seen(child) for child in psutil.Process(root).children(recursive=True)]
    return []


def job_of(shim: int) -> Process | None:
    """The job's own process: the first that its shim started."""
    children = [process for process in tree(shim) if process.parent == shim]
    return min(children, key=lambda process: (process.began, process.pid), default=None)


def strays(marker: Mapping[str, str], known: Collection[int]) -> list[Process]:
    """What a shim that is gone has left behind.

    Args:
        marker: What the attempt's environment holds.
        known: Pids of the shims that live.
    """
    return adopted(known) if is_subreaper() else marked(marker)


def adopted(known: Collection[int]) -> list[Process]:
    """Children that this process did not start, with all below them. The dead ones are waited for."""
    orphans = [process for process in below(os.getpid()) if process.parent == os.getpid()]
    found: list[Process] = []
    for orphan in orphans:
        if orphan.pid in known:
            continue
        with contextlib.suppress(ChildProcessError):
            os.waitpid(orphan.pid, os.WNOHANG)
        found += [orphan, *tree(orphan.pid)]
    return found


def marked(marker: Mapping[str, str]) -> list[Process]:
    """Processes whose environment holds these variables, with all below them; never this one or those above it."""
    above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[int, Process] = {}
    for process in _with(marker):
        with contextlib.suppress(psutil.Error, OSError):
            found |= {each.pid: each for each in (_seen(process), *tree(process.pid))}
    return [process for pid, process in found.items() if pid not in above]


def _with(marker: Mapping[str, str]) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            if all(environment.get(name) == value for name, value in marker.items()):
                yield process


def _seen(process: psutil.Process) -> Process:
    is_alive = process.status() != psutil.STATUS_ZOMBIE
    return Process(process.pid, process.ppid(), os.getpgid(process.pid), is_alive)
