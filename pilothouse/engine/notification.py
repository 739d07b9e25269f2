"""What somebody elsewhere is told when a run ends, and what the log says of that. Pure.

Each try is claimed in the log before it is made: the first claim of a round is the one that
counts, so several servers send one letter. A server that dies between its claim and its word
about the outcome leaves a round without one; that round is over after a while and the next begins.
Then a letter may come twice, and never not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import from_json

from pilothouse import clock
from pilothouse.contracts import Frame
from pilothouse.model.run import Run, Status

CLAIM_SECONDS = 120.0
WAITS = (60.0, 300.0, 900.0, 3_600.0, 4 * 3_600.0, 12 * 3_600.0)
MOST_NUMBERS = 12
Numbers = Sequence[tuple[str, str]]
_WORDS = {
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "was cancelled",
}


class Undelivered(Exception):
    """A letter was not taken: `message` says why, `hint` what to set. Written to the log, and answered by no call."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told: a line, the whole for people, and the whole for programs."""

    subject: str
    text: str
    data: dict[str, Any]


class Channel(Protocol):
    """A way to tell somebody elsewhere."""

    @property
    def name(self) -> str:
        """Such as `e-mail`; one of each name."""

    @property
    def address(self) -> str:
        """Whom it tells, in words that hold no secret."""

    async def send(self, letter: Letter, key: str) -> None:
        """Send a letter; gives up within half a minute.

        Args:
            letter: What to send.
            key: The same whenever the same letter is sent again, so that the other side can drop it.

        Raises:
            Undelivered: It was not taken.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a letter stands.

    Attributes:
        is_over: It was sent, or given up.
        round: The try that is next, from 1.
        due_seconds: Until it may be made; 0 or less: now.
        claimed_by: Who claimed the latest round first.
    """

    is_over: bool = False
    round: int = 1
    due_seconds: float = 0.0
    claimed_by: str | None = None


def standing(frames: Sequence[Frame], channel: str, now: str) -> Standing:
    """Where the letter of a channel stands.

    Args:
        frames: The `run.notified` events of the log, in order.
        channel: Its name.
        now: The time, as events tell it.
    """
    claims: dict[int, tuple[str, str]] = {}
    failures: dict[int, str] = {}
    for frame in frames:
        event = from_json(frame.data)
        data = event["data"]
        if data["channel"] != channel:
            continue
        match data["state"]:
            case "sent":
                return Standing(is_over=True)
            case "sending":
                claims.setdefault(data["round"], (data["by"], event["time"]))
            case "failed":
                failures.setdefault(data["round"], event["time"])
    if not claims:
        return Standing()
    last = max(claims)
    by, since = claims[last]
    wait = CLAIM_SECONDS
    if last in failures:
        if last > len(WAITS):
            return Standing(is_over=True, round=last, claimed_by=by)
        since, wait = failures[last], WAITS[last - 1]
    return Standing(False, last + 1, wait - clock.seconds_between(since, now), by)


def is_last(round_: int) -> bool:
    """Whether no other try follows this one when it fails."""
    return round_ > len(WAITS)


def compose(run: Run, link: str, numbers: Numbers) -> Letter:
    """How a run ended: its result, its numbers, its cause, and where to look.

    Args:
        run: A run that has ended.
        link: Address of its page.
        numbers: Its metrics as people read them, with their labels.
    """
    head = f"{run.name} {_WORDS[run.status]}"
    if run.started_at and run.ended_at:
        head += f" after {_duration(clock.seconds_between(run.started_at, run.ended_at))}"
    progress = run.progress
    of = f" of {progress.total:,}" if progress.total is not None else ""
    failed = f", {progress.failed:,} in error" if progress.failed else ""
    lines = [f"{head}.", ""]
    if run.failure:
        lines += [run.failure.message, *([run.failure.hint] if run.failure.hint else []), ""]
    if run.ended_by:
        lines += [f"Cancelled by {run.ended_by}" + (f": {run.reason}" if run.reason else "."), ""]
    lines += [f"Done: {progress.done:,}{of}{failed}"]
    lines += [f"{label}: {number}" for label, number in numbers[:MOST_NUMBERS]]
    lines += ["", link]
    subject = " ".join(head.split())[:200]
    data = {"type": f"run.{run.status.value}", "text": "\n".join([subject, link]), "link": link}
    return Letter(subject, "\n".join(lines), data | {"run": run.header()})


def trial(link: str) -> Letter:
    """A letter that only shows that letters come."""
    subject = "Pilothouse can reach you"
    text = f"This is a test. When a long run ends, you are told here.\n\n{link}"
    return Letter(subject, text, {"type": "test", "text": text, "link": link})


def _duration(seconds: float) -> str:
    """12 s · 2m 34s · 1h 05m."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
