"""What a job uses of its machine, as metrics of its run below `system/`: when to look, and what is told.

A look happens every few seconds in a thread of its own, and rarer the longer the run
goes on, so that a day's curve has some 3,000 points. These metrics are no movement of
the run, and they are the first to be left out.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

from pilothouse.sdk.done import in_words
from pilothouse.sdk.link import Link
from pilothouse.sdk.outbox import SYSTEM

P = ParamSpec("P")
T = TypeVar("T")
SAMPLE_SECONDS = 5.0
LONGEST_SECONDS = 60.0
POINTS_PER_AGE = 720  # an hour at one point every 5 s
COST = 200  # a look takes at most so small a part of the time
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Look:
    """What is used at one moment.

    Attributes:
        seconds: Processor time until now.
        values: Further metrics, without `system/`.
    """

    seconds: float
    values: dict[str, float] = field(default_factory=dict)


class Sampler:
    """Samples until `stop`.

    Args:
        link: Where the metrics go.
        began_seconds: Age of the run when this attempt began; a metric's step is the run's age in seconds.
        every_seconds: Pause between two looks while the run is young; 0 never looks.
        begin: Called in the thread that looks, until it gives what looks.
    """

    def __init__(
        self, link: Link, began_seconds: float, every_seconds: float, begin: Callable[[], Callable[[], Look]]
    ) -> None:
        self._link = link
        self._began = time.monotonic() - began_seconds
        self._every_seconds = every_seconds
        self._begin = begin
        self._before: tuple[float, float] | None = None
        self._stopping = threading.Event()
        self._has_failed = False

    def start(self) -> None:
        """Begin to look."""
        if self._every_seconds > 0:
            threading.Thread(target=self._look_always, name="pilothouse-vitals", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _look_always(self) -> None:
        look, pause = self._tried(self._begin), self._every_seconds
        while not self._stopping.wait(pause) and not self._link.is_fenced:
            look = look or self._tried(self._begin)
            cost_seconds = self._tried(self._tell, look) if look else None
            pause = self._pause(time.monotonic() - self._began, cost_seconds or 0.0)

    def _tried(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do it. A job is not disturbed because nobody can look at it: that is said once, and tried again."""
        try:
            return work(*args, **kwargs)
        except Exception as error:
            if not self._has_failed:
                self._has_failed = True
                text = (
                    f"What the job uses of its machine could not be read: {in_words(error)}. It is tried on."
                )
                self._link.put("log", {"level": "warning", "source": "pilothouse", "text": text})
            return None

    def _tell(self, look: Callable[[], Look]) -> float:
        """Take one sample; returns the processor seconds that it cost."""
        if self._link.state.status != "running":
            self._before = None
            return 0.0
        began = time.thread_time()
        seen = look()
        values = dict(seen.values)
        if (share := self._share(seen.seconds)) is not None:
            values = {"cpu_percent": share, **values}
        step = int(time.monotonic() - self._began)
        told = {f"system/{name}": value for name, value in values.items()}
        self._link.put_copy(SYSTEM, {"step": step, "values": told})
        return time.thread_time() - began

    def _share(self, seconds: float) -> float | None:
        """Percent of the cores that were busy since the last look; None at the first."""
        now = time.monotonic()
        before, self._before = self._before, (now, seconds)
        if before is None or now <= before[0]:
            return None
        busy = max(0.0, seconds - before[1]) / (now - before[0])
        return round(min(100.0, 100.0 * busy / cores()), 1)

    def _pause(self, age_seconds: float, cost_seconds: float) -> float:
        """How long to wait for the next look."""
        longest = max(LONGEST_SECONDS, self._every_seconds)
        by_age = min(longest, age_seconds / POINTS_PER_AGE)
        return max(self._every_seconds, by_age, cost_seconds * COST)


def look_at_itself() -> Look:
    """This process, and of its children those that have ended."""
    import resource  # the look's own thread pays for it, not the script's start

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    memory = used[0].ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)  # the most it ever had
    with contextlib.suppress(OSError, ValueError, IndexError):
        memory = int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return Look(sum(one.ru_utime + one.ru_stime for one in used), {"memory_bytes": float(memory)})


def cores(group: Path = CGROUP) -> float:
    """The processor cores that this process may use, at least a hundredth of one."""
    try:
        allowed = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # not on Linux
        allowed = float(os.cpu_count() or 1)
    quota, _, period = read_limit(group / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        allowed = min(allowed, int(quota) / int(period))
    return max(allowed, 0.01)


def read_limit(path: Path) -> str:
    """A limit of a control group; empty where it has none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
