"""What a job uses of its machine, as metrics of its run below `system/`.

The job's own process looks, in a thread: it sees its whole family, since its shim
adopts what loses its parent, and on whatever machine it lives it is the one that
sees the GPU. A look costs a few milliseconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from pilothouse.sdk.link import Link
from pilothouse.sdk.sampler import SAMPLE_SECONDS, Look, Sampler
from pilothouse.worker import machine, shim
from pilothouse.worker.gpu import Gpus

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Use:
    """What a family of processes has used.

    Attributes:
        seconds: Processor time until now.
        memory_bytes: Memory that it holds; pages that several share count once where the system tells.
    """

    seconds: float
    memory_bytes: int


class Vitals(Sampler):
    """Samples a job's processes and GPUs until `stop`.

    Args:
        link: Where the metrics go.
        began_seconds: Age of the run when this attempt began.
        every_seconds: Pause between two looks while the run is young; 0 never looks.
        gpus: Opens the GPUs, in the thread that looks.
    """

    def __init__(
        self,
        link: Link,
        began_seconds: float,
        every_seconds: float = SAMPLE_SECONDS,
        gpus: Callable[[], Gpus] = Gpus,
    ) -> None:
        super().__init__(link, began_seconds, every_seconds, self._open)
        self._open_gpus = gpus
        self._root = root()
        self._is_first = True

    def _open(self) -> Callable[[], Look]:
        gpus = self._open_gpus()
        self._share(use_of(self._root).seconds)
        return lambda: self._look(gpus)

    def _look(self, gpus: Gpus) -> Look:
        use = use_of(self._root)
        values = {"memory_bytes": float(use.memory_bytes), **gpus.read()}
        if self._is_first:
            values |= {"memory_total_bytes": float(machine.memory_bytes())}
            values |= {
                f"gpu{gpu.index}_memory_total_bytes": float(gpu.memory_bytes)
                for gpu in gpus.visible()
                if gpu.memory_bytes
            }
            self._is_first = False
        return Look(use.seconds, values)


def root() -> int:
    """The process below which all of the job lives: its shim, or this process where there is none."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if os.fsencode(shim.__file__) in Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0"):
            return parent
    return os.getpid()


def use_of(root: int) -> Use:
    """What a process and all below it use; a shim is not counted itself."""
    return _use_by_proc(root) if shim.HAS_PROC else use_by_psutil(root)


def _use_by_proc(root: int) -> Use:
    seen = shim.processes()
    family = shim.below(root, seen)
    ticks = sum(process.ticks for process in family)
    pids = [process.pid for process in family if process.is_alive]
    leader = seen.get(root)
    if leader is not None:
        ticks += leader.ticks  # of a shim: what it has waited for
        if root == os.getpid():
            pids.append(root)
    return Use(ticks / TICKS_PER_SECOND, sum(_memory(pid, is_alone=len(pids) == 1) for pid in pids))


def _memory(pid: int, *, is_alone: bool) -> int:
    """Bytes; of one among several its part of what they share, such as the pages of a parent that forked."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        if not is_alone:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def use_by_psutil(root: int) -> Use:
    """The same where there is no `/proc`; shared pages count once for each process."""
    seconds, memory = 0.0, 0
    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(root)
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                seconds += sum(process.cpu_times()[:4])  # its own, and that of children it has waited for
                if process.pid != root or root == os.getpid():
                    memory += process.memory_info().rss
    return Use(seconds, memory)
