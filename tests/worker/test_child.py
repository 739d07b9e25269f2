"""Real child processes: the last word, the console, and every way in which they end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.executors.family import job_of
from pilothouse.model.run import Strength
from pilothouse.sdk.handover import hand_over
from pilothouse.worker.cutoff import was_cut_off
from pilothouse.worker.lifeline import EXIT_FENCED
from tests.sdk.link_server import LinkServer
from tests.worker.conftest import Spawn

HANG = 60


def test_a_job_runs_and_completes(server: LinkServer, spawn: Spawn) -> None:
    server.add_run(items=20)

    child = spawn("counts")

    assert child.wait(HANG) == 0
    assert server.status() == "completed"
    assert server.keys("item.finished") == [str(n) for n in range(20)]
    assert server.log.saved_state == {"over": True}


def test_what_the_job_prints_is_in_the_log_and_on_the_console(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    child = spawn("prints")

    assert child.wait(HANG) == 0
    lines = [(body.source, body.text) for body in server.bodies("log")]
    assert [text for source, text in lines if source == "stdout"] == ["plain line", "100%", "no end"]
    assert ("stderr", "warned") in lines
    assert child.stdout
    console = child.stdout.read()
    assert "plain line" in console
    assert "warned" in console


def test_a_crash_is_told_with_its_place_and_its_traceback(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    child = spawn("crashes")

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert failed.reason == "crash"
    assert failed.message == "ZeroDivisionError: division by zero"
    assert re.search(r"tests/worker/jobs\.py:\d+ in _divide$", failed.where)
    assert "ZeroDivisionError" in failed.tail
    assert failed.exit_code == 1


def test_a_deliberate_error_is_told_in_its_own_words_with_its_way_out(
    server: LinkServer, spawn: Spawn
) -> None:
    server.add_run()

    child = spawn("gives_up")

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert (failed.reason, failed.message, failed.hint) == (
        "unavailable",
        "Nobody answers.",
        "Start the server.",
    )
    assert failed.where is None


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        ("needs_nonsense", "No module named 'nonsense_that", "pip install nonsense_that_is_not_installed"),
        ("absent.module:job", "No module named 'absent'", "PYTHONPATH"),
        ("tests.worker.jobs:absent", "has no attribute 'absent'", None),
    ],
)
def test_what_cannot_be_imported_fails_with_a_hint(
    server: LinkServer, spawn: Spawn, entry: str, message: str, hint: str | None
) -> None:
    server.add_run()

    child = spawn(entry)

    assert child.wait(HANG) == 1
    (failed,) = server.bodies("run.failed")
    assert message in failed.message
    assert (hint in failed.hint) if hint else failed.hint is None


def test_an_exit_code_of_the_job_is_kept(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    child = spawn("exits_3")

    assert child.wait(HANG) == 3
    assert server.bodies("run.failed")[0].exit_code == 3


def test_a_paused_run_continues_in_the_same_process(server: LinkServer, spawn: Spawn) -> None:
    server.add_run(items=40, seconds=0.02)

    child = spawn("counts")
    server.wait_for(lambda: len(server.log.finished) > 5)
    server.pause()
    server.wait_for(lambda: server.status() == "paused")
    server.resume()

    assert child.wait(HANG) == 0
    assert server.status() == "completed"
    assert server.keys("item.finished") == [str(n) for n in range(40)]


def test_a_released_run_leaves_and_a_later_attempt_does_the_rest(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run(items=40, seconds=0.02, side=3)

    first = spawn("counts")
    server.wait_for(lambda: len(server.log.finished) > 5)
    server.pause(strength=Strength.RELEASE)
    assert first.wait(HANG) == 3
    assert server.status() == "paused"
    server.resume()
    server.next_attempt_of_queued()
    second = spawn("counts", attempt=2)

    assert second.wait(HANG) == 0
    marks = (tmp_path / "folder" / "marks").read_text().split()
    assert sorted(marks, key=int) == [str(n) for n in range(40)]


def test_cancel_ends_a_job_whose_items_hang(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    child = spawn("hangs_in_an_item")
    server.wait_for(lambda: len(server.keys("item.started")) == 2)
    server.cancel()

    assert child.wait(HANG) == 3
    assert server.bodies("run.cancelled") == [], "only the host knows that nothing of the job is left"


def test_a_cancelled_process_does_not_wait_for_threads_that_the_job_left(
    server: LinkServer, spawn: Spawn
) -> None:
    server.add_run()

    child = spawn("leaves_a_thread")
    server.wait_for(lambda: server.bodies("log"))
    server.cancel()

    assert child.wait(HANG) == 3


def test_a_job_that_ends_while_a_cancel_is_pending_leaves_without_a_last_word(
    server: LinkServer, spawn: Spawn
) -> None:
    server.add_run()

    child = spawn("ends_under_cancel")
    server.wait_for(lambda: server.bodies("log"))
    server.cancel()

    assert child.wait(HANG) == 3
    assert (server.bodies("run.completed"), server.status()) == ([], "running")


def test_a_job_that_ends_while_a_pause_is_pending_counts_as_completed(
    server: LinkServer, spawn: Spawn
) -> None:
    server.add_run()

    child = spawn("ends_under_pause")
    server.wait_for(lambda: server.bodies("log"))
    server.pause()

    assert child.wait(HANG) == 0
    assert server.status() == "completed"


def test_a_pause_that_came_before_the_start_is_obeyed_first(server: LinkServer, spawn: Spawn) -> None:
    server.add_run(items=3)
    server.pause()

    child = spawn("counts")
    server.wait_for(lambda: server.status() == "paused")
    assert server.keys("item.started") == []
    server.resume()

    assert child.wait(HANG) == 0


def test_the_child_waits_for_a_server_that_is_not_there_yet(server: LinkServer, spawn: Spawn) -> None:
    server.add_run(items=5)
    server.stop()

    child = spawn("counts")
    server.start()

    assert child.wait(HANG) == 0
    assert server.status() == "completed"


def test_a_restart_of_the_server_does_not_touch_the_job(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run(items=60, seconds=0.01)

    child = spawn("counts")
    for count in (10, 30):
        least = count
        server.wait_for(lambda: len(server.log.finished) >= least)  # noqa: B023
        server.stop()
        server.start()

    assert child.wait(HANG) == 0
    assert server.keys("item.finished") == [str(n) for n in range(60)]
    assert (tmp_path / "folder" / "marks").read_text().split() == [str(n) for n in range(60)]


def test_an_outdated_attempt_leaves_without_a_word(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    child = spawn("hangs_for_ever")
    server.wait_for(lambda: server.bodies("log"))
    server.next_attempt()

    assert child.wait(HANG) == 4
    assert server.status() == "running"


def test_an_attempt_that_is_fenced_before_it_begins_leaves_at_once(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()
    server.next_attempt()

    assert spawn("counts").wait(HANG) == 4


def test_a_run_that_does_not_exist_is_no_assignment(server: LinkServer, spawn: Spawn) -> None:
    assert spawn("counts").wait(HANG) == 2


def test_job_code_sees_an_empty_standard_input(server: LinkServer, spawn: Spawn) -> None:
    server.add_run()

    assert spawn("reads_stdin").wait(HANG) == 0
    assert server.bodies("log")[0].text == "stdin holds ''"


def test_sigterm_unwinds_the_job_and_leaves_its_fate_to_the_server(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run()

    child = spawn("hangs_for_ever")
    server.wait_for(lambda: server.bodies("log"))
    job = job_of(child.pid)
    assert job
    os.kill(job.pid, signal.SIGTERM)

    assert child.wait(HANG) == 143
    assert (tmp_path / "folder" / "marks").read_text() == "finally\n"
    assert server.status() == "running"


def test_a_job_cut_off_for_too_long_leaves_by_itself(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run(items=100_000, seconds=0.01)

    child = spawn("counts", PILOTHOUSE_ORPHAN_SECONDS="0.5")
    server.wait_for(lambda: len(server.log.finished) > 5)
    server.stop()

    assert child.wait(HANG) == 5
    server.start()
    marks = (tmp_path / "folder" / "marks").read_text().split()
    assert len(marks) == len(set(marks))
    assert server.status() == "running", "the server decides what becomes of the run"


def test_a_job_that_no_server_ever_answered_has_not_crashed(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.stop()

    child = spawn("counts", PILOTHOUSE_ORPHAN_SECONDS="0.2")

    assert child.wait(HANG) == 5
    assert was_cut_off(tmp_path / "folder", 1)


def test_a_job_whose_last_word_no_server_heard_has_not_crashed(
    server: LinkServer, spawn: Spawn, tmp_path: Path
) -> None:
    server.add_run()

    child = spawn("ends_when_told", PILOTHOUSE_ORPHAN_SECONDS="0.5")
    server.wait_for(lambda: server.bodies("log"))
    server.stop()
    (tmp_path / "folder" / "end").touch()

    assert child.wait(HANG) == 5
    assert was_cut_off(tmp_path / "folder", 1)
    server.start()
    assert hand_over(server.url, "secret", "run_1", 1, tmp_path / "folder")
    assert server.status() == "completed", "its host says the last word"


def test_a_job_that_was_fenced_before_anybody_listened_is_ended_all_the_same() -> None:
    program = """
import time
from pilothouse.sdk.link import Link
from pilothouse.worker.lifeline import leave_when_fenced
link = Link("http://127.0.0.1:9", "secret", "run_1", 1)
link._fence()
leave_when_fenced(link)
time.sleep(3600)
"""

    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)

    assert done.returncode == EXIT_FENCED
