"""The failpoint matrix: at which point which program dies, and what a run goes through meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos import scenarios as s


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the matrix.

    Attributes:
        dies: The program: serve, host or child.
        scenario: What a run goes through.
        turn: At which pass it dies.
        is_quick: Whether it is one of the few of the short form.
        more: Further variables of the stack.
    """

    dies: str
    scenario: s.Scenario
    turn: int = 1
    is_quick: bool = False
    more: dict[str, str] = field(default_factory=dict)


SHORT_LEASE = {"PILOTHOUSE_LEASE_SECONDS": "6"}
BOTH_KINDS = {"PILOTHOUSE_KINDS": "tests.jobs.counting:KIND,tests.jobs.hostile:KIND"}

POINTS = {
    "engine.append.after": Point("serve", s.plain, 12),
    "engine.append.before": Point("serve", s.plain, 12),
    "engine.claim.after": Point("serve", s.plain),
    "engine.claim.before": Point("serve", s.plain),
    "engine.control.after": Point("serve", s.cancelling, is_quick=True),
    "engine.control.before": Point("serve", s.cancelling),
    "engine.create.after": Point("serve", s.plain),
    "engine.create.before": Point("serve", s.plain),
    "engine.ended.before": Point("serve", s.dying),
    "engine.lose.after": Point("serve", s.stalling, more=SHORT_LEASE),
    "engine.lose.before": Point("serve", s.dying),
    "engine.renew.after": Point("serve", s.plain),
    "store.commit.after": Point("serve", s.plain, 25),
    "store.commit.before": Point("serve", s.plain, 25),
    "store.flush.before": Point("serve", s.pausing, 30),
    "store.migrate": Point("serve", s.plain),
    "web.control.answer": Point("serve", s.pausing),
    "web.ended.answer": Point("serve", s.dying),
    "web.shutdown": Point("serve", s.stopping),
    "host.ladder": Point("host", s.refusing, more=BOTH_KINDS),
    "host.order.received": Point("host", s.plain),
    "host.report.after": Point("host", s.dying),
    "host.report.before": Point("host", s.dying),
    "host.start.after": Point("host", s.plain),
    "host.start.before": Point("host", s.plain),
    "child.assigned": Point("child", s.plain),
    "child.entry.before": Point("child", s.plain),
    "child.word.after": Point("child", s.plain),
    "child.word.before": Point("child", s.plain),
    "sdk.batch.answered": Point("child", s.plain, 8),
    "sdk.batch.before": Point("child", s.plain, 8),
    "sdk.handover.after": Point("host", s.leaving),
    "sdk.handover.before": Point("host", s.leaving),
    "sdk.hold": Point("child", s.pausing),
    "sdk.leave.granted": Point("child", s.plain, 7),
    "sdk.pause.after": Point("child", s.releasing),
    "sdk.pause.before": Point("child", s.pausing),
    "sdk.recover.after": Point("child", s.recovering),
    "sdk.recover.before": Point("child", s.recovering),
    "sdk.spool.truncate": Point("child", s.away),
    "sdk.spool.write.after": Point("child", s.away, 12),
    "sdk.spool.write.before": Point("child", s.away, 12),
    "sdk.work.done": Point("child", s.plain, 7, is_quick=True),
}
