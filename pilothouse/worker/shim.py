"""The process between the host and a job: `python -I -S shim.py COMMAND…`.

Every descendant of the job stays below it, whatever session or parent it chooses
(`PR_SET_CHILD_SUBREAPER`). Its standard input is a pipe that the host holds: when
that closes, however the host died, the shim kills all that is below it. When the
job's own process ends, the shim kills what that left behind and ends the same way,
with its exit code or by its signal. So nobody below survives a shim that has ended
by itself. It needs the standard library only, since it starts with every attempt.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import time

EXIT_HOST_DIED = 7
EXIT_NOT_STARTED = 127
FIRST_REST_SECONDS = 0.001
LAST_REST_SECONDS = 0.05
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
HAS_PROC = sys.platform == "linux"


class Process:
    """What `/proc/<pid>/stat` says of a process.

    Args:
        pid: Its id; `parent` and `group` are those of its parent and its process group.
        is_alive: False for a zombie.
        is_stopped: By SIGSTOP, or by a debugger.
        ticks: Processor time in clock ticks, with that of its children that were waited for.
        began: When it began, in clock ticks since the machine started.
    """

    __slots__ = ("began", "group", "is_alive", "is_stopped", "parent", "pid", "ticks")

    def __init__(
        self,
        pid: int,
        parent: int,
        group: int,
        is_alive: bool = True,
        ticks: int = 0,
        began: int = 0,
        is_stopped: bool = False,
    ) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.is_alive = is_alive
        self.ticks = ticks
        self.began = began
        self.is_stopped = is_stopped

    @classmethod
    def read(cls, pid: int, line: bytes) -> Process:
        """A process from its line of `/proc`."""
        fields = line[line.rindex(b")") + 2 :].split()
        # a leader that ended before its threads looks like a zombie, and lives
        is_alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1
        ticks = sum(map(int, fields[11:15]))
        is_stopped = fields[0] in (b"T", b"t")
        return cls(pid, int(fields[1]), int(fields[2]), is_alive, ticks, int(fields[19]), is_stopped)


def processes() -> dict[int, Process]:
    """All processes of this machine by pid; empty where there is no `/proc`."""
    seen: dict[int, Process] = {}
    for name in os.listdir("/proc") if HAS_PROC else ():  # noqa: PTH208  pathlib is slow to import
        if not name.isdecimal():
            continue
        try:
            file = os.open(f"/proc/{name}/stat", os.O_RDONLY)
        except OSError:
            continue  # it has ended meanwhile
        try:
            seen[int(name)] = Process.read(int(name), os.read(file, 4096))
        except (OSError, ValueError, IndexError):
            continue
        finally:
            os.close(file)
    return seen


def below(root: int, seen: dict[int, Process] | None = None) -> list[Process]:
    """All descendants of a process, without itself, zombies included.

    Args:
        root: Its pid.
        seen: The processes of the machine, if they are known already.
    """
    children: dict[int, list[Process]] = {}
    for process in (processes() if seen is None else seen).values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [root]
    while waiting:
        for child in children.pop(waiting.pop(), ()):
            found.append(child)
            waiting.append(child.pid)
    return found


def send(tree: list[Process], number: int) -> int:
    """Signal processes of a job, for a kill their groups too; returns how many of them live.

    A group is signalled at once by the kernel, so that no member can fork out of it meanwhile.
    """
    alive = [process for process in tree if process.is_alive]
    if number == signal.SIGKILL:
        for group in {process.group for process in alive} - {0, os.getpgrp()}:
            _try(os.killpg, group, number)
    for process in alive:
        _try(os.kill, process.pid, number)
    return len(alive)


def become_subreaper() -> bool:
    """Adopt every descendant whose parent ends; False where that cannot be had."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1) == 0


def is_subreaper() -> bool:
    """Whether this process adopts."""
    import ctypes

    answer = ctypes.c_int(0)
    return _prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer)) == 0 and bool(answer.value)


def main(command: list[str]) -> None:
    """Run a command as the job, and end as it does; never returns."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    become_subreaper()
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pipe = _take_stdin()
    job = _start(command)
    status = _wait(job, pipe, woken)
    _end_all(job)
    if status is None:
        os._exit(EXIT_HOST_DIED)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        _end_by(-code)
    os._exit(code)


def _take_stdin() -> int | None:
    """The watch pipe; the job gets an empty standard input instead. None without a pipe, as in a terminal."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    pipe = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return pipe


def _start(command: list[str]) -> int:
    """Start the job in a session of its own, so that what it sends to its own group does not meet the shim."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (*IGNORED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until the job is ready to dump its stack
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
    finally:
        os._exit(EXIT_NOT_STARTED)


def _wait(job: int, pipe: int | None, woken: int) -> int | None:
    """Wait for the job's end: its wait status; None when the host died first."""
    watched = [woken] if pipe is None else [woken, pipe]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if woken in ready:
            os.read(woken, 4096)
            ended: dict[int, int] = {}
            _reap(ended)
            if job in ended:
                return ended[job]
        if pipe in ready and not os.read(pipe, 4096):
            return None


def _end_all(job: int) -> None:
    """Kill until there is no child left. The kernel's word on that is exact; a look into `/proc` is not."""
    rest = FIRST_REST_SECONDS
    while _reap({}):
        if not HAS_PROC:
            _try(os.killpg, job, signal.SIGKILL)
        send(below(os.getpid()), signal.SIGKILL)
        time.sleep(rest)
        rest = min(rest * 2, LAST_REST_SECONDS)


def _reap(ended: dict[int, int]) -> bool:
    """Wait for all children that have ended, and note their wait status by pid. False when no child is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not pid:
            return True
        ended[pid] = status


def _end_by(number: int) -> None:
    """End by a signal, without a second core file."""
    _prctl(PR_SET_DUMPABLE, 0)
    _try(signal.signal, number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _prctl(option: int, value: object) -> int:
    """Linux's `prctl`; -1 on other systems."""
    if not HAS_PROC:
        return -1
    import ctypes

    answer: int = ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    return answer


def _try(call: object, *arguments: object) -> None:
    """Call what may fail because a process has ended, or is another user's."""
    try:
        call(*arguments)  # type: ignore[operator]
    except OSError:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
