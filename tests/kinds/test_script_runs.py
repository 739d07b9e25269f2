"""`pilothouse run -- COMMAND` as a user types it, on the whole of Pilothouse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import up
from tests.e2e.stack import Stack, until

__all__ = ["up"]

pytestmark = pytest.mark.xdist_group("script")

TRACKS = """
import os, sys, time
import pilothouse as ph

with ph.run("unused", params={"seconds": 0.01, "count": 150}) as run:
    print("attached", run.params["count"])
    for number in run.track(range(run.params["count"]), key=str):
        with open("ledger", "a") as ledger:
            ledger.write(f"{number}\\n")
        if number == run.params.get("die_at") and run.attempt == 1:
            os.kill(os.getppid(), 9)
        if number == run.params.get("fail_at"):
            raise ValueError("no good")
        time.sleep(run.params["seconds"])
print("left the block")
"""
STUBBORN = """
import signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True)
print("begun")
time.sleep(3600)
"""


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], list[str]]:
    """Writes a script into the folder of the test and answers the command that runs it."""

    def script(program: str) -> list[str]:
        path = tmp_path / "script.py"
        path.write_text(program)
        return [sys.executable, str(path)]

    return script


def run(up: Stack, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`pilothouse run …` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pilothouse.cli.main", "--data", str(up.data), "run", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def environment() -> dict[str, str]:
    """A user's terminal."""
    root = str(Path(__file__).parents[2])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    return clean | {"PYTHONPATH": root}


def detach(up: Stack, folder: Path, *arguments: str) -> str:
    """The id of a run that is started and left alone."""
    done = run(up, folder, "--detach", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["id"])


def ended(now: dict[str, Any]) -> bool:
    return now["ended_at"] is not None


def ledger(folder: Path) -> list[int]:
    """The items that were executed, in order."""
    path = folder / "ledger"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def exported(up: Stack, run_id: str) -> list[int]:
    """The keys of a run's export."""
    lines = up.cli("export", run_id, "--format", "jsonl", "-o", "-").stdout.splitlines()
    return sorted(int(json.loads(line)["key"]) for line in lines)


def test_a_commands_lines_come_through_as_it_wrote_them(up: Stack, tmp_path: Path) -> None:
    done = run(up, tmp_path, "--", "sh", "-c", "pwd; echo complaint >&2")

    assert done.returncode == 0
    assert done.stdout == f"{tmp_path}\n"
    assert "complaint" in done.stderr.splitlines()
    assert "Completed" in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["sh", "-c", "exit 7"], 7, "exit code 7"),
        (["sh", "-c", "kill -9 $$"], 137, "signal 9 (SIGKILL)"),
        (["no-such-program"], 127, "There is no command 'no-such-program'"),
    ],
)
def test_the_commands_exit_code_is_the_commands(
    up: Stack, tmp_path: Path, command: list[str], code: int, said: str
) -> None:
    done = run(up, tmp_path, "--", *command)

    assert done.returncode == code
    assert said in done.stderr


def test_what_follows_the_dashes_is_never_read_as_an_option(up: Stack, tmp_path: Path) -> None:
    done = run(up, tmp_path, "--name", "echoes", "--tag", "t", "--", "echo", "--name", "other", "--", "-c")

    assert done.stdout == "--name other -- -c\n"
    assert up.run("echoes")["tags"] == ["t"]


def test_a_variable_is_handed_on_by_name_or_with_a_value(up: Stack, tmp_path: Path) -> None:
    done = run(up, tmp_path, "--env", "A=1", "--env", "HOME", "--", "sh", "-c", "echo $A $HOME")

    assert done.stdout == f"1 {os.environ['HOME']}\n"


def test_events_are_lines_of_json_on_request(up: Stack, tmp_path: Path) -> None:
    done = run(up, tmp_path, "--json", "--", "echo", "one")

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events] == ["run.queued", "run.started", "log", "run.completed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a kind, or a command after --"),
        (["counting", "--", "true"], "Name a kind, or a command after --"),
        (["--"], "After -- comes the command"),
        (["--env", "NOT_SET_ANYWHERE", "--", "true"], "--env NOT_SET_ANYWHERE"),
        (["--stuck-after", "soon", "--", "true"], "--stuck-after soon"),
        (["counting", "--restart"], "--restart is for a command"),
    ],
)
def test_wrong_usage_is_exit_code_2(up: Stack, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run(up, tmp_path, *arguments)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_stubborn_command_and_what_it_started_are_gone_when_the_run_is_cancelled(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    run_id = detach(up, tmp_path, "--", *script(STUBBORN))
    mine = until(lambda: started_in(up, run_id, 2), "both processes")

    up.cli("cancel", run_id, "-y")

    cancelled = up.wait(run_id, ended, "the end")
    assert cancelled["status"] == "cancelled"
    assert not [process for process in mine if process.is_running()]


def started_in(up: Stack, run_id: str, count: int) -> list[psutil.Process]:
    """The processes of a run's command, once there are so many and each has said so."""
    with up.client() as client:
        events = client.get(f"/api/runs/{run_id}/events", params={"types": "log"}).json()["events"]
    if [event["data"]["text"] for event in events].count("begun") < count:
        return []
    return [each for each in psutil.process_iter() if belongs(each, run_id)]


def belongs(process: psutil.Process, run_id: str) -> bool:
    """Whether a process carries the marker of a run's command."""
    try:
        return process.environ().get("PILOTHOUSE_RUN_ID") == run_id and "script.py" in " ".join(
            process.cmdline()
        )
    except psutil.Error:
        return False


def test_a_plain_command_is_held_and_goes_on(up: Stack, tmp_path: Path) -> None:
    program = "import time\nfor n in range(10**6): open('beat', 'w').write(str(n)); time.sleep(0.01)"
    run_id = detach(up, tmp_path, "--", sys.executable, "-c", program)
    until(lambda: (tmp_path / "beat").exists() and (tmp_path / "beat").read_text(), "a beat")

    up.api("POST", f"/api/runs/{run_id}/pause", {"strength": "release"})
    paused = up.wait(run_id, lambda now: now["status"] == "paused", "paused")
    held_at = (tmp_path / "beat").read_text()
    up.api("POST", f"/api/runs/{run_id}/resume", {})

    until(lambda: (tmp_path / "beat").read_text() not in {"", held_at}, "another beat")
    assert paused["strength"] == "hold"
    up.cli("cancel", run_id, "-y")


def test_a_script_attaches_itself_to_the_run_that_started_it(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    done = run(up, tmp_path, "--name", "attaching", "--set", "count=7", "--", *script(TRACKS))

    found = up.run("attaching")
    assert (done.returncode, done.stdout) == (0, "attached 7\nleft the block\n")
    assert (found["status"], found["attempt"], found["attached"]) == ("completed", 1, False)
    assert (found["progress"]["done"], found["progress"]["total"]) == (7, 7)


def test_a_paused_script_that_attached_itself_begins_no_item(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    run_id = detach(up, tmp_path, "--", *script(TRACKS))
    up.wait(run_id, lambda now: now["progress"]["done"] > 5, "some items")

    up.api("POST", f"/api/runs/{run_id}/pause", {})
    paused = up.wait(run_id, lambda now: now["status"] == "paused", "paused")
    executed = ledger(tmp_path)
    (held,) = [each for each in psutil.process_iter() if belongs(each, run_id)]
    status = held.status()
    up.api("POST", f"/api/runs/{run_id}/resume", {})
    up.wait(run_id, ended, "the end")

    assert status != psutil.STATUS_STOPPED
    assert len(executed) == paused["progress"]["done"]
    assert ledger(tmp_path) == list(range(150))


def test_an_exception_is_told_with_its_place_and_the_commands_exit_code(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    done = run(up, tmp_path, "--name", "failing", "--set", "fail_at=3", "--", *script(TRACKS))

    failure = up.run("failing")["failure"]
    assert done.returncode == 1
    assert (failure["reason"], failure["message"]) == ("crash", "ValueError: no good")
    assert failure["where"].endswith("script.py:13 in <module>")


def test_a_cancelled_script_leaves_at_its_next_item(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    run_id = detach(up, tmp_path, "--", *script(TRACKS))
    up.wait(run_id, lambda now: now["progress"]["done"] > 5, "some items")

    up.cli("cancel", run_id, "-y")

    cancelled = up.wait(run_id, ended, "the end")
    assert cancelled["status"] == "cancelled"
    assert cancelled["progress"]["done"] == len(ledger(tmp_path))


def test_a_script_in_a_long_item_is_unwound_by_a_cancel(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    program = """
import time, pilothouse as ph
with ph.run("long") as run:
    for number in run.track([1]):
        try:
            open("ledger", "w").write("1")
            time.sleep(3600)
        finally:
            open("tidied", "w").close()
"""
    run_id = detach(up, tmp_path, "--", *script(program))
    until(lambda: ledger(tmp_path), "the item")

    up.cli("cancel", run_id, "-y")

    assert up.wait(run_id, ended, "the end")["status"] == "cancelled"
    assert (tmp_path / "tidied").exists()


def test_a_script_that_attached_itself_goes_on_where_it_was_after_its_job_was_killed(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    run_id = detach(up, tmp_path, "--set", "count=60", "--set", "die_at=20", "--", *script(TRACKS))

    done = up.wait(run_id, ended, "the end")

    executed = ledger(tmp_path)
    assert (done["status"], done["attempt"]) == ("completed", 2)
    assert exported(up, run_id) == list(range(60))
    assert sorted(set(executed)) == list(range(60))
    assert len(executed) - 60 <= 1, "only the item in hand may be done again"


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_every_item_is_there_once_though_the_server_is_killed_meanwhile(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]], is_by_hand: bool
) -> None:
    program = TRACKS.replace("unused", f"survivor {is_by_hand}")
    command = script(program)
    if not is_by_hand:
        command = [sys.executable, "-m", "pilothouse.cli.main", "--data", str(up.data), "run", "--", *command]
    variables = environment() | {"PILOTHOUSE_DATA": str(up.data)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )

    for least in (20, 80):
        until(lambda: len(ledger(tmp_path)) > least, "some items")  # noqa: B023
        up.kill_server()
    _, error = process.communicate(timeout=120)
    until(up.is_up, "the server")

    run_id = up.api("GET", "/api/runs")["runs"][0]["id"]
    found = up.wait(run_id, ended, "the end")
    assert process.returncode == 0, error.decode()
    assert (found["status"], found["attached"]) == ("completed", is_by_hand)
    assert ledger(tmp_path) == list(range(150))
    assert exported(up, run_id) == list(range(150))


def test_ctrl_c_twice_cancels_the_command(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    command = ["run", "--name", "interrupted", "--", *script(TRACKS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pilothouse.cli.main", "--data", str(up.data), *command],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdout and process.stderr
    until(lambda: len(ledger(tmp_path)) > 3, "some items")

    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if "Ctrl+C again" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode == 4
    assert up.run("interrupted")["reason"] == "Ctrl+C"


@pytest.mark.rows("S1.83")
def test_a_run_that_was_made_by_hand_is_retried_by_a_host(
    up: Stack, tmp_path: Path, script: Callable[[str], list[str]]
) -> None:
    program = TRACKS.replace("unused", "by hand").replace('"count": 150', '"count": 12, "fail_at": 5')
    program = program.replace('get("fail_at"):', 'get("fail_at") and not os.path.exists("mended"):')
    variables = environment() | {"PILOTHOUSE_DATA": str(up.data)}
    done = subprocess.run(script(program), cwd=tmp_path, env=variables, capture_output=True, check=False)
    (tmp_path / "mended").touch()

    made = json.loads(up.cli("retry", "by hand", "--failed-only", "--json").stdout)

    found = up.wait(made["id"], ended, "the end")
    assert done.returncode == 1
    assert (found["status"], found["attached"], found["progress"]["reused"]) == ("completed", False, 5)
    assert ledger(tmp_path) == [0, 1, 2, 3, 4, 5, *range(5, 12)]


def test_lines_are_signs_of_life(up: Stack, tmp_path: Path) -> None:
    program = "import time\nfor n in range(10**6): print(n); time.sleep(0.2)"
    run_id = detach(up, tmp_path, "--stuck-after", "5s", "--", sys.executable, "-c", program)
    begun = up.wait(run_id, lambda now: now["status"] == "running", "running")

    moved = up.wait(run_id, lambda now: now["moved"] > begun["moved"], "a sign of life")

    assert moved["progress"]["done"] == 0
    up.cli("cancel", run_id, "-y")
