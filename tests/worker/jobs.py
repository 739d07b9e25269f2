"""Job code that the tests run in child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from pilothouse.errors import Unavailable
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.session import EXIT_CUT_OFF
from pilothouse.sdk.signals import CutOff


def _mark(run: RunHandle, text: str) -> None:
    """One line in a file that no log can lose or double."""
    with (run.folder / "marks").open("a") as file:
        file.write(f"{text}\n")


def counts(run: RunHandle) -> None:
    def work(n: int) -> dict[str, Any]:
        _mark(run, str(n))
        time.sleep(run.params.get("seconds", 0.0))
        return {"n": n}

    for done in run.map(work, range(run.params["items"]), key=str, concurrency=run.params.get("side", 1)):
        run.metric(last=done.data["n"])
    run.save_state({"over": True})


def ends_when_told(run: RunHandle) -> None:
    run.log("begun")
    while not (run.folder / "end").exists():
        time.sleep(0.01)


def prints(run: RunHandle) -> None:
    print("plain line")
    print("warned", file=sys.stderr)
    print("10%\r50%\r100%\nno end", end="")


def crashes(run: RunHandle) -> None:
    print("about to fail")
    _divide(run, 0)


def _divide(run: RunHandle, by: int) -> float:
    return 1 / by


def needs_nonsense(run: RunHandle) -> None:
    import nonsense_that_is_not_installed  # type: ignore[import-not-found]  # noqa: F401


def exits_3(run: RunHandle) -> None:
    sys.exit(3)


def ends_under_pause(run: RunHandle) -> None:
    _wait_for_control(run)


def ends_under_cancel(run: RunHandle) -> None:
    _wait_for_control(run)


def _wait_for_control(run: RunHandle) -> None:
    run.log("ready")
    run._link.wait_until(lambda: run._link.asked, 60)


def hangs_in_an_item(run: RunHandle) -> None:
    for _ in run.map(lambda n: {"woke": threading.Event().wait()}, range(3), key=str, concurrency=2):
        pass


def hangs_for_ever(run: RunHandle) -> None:
    try:
        run.log("hanging")
        threading.Event().wait()
    finally:
        _mark(run, "finally")


def ignores_everything(run: RunHandle) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(600)"
    group = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    session = subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True
    )
    for process in (group, session):
        assert process.stdout
        process.stdout.readline()
    _mark(run, str(group.pid))
    _mark(run, str(session.pid))
    run.log("ready")
    while True:
        time.sleep(1)


def uses_its_machine(run: RunHandle) -> None:
    """Burns a core and holds 200 MB, both in a grandchild that lost its parent."""
    hold = (
        "import time; held = bytearray(200_000_000); end = time.monotonic() + 600\n"
        "while time.monotonic() < end: pass"
    )
    middle = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hold!r}])"
    subprocess.run([sys.executable, "-c", middle], check=True)
    run.log("ready")
    run._link.wait_until(lambda: run._link.asked, 60)
    run.safepoint()


def reads_stdin(run: RunHandle) -> None:
    run.log(f"stdin holds {sys.stdin.read()!r}")


def killed(run: RunHandle) -> None:
    print("last words")
    os.kill(os.getpid(), signal.SIGKILL)


def leaves_a_thread(run: RunHandle) -> None:
    from concurrent.futures import ThreadPoolExecutor

    ThreadPoolExecutor().submit(threading.Event().wait)
    _wait_for_control(run)
    run.safepoint()


def gives_up(run: RunHandle) -> None:
    """Ends by an error of its own, with a way out."""
    raise Unavailable("Nobody answers.", hint="Start the server.")


def stops_its_shim(run: RunHandle) -> None:
    os.kill(os.getppid(), signal.SIGSTOP)
    run.log("ready")
    threading.Event().wait()


def keeps_a_child_busy(run: RunHandle) -> None:
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"])
    run.log("ready")
    threading.Event().wait()


def is_cut_off(run: RunHandle) -> None:
    """Leaves as a job does that no server has answered for too long."""
    raise CutOff


def ends_as_if_cut_off(run: RunHandle) -> None:
    """Has the same exit code, by chance or on purpose."""
    os._exit(EXIT_CUT_OFF)
