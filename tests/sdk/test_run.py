"""`ph.run` in a script started by hand: how its run goes and how it ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.stack import until
from tests.sdk.scripts import TRACKS, Start, ask, finish, ledger, run_of, start, up
from tests.web.serving import Running

__all__ = ["start", "up"]


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


def test_a_script_that_nobody_hosts_tells_what_it_uses_of_its_machine(up: Running, start: Start) -> None:
    script = start(TRACKS, "10", "0.1")

    finish(script)

    with up.client() as client:
        series = client.get(f"/api/runs/{run_of(up, script)['id']}/metrics").json()["series"]
    assert all(0 <= share <= 100 for _, share in series["system/cpu_percent"])
    assert all(size > 1_000_000 for _, size in series["system/memory_bytes"])


def test_what_the_script_prints_is_shown_and_recorded(up: Running, start: Start) -> None:
    script = start("import pilothouse as ph\nwith ph.run():\n    print('one line')\n")

    _, out, _ = finish(script)

    run = run_of(up, script)
    with up.client() as client:
        logs = client.get(f"/api/runs/{run['id']}/events", params={"types": "log"}).json()["events"]
    assert out == "one line\n"
    assert run["name"] == "eval"
    assert [event["data"]["text"] for event in logs] == ["one line"]


def test_params_of_any_class_begin_a_run(up: Running, start: Start) -> None:
    program = """
import pathlib, pilothouse as ph
with ph.run(params={"rate": float("nan"), "folder": pathlib.PurePosixPath("/data"), (1, 2): {3}}):
    pass
"""
    script = start(program)

    code, _, error = finish(script)

    assert code == 0, error
    assert run_of(up, script)["params"]["params"] == {"rate": "NaN", "folder": "/data", "(1, 2)": [3]}


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
