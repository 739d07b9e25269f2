"""What the terminal says of a run: the same words as on the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilothouse.cli import words

IDLE = "the process is alive and idle (0% of a core)"


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def run(**changes: Any) -> dict[str, Any]:
    plain = {
        "status": "running", "pending": None, "stuck": False, "stuck_cause": None, "attempt": 1, "strength": None,
        "paused_by": None, "reason": None, "until": None, "wait_seconds": 0.0, "survivors": None, "notice": None,
        "ended_by": None, "ended_at": None, "failure": None, "attached": False, "last_event_at": ago(0),
    }  # fmt: skip
    return plain | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pending": "pause"}, "Pausing after current test…"),
        ({"pending": "pause", "status": "paused"}, "Freeing memory…"),
        ({"pending": "cancel"}, "Cancelling…"),
        ({"status": "paused"}, "Paused"),
        ({"status": "paused", "strength": "release"}, "Paused, memory freed"),
        ({"status": "paused", "strength": "release", "attempt": 0, "paused_by": "ana"}, "Paused by ana"),
        (
            {"status": "paused", "strength": "release", "paused_by": "ana", "reason": "budget"},
            "Paused by ana: budget · memory freed",
        ),
        ({"status": "queued", "attempt": 1}, "Resuming…"),
        (
            {"status": "cancelled", "ended_by": "ana", "reason": "wrong model"},
            "Cancelled by ana: wrong model",
        ),
        ({"status": "failed"}, "Failed"),
    ],
)
def test_a_status_says_who_why_and_until_when(changes: dict[str, Any], said: str) -> None:
    assert words.status_words(run(**changes), "test") == said


def test_a_column_leaves_names_and_reasons_out() -> None:
    paused = run(status="paused", strength="release", paused_by="ana", reason="budget")

    assert words.status_brief(paused) == "Paused, memory freed"
    assert words.status_brief(run(status="cancelled", ended_by="ana", reason="x")) == "Cancelled"


def test_a_pause_says_when_it_ends_by_itself() -> None:
    now = datetime.now().astimezone()
    today = now.replace(hour=23, minute=59, second=59)
    later = now + timedelta(days=3)

    assert words.until_words(today.isoformat()) == "resumes at 23:59"
    assert words.until_words(later.isoformat()) == f"resumes {later.day} {later:%b %H:%M}"
    assert words.until_words((now - timedelta(seconds=1)).isoformat()) == "resumes now"


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (40, "40 s"), (245, "4m"), (3900, "1h 05m")])
def test_stuck_says_for_how_long(seconds: float, said: str) -> None:
    assert words.status_words(run(stuck=True), "test", seconds) == f"Stuck {said}"


def test_the_cause_of_a_stuck_run_is_a_sentence() -> None:
    assert words.remarks(run(stuck=True, stuck_cause=IDLE), "test") == [
        "No test, metric or phase. The process is alive and idle (0% of a core); a call to a model may hang."
    ]


def test_what_will_not_die_is_told_while_the_cancel_is_pending() -> None:
    overdue = run(pending="cancel", survivors=2)

    assert words.remarks(overdue) == [
        "2 processes do not die. The run stays “Cancelling…” until they are gone."
    ]


def test_a_preview_leaves_out_what_is_unknown() -> None:
    whole = {"kept": 210, "repeated": 1, "left": 289, "seconds": 240.0, "cost": 0.12}
    placed = {"kept": 40, "repeated": 15, "left": 1045, "total": 1100}
    bare = {"kept": 3, "repeated": 0, "left": None, "seconds": None, "cost": None}

    assert words.preview_words(whole) == "210 kept · 1 repeated · 289 left · about 4 min · about $0.12"
    assert words.preview_words(placed, "step") == "continues at step 41 of 1,100 · 15 repeated · 1045 left"
    assert words.preview_words(bare) == "3 kept · the rest left"


def test_a_back_off_says_when_it_ends_and_why_it_is() -> None:
    waiting = run(status="queued", wait_seconds=3600 * 5, notice="signal 9", last_event_at=ago(10))

    assert re.fullmatch(r"Resumes in 4h 5[89]m after a crash \(signal 9\)", words.status_words(waiting))


def test_a_back_off_that_is_over_is_a_plain_resume() -> None:
    assert words.status_words(run(status="queued", wait_seconds=2, last_event_at=ago(60))) == "Resuming…"


def test_reasons_cannot_move_the_cursor() -> None:
    paused = run(status="paused", paused_by="ana", reason="\x1b[2Jgone")

    assert "\x1b" not in words.status_words(paused)
