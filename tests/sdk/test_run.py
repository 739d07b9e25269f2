"""`ph.run` in a script started by hand: real processes against a real server that is started and killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilothouse.kinds.script import KIND
from tests.e2e.stack import until
from tests.web.serving import Running, running

HANG = 60
ROOT = Path(__file__).parents[2]
LEDGER = """
import sys, time
import pilothouse as ph

def work(number):
    with open("ledger", "a") as ledger:
        ledger.write(f"{number}\\n")
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)

"""
TRACKS = (
    LEDGER
    + """
with ph.run("my eval", params={"rate": 0.1}, tags=["oct"], resume=sys.argv[3] if len(sys.argv) > 3 else None) as run:
    for number in run.track(range(int(sys.argv[1])), key=str):
        work(number)
print("went on")
"""
)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server without a host: nobody could claim a run."""
    with running(tmp_path_factory.mktemp("data"), {"script": KIND}, lease_seconds=2.0) as server:
        yield server


@pytest.fixture
def start(up: Running, tmp_path: Path) -> Iterator[Start]:
    """Starts a script as a user does, in the folder of the test."""
    scripts: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")
        }
        environment |= {"PILOTHOUSE_DATA": str(up.data), "PILOTHOUSE_SERVER": up.url, "PYTHONPATH": str(ROOT)}
        script = tmp_path / "eval.py"
        script.write_text(program)
        scripts.append(
            subprocess.Popen(
                [sys.executable, str(script), *arguments],
                env=environment | variables,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return scripts[-1]

    yield start
    for script in scripts:
        if script.poll() is None:
            script.kill()
        script.communicate()


def finish(script: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The end of a script: exit code, standard output and error."""
    out, error = script.communicate(timeout=HANG)
    return script.returncode, out, error


def run_of(up: Running, script: subprocess.Popen[str]) -> dict[str, Any]:
    """The run that a script has made."""

    def look() -> dict[str, Any] | None:
        with up.client() as client:
            found = client.get("/api/runs", params={"limit": 200}).json()["runs"]
            mine = [run for run in found if (run["host"] or "").endswith(f":{script.pid}")]
            return client.get(f"/api/runs/{mine[0]['id']}").json() if mine else None

    return until(look, "the script's run") or {}


def reach(
    up: Running, run_id: str, is_reached: Callable[[dict[str, Any]], bool], what: str
) -> dict[str, Any]:
    """Wait until a run is as wanted."""

    def look() -> dict[str, Any] | None:
        with up.client() as client:
            run: dict[str, Any] = client.get(f"/api/runs/{run_id}").json()
        return run if is_reached(run) else None

    return until(look, what) or {}


def ask(up: Running, run_id: str, control: str) -> None:
    """A control by the API."""
    with up.client() as client:
        assert client.post(f"/api/runs/{run_id}/{control}", json={}).is_success


@contextmanager
def door(url: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """A way to the server that can be shut for good: its address, and what shuts it."""
    target = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = [listener]

    def hand_on(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def admit() -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection((target.hostname or "", target.port or 0))
                ends.extend((here, there))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=hand_on, args=pair, daemon=True).start()

    def shut() -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    threading.Thread(target=admit, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", shut
    shut()


def ledger(folder: Path) -> list[int]:
    """The items that were executed, in order."""
    path = folder / "ledger"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_a_script_makes_its_own_run_and_completes_it(up: Running, start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "20")

    code, out, error = finish(script)

    run = run_of(up, script)
    assert (code, out) == (0, "went on\n")
    assert run["id"] in error
    assert (run["status"], run["name"], run["tags"], run["attached"]) == (
        "completed",
        "my eval",
        ["oct"],
        True,
    )
    assert (run["progress"]["done"], run["progress"]["total"]) == (20, 20)
    assert run["params"]["params"] == {"rate": 0.1}
    assert run["params"]["command"][-1] == "20"
    assert ledger(tmp_path) == list(range(20))


def test_what_the_script_prints_is_shown_and_recorded(up: Running, start: Start) -> None:
    script = start("import pilothouse as ph\nwith ph.run():\n    print('one line')\n")

    _, out, _ = finish(script)

    run = run_of(up, script)
    with up.client() as client:
        logs = client.get(f"/api/runs/{run['id']}/events", params={"types": "log"}).json()["events"]
    assert out == "one line\n"
    assert run["name"] == "eval"
    assert [event["data"]["text"] for event in logs] == ["one line"]


def test_an_exception_fails_the_run_with_its_place_and_goes_on_upwards(up: Running, start: Start) -> None:
    script = start("import pilothouse as ph\nwith ph.run():\n    1 / 0\n")

    code, _, error = finish(script)

    failure = run_of(up, script)["failure"]
    assert code == 1
    assert "ZeroDivisionError: division by zero" in error
    assert failure["message"] == "ZeroDivisionError: division by zero"
    assert failure["where"].endswith("eval.py:3 in <module>")
    assert "Traceback" in failure["tail"]


def test_an_exit_code_is_kept(up: Running, start: Start) -> None:
    script = start("import sys, pilothouse as ph\nwith ph.run():\n    sys.exit(3)\n")

    code, _, _ = finish(script)

    run = run_of(up, script)
    assert (code, run["status"], run["failure"]["exit_code"]) == (3, "failed", 3)


def test_ctrl_c_cancels_the_run(up: Running, start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "10000", "0.01")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")

    script.send_signal(signal.SIGINT)
    code, _, error = finish(script)

    run = run_of(up, script)
    assert code == -signal.SIGINT
    assert "KeyboardInterrupt" in error
    assert (run["status"], run["reason"]) == ("cancelled", "Ctrl+C")


def test_sigterm_unwinds_the_block_and_cancels_the_run(up: Running, start: Start, tmp_path: Path) -> None:
    program = """
import time, pilothouse as ph
with ph.run("terminated"):
    try:
        open("ledger", "w").write("1")
        time.sleep(3600)
    finally:
        print("tidied up")
"""
    script = start(program)
    until(lambda: ledger(tmp_path), "the block")

    script.terminate()
    code, out, _ = finish(script)

    run = run_of(up, script)
    assert (code, out) == (143, "tidied up\n")
    assert (run["status"], run["reason"]) == ("cancelled", "SIGTERM")


def test_a_cancel_from_the_page_unwinds_the_block_and_exits_with_4(
    up: Running, start: Start, tmp_path: Path
) -> None:
    script = start(TRACKS, "10000", "0.01")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")
    run = run_of(up, script)

    ask(up, run["id"], "cancel")
    code, out, error = finish(script)

    assert (code, out) == (4, "")
    assert "Traceback" not in error
    ended = run_of(up, script)
    assert ended["status"] == "cancelled"
    assert ended["progress"]["done"] == len(ledger(tmp_path))


def test_a_paused_script_starts_no_item_until_it_is_resumed(
    up: Running, start: Start, tmp_path: Path
) -> None:
    script = start(TRACKS, "200", "0.01")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")
    run = run_of(up, script)

    ask(up, run["id"], "pause")
    paused = reach(up, run["id"], lambda now: now["status"] == "paused", "paused")
    done_at_pause = ledger(tmp_path)
    beaten = reach(up, run["id"], lambda now: now["status"] == "paused", "still paused")
    ask(up, run["id"], "resume")
    code, _, _ = finish(script)

    assert paused["strength"] == "hold"
    assert len(done_at_pause) == beaten["progress"]["done"]
    assert code == 0
    assert ledger(tmp_path) == list(range(200))


def test_a_killed_script_is_told_as_lost_and_a_new_run_reuses_what_it_finished(
    up: Running, start: Start, tmp_path: Path
) -> None:
    script = start(TRACKS, "60", "0.02")
    until(lambda: len(ledger(tmp_path)) > 10, "some items")
    run = reach(up, run_of(up, script)["id"], lambda now: now["progress"]["done"] > 5, "stored items")

    script.kill()
    lost = reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    with up.client() as client:
        items = client.get(f"/api/runs/{run['id']}/items", params={"state": "done"}).json()["items"]
    keys = [int(item["key"]) for item in items]
    again = start(TRACKS, "60", "0", "@last")
    code, _, _ = finish(again)

    renewed = run_of(up, again)
    assert lost["failure"]["reason"] == "worker_lost"
    assert 'resume="@last"' in lost["failure"]["hint"]
    assert (code, renewed["status"], renewed["retry_of"]) == (0, "completed", run["id"])
    assert renewed["progress"]["reused"] == lost["progress"]["done"]
    assert renewed["progress"]["done"] == 60
    executed = Counter(ledger(tmp_path))
    assert set(executed) == set(range(60))
    assert [executed[key] for key in keys] == [1] * len(keys)


def test_a_new_run_reuses_what_a_killed_script_could_not_send(
    up: Running, start: Start, tmp_path: Path
) -> None:
    with door(up.url) as (url, shut):
        script = start(TRACKS.replace("my eval", "cut off"), "5000", "0.01", PILOTHOUSE_SERVER=url)
        run = reach(up, run_of(up, script)["id"], lambda now: now["progress"]["done"] > 5, "stored items")
        shut()
        seen = len(ledger(tmp_path))
        until(lambda: len(ledger(tmp_path)) > seen + 50, "items that nobody hears of")
        script.kill()
        script.wait()
    lost = reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    executed = ledger(tmp_path)

    again = start(TRACKS.replace("my eval", "cut off"), str(len(executed) + 5), "0", "@last")
    code, _, _ = finish(again)

    renewed = run_of(up, again)
    assert lost["progress"]["done"] < len(executed) - 40
    assert (code, renewed["progress"]["done"]) == (0, len(executed) + 5)
    repeated = Counter(ledger(tmp_path)) - Counter(range(len(executed) + 5))
    assert sum(repeated.values()) <= 2, "only what was in hand, and what was not yet written down"


def test_a_resume_without_an_earlier_run_begins_at_the_beginning(up: Running, start: Start) -> None:
    program = TRACKS.replace("my eval", "never before")

    code, _, error = finish(start(program, "3", "0", "@last"))

    assert code == 0
    assert "no earlier run named 'never before'" in error


def test_a_resume_of_a_run_that_does_not_exist_is_an_error(up: Running, start: Start, tmp_path: Path) -> None:
    code, _, error = finish(start(TRACKS, "3", "0", "run_nothing"))

    assert code == 1
    assert "run_nothing" in error
    assert ledger(tmp_path) == []


def test_without_a_server_the_script_goes_on_and_says_so_in_one_line(start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "5", PILOTHOUSE_SERVER="", PILOTHOUSE_DATA=str(tmp_path / "nothing"))

    code, out, error = finish(script)

    assert (code, out) == (0, "went on\n")
    assert "No Pilothouse server at http://127.0.0.1:8420" in error
    assert "'my eval' runs unrecorded" in error
    assert len(error.splitlines()) == 1
    assert ledger(tmp_path) == list(range(5))


def test_a_script_may_insist_on_a_server(start: Start, tmp_path: Path) -> None:
    nowhere = {"PILOTHOUSE_SERVER": "", "PILOTHOUSE_DATA": str(tmp_path / "nothing")}

    code, _, error = finish(start(TRACKS, "5", **nowhere, PILOTHOUSE_REQUIRED="1"))

    assert code == 1
    assert "Unavailable" in error
    assert ledger(tmp_path) == []


def test_every_part_of_the_handle_works_unrecorded(start: Start, tmp_path: Path) -> None:
    program = """
import pilothouse as ph
with ph.run("all of it") as run:
    for done in run.map(lambda n: {"n": n}, range(4), key=str, concurrency=2):
        run.metric(n=done.data["n"])
    with run.phase("One", 1, of=1):
        run.log("text"), run.note("file", "text"), run.guard("rule", "text"), run.total(4)
    (run.folder / "file.txt").write_text("text")
    run.artifact(run.folder / "file.txt")
    run.save_state({"a": 1}), run.item("x"), run.safepoint()
    print(run.finished(), run.saved_state, run.attempt)
"""

    code, out, _ = finish(start(program, PILOTHOUSE_SERVER="http://127.0.0.1:9"))

    assert (code, out) == (0, "[] {'a': 1} 1\n")


def test_a_run_within_a_run_is_refused_and_one_after_another_is_fine(up: Running, start: Start) -> None:
    program = """
import pilothouse as ph
with ph.run("outer"):
    try:
        with ph.run("inner"): pass
    except RuntimeError as error:
        print(error)
with ph.run("next"): print("next")
"""

    code, out, _ = finish(start(program))

    assert code == 0
    assert out.splitlines() == [
        "this process is in a run already; leave its block before you begin another",
        "next",
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [("pass", "completed", 0), ("break", "completed", 0), ("1 / 0", "failed", 1)],
)
def test_the_shortest_form_is_a_loop(up: Running, start: Start, body: str, status: str, code: int) -> None:
    program = f"import pilothouse as ph\nfor n in ph.track(range(3), 'short', key=str):\n    {body}\n"

    script = start(program)

    assert finish(script)[0] == code
    assert run_of(up, script)["status"] == status


def test_a_script_that_was_given_up_goes_on_unrecorded(up: Running, start: Start, tmp_path: Path) -> None:
    script = start(TRACKS, "60", "0.02")
    until(lambda: len(ledger(tmp_path)) > 3, "some items")
    run = run_of(up, script)

    script.send_signal(signal.SIGSTOP)
    reach(up, run["id"], lambda now: now["status"] == "failed", "the end of the lease")
    script.send_signal(signal.SIGCONT)
    code, out, error = finish(script)

    assert (code, out) == (0, "went on\n")
    assert "goes on unrecorded: its run has ended (failed)" in error
    assert ledger(tmp_path) == list(range(60))
