"""Where a batch pauses by itself: its money, its time, or a reason of its own."""

from __future__ import annotations

import time

from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.generation.stopwatch import Stopwatch
from pilothouse.kinds.generation.tally import Tally
from pilothouse.kinds.spending import dollars
from pilothouse.sdk.handle import RunHandle

SAVE_SECONDS = 10.0


class Limits:
    """The limits of one attempt, read from the live params.

    Attributes:
        stopwatch: Runs while a sample is in hand.
    """

    def __init__(self, run: RunHandle, params: Params, tally: Tally) -> None:
        self.stopwatch = Stopwatch()
        self._run = run
        self._tally = tally
        self._reused_cost = 0.0
        self._saved_at = 0.0
        self._asked: tuple[str, str] | None = None

    @property
    def seconds(self) -> float:
        """Seconds of work, those of earlier attempts included."""
        return self.stopwatch.seconds

    def begin(self) -> None:
        """Go on where the last attempt has saved; what a retry reuses is not paid again."""
        if self._run.saved_state is None:
            self._reused_cost = self._tally.spent
            self._save()
        state = self._run.saved_state or {}
        self._reused_cost = float(state.get("reused_cost", 0.0))
        self.stopwatch = Stopwatch(float(state.get("seconds", 0.0)))
        self._saved_at = time.monotonic()

    def save(self) -> None:
        """Keep the seconds, now and then: a crash forgets ten of them at most."""
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self._save()

    def ask_pause(self, rule: str, text: str) -> None:
        """Pause before the next sample."""
        self._asked = (rule, text)

    def keep(self, progress: str) -> None:
        """Pause for as long as a limit is reached; call it in the loop that begins samples.

        Args:
            progress: How far the run is, in words.

        Raises:
            Cancelled: The run was cancelled meanwhile.
        """
        if self._asked is not None:
            (rule, text), self._asked = self._asked, None
            self._pause(rule, text, None)
        while True:
            budget, most = self._run.params.get("budget"), self._run.params.get("time_limit_seconds")
            if budget is not None and self._tally.spent - self._reused_cost >= budget:
                limit = f"Paused at your limit of {dollars(budget)} ({progress})."
                self._pause("budget", f"{limit} Raise the budget and resume, or cancel.", budget)
            elif most is not None and self.seconds >= most:
                limit = f"Paused at your limit of {most:g} s of work ({progress})."
                self._pause("time", f"{limit} Raise the time limit and resume, or cancel.", most)
            else:
                return

    def _pause(self, rule: str, text: str, value: float | None) -> None:
        self._save()
        self._run.pause(rule, text, value)

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        self._run.save_state({"reused_cost": self._reused_cost, "seconds": round(self.seconds, 3)})
