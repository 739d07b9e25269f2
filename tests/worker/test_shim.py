"""The shim with real processes: whoever is below it dies with the job or with the host, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pilothouse.worker import shim
from tests.e2e.stack import until
from tests.jobs.hostile import BOMB, DEAF, LEAVE_HOME, STAY, survivors

HANG = 60
HOLD_THE_LOCK = DEAF + "import ctypes\nprint('ready', flush=True)\nctypes.PyDLL(None).sleep(600)\n"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python code below a shim, and waits until it says that it is ready."""
    shims: list[subprocess.Popen[bytes]] = []

    def start(code: str, *, ready: bool = True) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", shim.__file__, sys.executable, "-I", "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        shims.append(process)
        assert process.stdout
        if ready:
            process.stdout.readline()
        return process

    yield start
    for process in shims:
        assert process.stdin and process.stdout
        process.stdin.close()
        process.wait(HANG)
        process.stdout.close()
    assert survivors(tmp_path) == []


def cut(process: subprocess.Popen[bytes]) -> int:
    """The host dies: its end of the pipe closes."""
    assert process.stdin
    process.stdin.close()
    return process.wait(HANG)


def parent_of(code: str, then: str = "import time\nwhile True: time.sleep(60)\n") -> str:
    """Code that starts other code, waits until it is ready, and goes on."""
    return (
        "import subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, '-I', '-S', '-c', {code!r}, sys.argv[1]], env={{}},"
        " stdout=subprocess.PIPE)\np.stdout.readline()\nprint('ready', flush=True)\n" + then
    )


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.kill(os.getpid(), 11)", -11),
        ("import os; os.killpg(0, 15)", -15),
    ],
)
def test_it_ends_as_its_job_does(start: Start, code: str, exit_code: int) -> None:
    process = start(code, ready=False)

    assert process.wait(HANG) == exit_code


def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", shim.__file__, "/no/such/program"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)

    assert done.returncode == shim.EXIT_NOT_STARTED
    assert done.stderr == "/no/such/program cannot be started: No such file or directory\n"


def test_the_job_gets_default_signals_and_an_empty_standard_input(start: Start) -> None:
    code = (
        "import signal, sys\n"
        "print([signal.getsignal(n) == signal.SIG_DFL for n in (1, 15)], repr(sys.stdin.read()), flush=True)"
    )
    process = start(code, ready=False)

    assert process.wait(HANG) == 0
    assert process.stdout and process.stdout.readline() == b"[True, True] ''\n"


def test_what_the_job_leaves_behind_dies_before_the_shim_ends(start: Start, tmp_path: Path) -> None:
    process = start(parent_of(LEAVE_HOME, then="sys.exit(4)"))

    assert process.wait(HANG) == 4
    assert survivors(tmp_path) == []


@pytest.mark.parametrize(
    "code",
    [
        STAY,
        HOLD_THE_LOCK,
        parent_of(STAY),
        parent_of(LEAVE_HOME),
        parent_of(BOMB.format(most=40)),
    ],
    ids=["deaf", "lock", "child", "daemon", "bomb"],
)
def test_the_death_of_the_host_ends_all_below(start: Start, tmp_path: Path, code: str) -> None:
    process = start(code)
    began = time.monotonic()

    exit_code = cut(process)

    print(f"gone after {time.monotonic() - began:.3f} s")
    assert exit_code == shim.EXIT_HOST_DIED
    assert survivors(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_shim_itself_ignores_polite_signals(start: Start, number: int) -> None:
    process = start(parent_of(STAY))

    os.kill(process.pid, number)

    assert psutil.Process(process.pid).is_running()
    assert cut(process) == shim.EXIT_HOST_DIED


def test_orphans_are_waited_for_while_the_job_goes_on(start: Start) -> None:
    process = start(
        "import os, time\n"
        "for _ in range(20):\n"
        "    if os.fork() == 0:\n"
        "        os.fork()\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )

    until(lambda: len(shim.below(process.pid)) == 1, "twenty orphans to be waited for")


def test_a_leader_without_its_first_thread_counts_as_alive(start: Start) -> None:
    process = start(
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "print('ready', flush=True)\nctypes.CDLL(None).pthread_exit(None)"
    )

    until(
        lambda: psutil.Process(process.pid).children()[0].status() == psutil.STATUS_ZOMBIE, "its first thread"
    )

    assert [each.is_alive for each in shim.below(process.pid)] == [True]
    assert cut(process) == shim.EXIT_HOST_DIED


def test_it_starts_fast_and_holds_little(start: Start) -> None:
    began = time.monotonic()
    process = start("print('ready', flush=True); import time; time.sleep(600)")
    took = time.monotonic() - began

    held = psutil.Process(process.pid).memory_full_info().uss / 2**20

    print(f"shim and a bare Python: {took * 1000:.0f} ms, {held:.1f} MB of its own")
    assert held < 12
