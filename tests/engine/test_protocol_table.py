"""The table of transitions, written down a second time: whatever is not here is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilothouse.errors import InvalidTransition
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Control, Run, Strength
from pilothouse.model.transition import RULES
from tests.engine import parts as p

RELEASE = e.ControlRequested(control=Control.PAUSE, actor="ada", strength=Strength.RELEASE)

# Where a run may stand, and how it got there.
HISTORIES: dict[str, list[e.Body]] = {
    "queued": [],
    "queued again": [p.STARTED, p.INTERRUPTED],
    "running": [p.STARTED],
    "stuck": [p.STARTED, e.RunStuck(seconds=1)],
    "pausing": [p.STARTED, p.PAUSE],
    "releasing": [p.STARTED, RELEASE],
    "cancelling": [p.STARTED, p.CANCEL],
    "held": [p.STARTED, p.PAUSE, p.HELD],
    "held, leaving": [p.STARTED, p.PAUSE, p.HELD, RELEASE],
    "held, cancelling": [p.STARTED, p.PAUSE, p.HELD, p.CANCEL],
    "released": [p.STARTED, p.PAUSE, e.RunPaused(strength=Strength.RELEASE)],
    "paused before it began": [p.RELEASED],
    "completed": [p.STARTED, p.COMPLETED],
    "failed": [p.STARTED, p.FAILED],
    "cancelled": [p.STARTED, p.CANCEL, p.CANCELLED],
}

# What somebody may say.
BODIES: dict[str, e.Body] = {
    "start": p.STARTED,
    "start again": p.AGAIN,
    "ask to pause": p.PAUSE,
    "ask to release": RELEASE,
    "ask to cancel": p.CANCEL,
    "ask by force": p.FORCE,
    "withdraw": e.ControlWithdrawn(actor="ada"),
    "pause it": p.RELEASED,
    "acknowledge": e.RunPaused(),
    "let go": e.RunPaused(strength=Strength.RELEASE),
    "limit": e.RunPaused(actor="the limit", unasked=True),
    "still paused": e.RunPaused(strength=Strength.RELEASE, unclean=True),
    "resume": e.RunResumed(actor="ada"),
    "interrupt": p.INTERRUPTED,
    "complete": p.COMPLETED,
    "fail": p.FAILED,
    "cancel": p.CANCELLED,
    "stuck": e.RunStuck(seconds=2),
    "recovered": e.RunRecovered(),
    "overdue": e.RunCancelOverdue(survivors=1),
    "params": e.ParamsChanged(actor="ada", values={}),
    "item": e.ItemStarted(key="a", ask=True),
}

ACKNOWLEDGED = {"pause it": "paused", "acknowledge": "paused", "let go": "paused", "still paused": "paused"}
ASKED_TO_CANCEL = {"ask to cancel": "cancel", "ask by force": "cancel"}
CANCELLING = {"ask by force": "cancel", "cancel": "cancelled", "overdue": "cancel", "params": "cancel"}
WAITING = {"pause it": "paused", "still paused": "paused", "cancel": "cancelled", "params": "queued"}
RUNNING = {
    "ask to pause": "pause",
    "ask to release": "pause",
    **ASKED_TO_CANCEL,
    "interrupt": "queued",
    "complete": "completed",
    "fail": "failed",
}
HOLDING = {**ASKED_TO_CANCEL, "resume": "running", "interrupt": "queued", "fail": "failed"}

# What is admitted, and the status it leads to, or what pends then.
TABLE: dict[str, dict[str, str]] = {
    "queued": {"start": "running", **WAITING},
    "queued again": {"start again": "running", **WAITING},
    "running": {**RUNNING, "limit": "paused", "stuck": "running", "params": "running", "item": "running"},
    "stuck": {**RUNNING, "limit": "paused", "recovered": "running", "params": "running", "item": "running"},
    "pausing": {
        **RUNNING, **ACKNOWLEDGED, "limit": "paused", "withdraw": "running", "stuck": "pause", "params": "pause",
    },
    "releasing": {
        **RUNNING, **ACKNOWLEDGED, "limit": "paused", "withdraw": "running", "stuck": "pause", "params": "pause",
    },
    "cancelling": {**CANCELLING, "stuck": "cancel"},
    "held": {**HOLDING, "ask to release": "pause", "params": "paused"},
    "held, leaving": {
        **HOLDING, "ask to release": "pause", "params": "pause",
        "pause it": "paused", "let go": "paused", "still paused": "paused",
    },
    "held, cancelling": CANCELLING,
    "released": {"resume": "queued", "cancel": "cancelled", "params": "paused"},
    "paused before it began": {"resume": "queued", "cancel": "cancelled", "params": "paused"},
    "completed": {},
    "failed": {},
    "cancelled": {},
}  # fmt: skip


def run_after(bodies: list[e.Body]) -> Run:
    """The run of a log."""
    run = fold(
        None,
        e.Event("r1", 1, "2026-01-31T09:00:00.000Z", e.RunQueued(number=1, kind="k", name="n", epoch="e")),
    )
    for body in bodies:
        run = told(run, body)
    return run


def told(run: Run, body: e.Body) -> Run:
    """The run after one more event."""
    return fold(run, e.Event(run.id, run.head + 1, "2026-01-31T09:00:01.000Z", body))


@pytest.mark.parametrize("name", HISTORIES)
def test_exactly_what_the_table_names_is_admitted(name: str) -> None:
    run = run_after(HISTORIES[name])

    admitted = {}
    for said, body in BODIES.items():
        try:
            after = told(run, body)
        except InvalidTransition:
            continue
        admitted[said] = str(after.pending or after.status)

    assert admitted == TABLE[name]


def test_a_script_that_made_its_run_may_be_stopped_by_hand() -> None:
    run = replace(run_after([p.STARTED]), attached=True)

    assert told(run, p.CANCELLED).status == "cancelled"


def test_every_row_of_the_code_is_met_here() -> None:
    said = {body.type for body in BODIES.values()}

    assert {rule.event for rule in RULES} == said - {"item.started"}
