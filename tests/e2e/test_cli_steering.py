"""Pauses with choices, previews and stuck runs from the command line, on a real server."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("cli")]


def start(up: Stack, *arguments: str) -> dict[str, Any]:
    done = up.cli("run", "counting", "--detach", "--json", *arguments)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def slow(up: Stack) -> dict[str, Any]:
    """A run with five items done and many left."""
    run = start(up, "--set", "count=5000", "--set", "speed=50")
    return up.wait(run["id"], lambda now: now["progress"]["done"] > 5, "some items")


def stuck(up: Stack) -> dict[str, Any]:
    """A run whose first item never ends."""
    run = start(up, "--set", "count=5", "--set", "stubborn=true", "--set", "stuck_seconds=0.5")
    return up.wait(run["id"], stands_in_its_item, "the watchdog")


def stands_in_its_item(run: dict[str, Any]) -> bool:
    """Stuck since its item began; a job that is slow to start is stuck for a moment too."""
    return bool(run["stuck"] and run["current"] and run["turned"] > run["moved"])


def test_a_pause_that_frees_memory_ends_by_itself_and_says_so(up: Stack) -> None:
    run = slow(up)

    paused = up.cli("pause", run["id"], "--release", "--until", "30m", "--reason", "budget")
    shown = up.cli("show", run["id"])
    now = up.run(run["id"])

    assert ": budget · memory freed · resumes" in paused.stderr
    assert ": budget · memory freed · resumes" in shown.stdout
    assert now["strength"] == "release"
    end = datetime.fromisoformat(now["until"]) - datetime.fromisoformat(now["last_event_at"])
    assert 29 * 60 < end.total_seconds() <= 30 * 60
    up.cli("cancel", run["id"], "-y")


def test_a_time_of_day_is_the_next_such_moment(up: Stack) -> None:
    run = slow(up)

    up.cli("pause", run["id"], "--until", "03:07")

    until = datetime.fromisoformat(up.run(run["id"])["until"])
    assert f"{until.astimezone():%H:%M}" == "03:07"
    up.cli("cancel", run["id"], "-y")


def test_a_resume_is_foretold_and_a_dry_run_changes_nothing(up: Stack) -> None:
    run = slow(up)
    up.cli("pause", run["id"], "--release")
    kept = up.run(run["id"])["progress"]["done"]

    foretold = up.cli("resume", run["id"], "--dry-run")
    status = up.run(run["id"])["status"]
    resumed = up.cli("resume", run["id"])

    assert f"{kept} kept · {5000 - kept} left" in foretold.stderr
    assert status == "paused"
    assert f"A new attempt: {kept} kept" in resumed.stderr
    up.cli("cancel", run["id"], "-y")


def test_a_retry_is_foretold_and_takes_changed_params(up: Stack) -> None:
    run = start(up, "--set", "count=6", "--set", "bad=[1, 4]")
    up.wait(run["id"], lambda now: bool(now["ended_at"]), "the end")

    foretold = up.cli("retry", run["id"], "--failed-only", "--dry-run")
    made = json.loads(
        up.cli("retry", run["id"], "--failed-only", "--set", "bad=[]", "--name", "again", "--json").stdout
    )
    ended = up.wait(made["id"], lambda now: bool(now["ended_at"]), "the end")

    assert "4 kept · 2 repeated · 0 left" in foretold.stderr
    assert (ended["name"], ended["retry_of"], ended["params"]["bad"]) == ("again", run["id"], [])
    assert ended["progress"]["failed"] == 0


def test_stuck_runs_are_listed_with_their_cause_and_cancelled_by_name(up: Stack) -> None:
    healthy, hanging = slow(up), stuck(up)

    listed = up.cli("stuck", "--fail-on-stuck", check=False)
    named = json.loads(up.cli("stuck", "--json").stdout)
    unasked = up.cli("cancel", "--stuck", check=False)
    up.cli("cancel", "--stuck", "-y", "--now", "--json")
    ended = up.wait(hanging["id"], lambda now: bool(now["ended_at"]), "the cancel")

    assert listed.returncode == 9
    assert f"{hanging['id']}   " in listed.stdout
    assert "Stuck " in listed.stdout
    assert "No number, metric or phase. The process is alive" in listed.stdout
    assert [one["run"]["id"] for one in named["stuck"]] == [hanging["id"]]
    assert unasked.returncode == 2
    assert ended["status"] == "cancelled"
    assert up.run(healthy["id"])["status"] == "running"
    assert up.cli("stuck", "--fail-on-stuck").returncode == 0
    up.cli("cancel", healthy["id"], "-y")


@pytest.mark.parametrize("arguments", [["cancel"], ["cancel", "--stuck", "@last"]])
def test_cancel_wants_runs_or_the_stuck_ones(up: Stack, arguments: list[str]) -> None:
    done = up.cli(*arguments, "-y", check=False)

    assert done.returncode == 2
    assert "one of the two" in done.stderr


def test_a_terminal_that_watches_is_told_who_why_and_what_stands_still(up: Stack) -> None:
    run = slow(up)
    up.cli("pause", run["id"], "--release", "--until", "30m", "--reason", "budget")
    up.cli("cancel", run["id"], "-y")
    hanging = stuck(up)
    up.cli("cancel", hanging["id"], "-y", "--now")

    paused = up.cli("watch", run["id"], check=False).stdout
    stood = up.cli("watch", hanging["id"], check=False).stdout

    assert re.search(r" paused: .*memory freed", paused)
    assert " stuck: No number, metric or phase. The process is alive" in stood
