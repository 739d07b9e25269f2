"""A script in the process that a host gives it: lines, ends, cancel, pause, and what is not begun twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from pilothouse.kinds.script import KIND
from pilothouse.model.run import Strength
from tests.e2e.stack import until
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn, spawn

__all__ = ["spawn"]

HANG = 60
ENTRY = "pilothouse.kinds.script.job:run"

LOOP = """
import os, pathlib, signal, sys, time
for number in map(getattr, [signal] * 3, ("SIGTERM", "SIGINT", "SIGHUP") if "stubborn" in sys.argv else ()):
    signal.signal(number, signal.SIG_IGN)
if "tidy" in sys.argv:
    def tidy(*_):
        print("tidied up", flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, tidy)
for number in range(100_000):
    pathlib.Path("next").write_text(str(number))
    os.replace("next", "beat")
    if number == 0:
        print("begun")
    time.sleep(0.01)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(server: LinkServer, spawn: Spawn, tmp_path: Path) -> Start:
    """Starts a command in the folder of the test, as a host does."""

    def start(*command: str, attempt: int = 1, **params: Any) -> subprocess.Popen[str]:
        if attempt == 1:
            given = {"command": list(command), "folder": str(tmp_path), **params}
            server.add_run(**KIND.validate(given))
        return spawn(ENTRY, attempt)

    return start


def python(program: str, *arguments: str) -> tuple[str, ...]:
    """A command that runs a program."""
    return (sys.executable, "-c", program, *arguments)


def commands(child: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes of the command that an attempt has started."""
    below = psutil.Process(child.pid).children(recursive=True)
    return [each for each in below if "pilothouse.worker.child" not in each.cmdline()]


def lines(server: LinkServer, source: str) -> list[str]:
    """What the log holds of one stream."""
    return [body.text for body in server.bodies("log") if body.source == source]


def test_a_commands_lines_are_in_the_log_as_they_come(server: LinkServer, start: Start) -> None:
    child = start(
        *python("import sys; print('one'); print('two', file=sys.stderr); print('1%\\r9%\\rend', end='')")
    )

    assert child.wait(HANG) == 0
    assert lines(server, "stdout") == ["one", "end"]
    assert lines(server, "stderr") == ["two"]
    assert server.status() == "completed"


def test_a_line_comes_while_the_command_still_runs(server: LinkServer, start: Start) -> None:
    start(*python("import time; print('early'); time.sleep(3600)"))

    server.wait_for(lambda: lines(server, "stdout") == ["early"])

    assert server.status() == "running"


def test_an_exit_code_fails_the_run_with_the_end_of_its_output(server: LinkServer, start: Start) -> None:
    child = start(*python("import sys; print('so far'); sys.exit('no such model')"))

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert (failed.reason, failed.exit_code, failed.signal) == ("exit_code", 1, None)
    assert failed.message == "The command ended with exit code 1."
    assert sorted(failed.tail.split("\n")) == ["no such model", "so far"]  # two pipes know no common order


def test_a_signal_fails_the_run_and_is_named(server: LinkServer, start: Start) -> None:
    child = start(*python("import os; os.kill(os.getpid(), 9)"))

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert (failed.reason, failed.exit_code, failed.signal) == ("signal", None, 9)
    assert "SIGKILL" in failed.message
    assert "memory" in failed.hint


def test_an_error_of_pilothouse_in_an_attached_script_is_told_in_its_own_words(
    server: LinkServer, start: Start
) -> None:
    child = start(
        *python("import pilothouse as ph\nwith ph.run() as run: run.save_state({'all': 'x' * 70_000})")
    )

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert failed.message.startswith("The saved state has 70,")
    assert failed.hint == "Write it to a file in `run.folder` and keep the file's name."


@pytest.mark.parametrize(
    ("command", "message", "exit_code"),
    [
        ("no-such-program", "There is no command 'no-such-program'.", 127),
        ("/etc/passwd", "'/etc/passwd' cannot be started: [Errno 13]", 126),
    ],
)
def test_a_command_that_cannot_be_started_is_named(
    server: LinkServer, start: Start, command: str, message: str, exit_code: int
) -> None:
    child = start(command, "--flag")

    assert child.wait(HANG) == exit_code
    (failed,) = server.bodies("run.failed")
    assert (failed.reason, failed.exit_code) == ("not_started", exit_code)
    assert message in failed.message


def test_a_folder_that_is_missing_is_named(server: LinkServer, start: Start) -> None:
    child = start("true", folder="/no/such/folder")

    assert child.wait(HANG) == 1
    assert server.bodies("run.failed")[0].message == "There is no folder /no/such/folder."


def test_no_shell_reads_the_arguments(server: LinkServer, start: Start) -> None:
    child = start("echo", "$HOME; *", "a  b")

    assert child.wait(HANG) == 0
    assert lines(server, "stdout") == ["$HOME; * a  b"]


def test_a_command_gets_the_hosts_variables_its_own_and_the_few_that_attaching_needs(
    server: LinkServer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE", "postgresql://user:secret@example/db")
    monkeypatch.setenv("CUSTOM", "kept")
    program = "import json, os; print(json.dumps(dict(os.environ)))"

    child = start(*python(program), environment={"LEARNING_RATE": "0.1"})

    assert child.wait(HANG) == 0
    seen = json.loads(lines(server, "stdout")[0])
    assert {name for name in seen if name.startswith("PILOTHOUSE_")} == {
        f"PILOTHOUSE_{name}" for name in ("SERVER", "TOKEN", "RUN_ID", "ATTEMPT", "FOLDER", "ENTRY")
    }
    assert (seen["CUSTOM"], seen["LEARNING_RATE"], seen["PYTHONUNBUFFERED"]) == ("kept", "0.1", "1")


def test_a_cancel_reaches_the_command_at_once_so_that_it_can_clean_up(
    server: LinkServer, start: Start
) -> None:
    child = start(*python(LOOP, "tidy"))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])

    server.cancel()

    assert child.wait(HANG) == 3
    assert lines(server, "stdout") == ["begun", "tidied up"]


def test_a_command_that_ignores_the_cancel_is_left_to_the_hosts_ladder(
    server: LinkServer, start: Start
) -> None:
    child = start(*python(LOOP, "stubborn"))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])

    server.cancel()
    (command,) = commands(child)
    command.kill()

    assert child.wait(HANG) == 3


def test_a_cancelled_command_that_is_held_ends_all_the_same(server: LinkServer, start: Start) -> None:
    child = start(*python(LOOP, "tidy"))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])
    server.pause()
    server.wait_for(lambda: server.status() == "paused")

    server.cancel()

    assert child.wait(HANG) == 3
    assert "tidied up" in lines(server, "stdout")


@pytest.mark.parametrize("strength", list(Strength))
def test_a_paused_command_stands_still_and_goes_on_where_it_was(
    server: LinkServer, start: Start, tmp_path: Path, strength: Strength
) -> None:
    child = start(*python(LOOP))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])

    server.pause(strength=strength)
    server.wait_for(lambda: server.status() == "paused")
    (command,) = commands(child)
    stopped, held_at = command.status(), (tmp_path / "beat").read_text()
    server.resume()

    server.wait_for(lambda: (tmp_path / "beat").read_text() != held_at)
    assert stopped == psutil.STATUS_STOPPED
    assert server.bodies("run.paused")[0].strength == "hold"
    assert int((tmp_path / "beat").read_text()) > int(held_at)
    server.cancel()
    assert child.wait(HANG) == 3


def test_all_that_a_command_started_is_held_with_it(server: LinkServer, start: Start, tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; print('begun');"
        "subprocess.run([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
    )
    child = start(*python(program, LOOP))
    server.wait_for(lambda: lines(server, "stdout") == ["begun", "begun"])

    server.pause()
    server.wait_for(lambda: server.status() == "paused")

    statuses = [each.status() for each in commands(child)]
    assert statuses == [psutil.STATUS_STOPPED] * 2
    server.cancel()
    assert child.wait(HANG) == 3


def test_what_has_lost_its_parent_is_held_with_the_rest_of_its_group(
    server: LinkServer, start: Start, tmp_path: Path
) -> None:
    orphan = (
        "import subprocess, sys;"
        "subprocess.Popen([sys.executable, '-c', 'import subprocess, sys;"
        'subprocess.Popen([sys.executable, "-c", sys.argv[1]])\', sys.argv[1]]).wait();'
        "import time; time.sleep(3600)"
    )
    child = start(*python(orphan, LOOP))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])

    server.pause()
    server.wait_for(lambda: server.status() == "paused")

    until(
        lambda: [each.status() for each in commands(child)] == [psutil.STATUS_STOPPED] * 2,
        "both processes to stand still",
    )
    server.cancel()
    assert child.wait(HANG) == 3


def test_a_pause_that_comes_too_late_does_not_keep_a_command_from_completing(
    server: LinkServer, start: Start, tmp_path: Path
) -> None:
    program = "import pathlib, time; print('begun')\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)"
    child = start(*python(program))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])

    (tmp_path / "go").touch()
    server.pause()
    if child.poll() is None:
        server.wait_for(lambda: server.status() in {"paused", "completed"})
    if server.status() == "paused":
        server.resume()

    assert child.wait(HANG) == 0
    assert server.status() == "completed"


def test_a_command_that_was_interrupted_is_not_begun_again(
    server: LinkServer, start: Start, tmp_path: Path
) -> None:
    first = start(*python("import os; open('runs', 'a').write('x'); os.kill(os.getppid(), 9)"))
    first.wait(HANG)
    server.next_attempt()

    second = start(attempt=2)

    assert second.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert failed.reason == "worker_lost"
    assert "--restart" in failed.hint
    assert (tmp_path / "runs").read_text() == "x"


def test_a_command_is_begun_again_when_its_user_says_so(
    server: LinkServer, start: Start, tmp_path: Path
) -> None:
    program = (
        "import os; open('runs', 'a').write(os.environ['PILOTHOUSE_ATTEMPT'])\n"
        "if os.environ['PILOTHOUSE_ATTEMPT'] == '1': os.kill(os.getppid(), 9)"
    )
    start(*python(program), restart=True).wait(HANG)
    server.next_attempt()

    second = start(attempt=2)

    assert second.wait(HANG) == 0
    assert (tmp_path / "runs").read_text() == "12"


def test_a_lost_attempt_takes_its_command_with_it(server: LinkServer, start: Start) -> None:
    child = start(*python(LOOP, "stubborn"))
    server.wait_for(lambda: lines(server, "stdout") == ["begun"])
    (command,) = commands(child)

    server.next_attempt()

    assert child.wait(HANG) == 4
    assert not psutil.pid_exists(command.pid) or command.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_the_command_left_behind_does_not_hold_up_its_end(
    server: LinkServer, start: Start
) -> None:
    child = start(*python("import subprocess; subprocess.Popen(['sleep', '3600']); print('over')"))

    assert child.wait(HANG) == 0
    assert lines(server, "stdout") == ["over"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"command": []},
        {"command": "python train.py"},
        {"command": ["a\x00b"]},
        {"command": ["a"], "environment": {"A=B": "c"}},
        {"command": ["a"], "stuck_seconds": 0},
    ],
)
def test_params_that_make_no_command_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KIND.validate(params)


ATTACHED = """
import time
import pilothouse as ph
with ph.run("unused") as run:
    for number in run.track(range(100_000), key=str):
        with open("ledger", "a") as ledger:
            ledger.write(f"{number}\\n")
        time.sleep(0.002)
"""


def test_what_a_killed_script_had_not_yet_sent_is_in_the_log_all_the_same(
    server: LinkServer, start: Start, tmp_path: Path
) -> None:
    child = start(*python(ATTACHED))
    server.wait_for(lambda: len(server.log.finished) > 5)
    (command,) = commands(child)
    server.stop()
    known = len(server.log.finished)
    until(lambda: len((tmp_path / "ledger").read_text().split()) > known + 100, "items that nobody hears of")

    command.kill()
    server.start()

    child.wait(HANG)
    executed = (tmp_path / "ledger").read_text().split()
    assert server.status() == "failed"
    assert len(server.log.finished) >= len(executed) - 2, (
        "only what was in hand, and what was not yet written down"
    )
    assert len(server.keys("item.finished")) == len(set(server.keys("item.finished")))
