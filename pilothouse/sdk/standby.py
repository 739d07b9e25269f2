"""Stand by while something outside of this Python goes on, and have it obey the run's controls.

A command has no safepoint. It is held where it stands and goes on from there;
it cannot give its memory back and be taken up again, so a pause that asks for
that is answered as a hold. Work that obeys by itself is left alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from pilothouse.sdk.signals import Fenced

if TYPE_CHECKING:
    from pilothouse.sdk.handle import RunHandle
    from pilothouse.sdk.state import State

SETTLE_SECONDS = 10.0
LOOK_SECONDS = 1.0


class Work(Protocol):
    """What goes on outside."""

    @property
    def has_ended(self) -> bool:
        """True once it is over."""

    @property
    def obeys_itself(self) -> bool:
        """True while it follows the run's controls by itself."""

    def hold(self) -> bool:
        """Stop it where it stands; False when it has ended meanwhile."""

    def go_on(self) -> None:
        """Let it go on."""


class Standby:
    """The thread that runs the job waits here. `wake` and `moved` may be called from any thread.

    Args:
        run: The job's handle.
        sign_seconds: How often a sign of life is told, at most.
    """

    def __init__(self, run: RunHandle, sign_seconds: float) -> None:
        self._link = run._link
        self._safepoint = run._safepoint
        self._sign_seconds = sign_seconds
        self._tell_again_at = time.monotonic() + sign_seconds

    def wake(self) -> None:
        """Look again whether the work is over."""
        self._link.notify()

    def moved(self) -> None:
        """The work gives a sign of life, such as a line. Told now and then, so that it does not count as stuck."""
        now = time.monotonic()
        if now >= self._tell_again_at:
            self._tell_again_at = now + self._sign_seconds
            self._link.put("progress", {})

    def catch_up(self) -> None:
        """Wait until the server has what earlier attempts left behind: what starts now may ask for it."""
        self._link.catch_up()

    def wait(self, work: Work) -> None:
        """Return when the work is over.

        Raises:
            Cancelled, Fenced, CutOff: Why it must not go on.
        """
        while not work.has_ended:
            seen = self._link.state
            if not self._link.asked:
                self._link.wait_until(lambda: work.has_ended or self._link.asked)
            elif work.obeys_itself:
                self._leave_it_alone(work, seen)
            else:
                self._safepoint.check_end()
                self._hold(work)

    def settle(self) -> None:
        """Obey what came while the work was ending: a job that is paused cannot complete.

        Raises:
            Cancelled, Released, Fenced, CutOff: Why the job has to leave.
        """
        if self._link.state.status == "paused":
            self._safepoint.obey()

    def settle_cancel(self) -> None:
        """The work obeyed a cancel that this process may not have heard yet: wait, and obey it.

        Raises:
            Cancelled, Fenced, CutOff: Why the job has to leave.
        """
        link = self._link
        link.wait_until(
            lambda: link.state.pending == "cancel" or link.is_fenced or link.is_cut_off, SETTLE_SECONDS
        )
        self._safepoint.check_end()

    def _leave_it_alone(self, work: Work, seen: State) -> None:
        """Wait for its end or other news. Whoever no longer owns the run ends it all the same."""
        if self._link.is_fenced or seen.is_left:
            raise Fenced
        self._wait_for_news(work, seen, LOOK_SECONDS)

    def _hold(self, work: Work) -> None:
        """Hold the work while a pause is in force."""
        if not work.hold():
            return
        if self._link.state.status == "running":
            self._link.ask("run.paused", {"strength": "hold"}, patient=True)
        while (seen := self._link.state).status == "paused" or seen.pending:
            self._safepoint.check_end()
            if work.has_ended:
                return
            self._wait_for_news(work, seen)
        self._safepoint.check_end()
        work.go_on()

    def _wait_for_news(self, work: Work, seen: State, seconds: float | None = None) -> None:
        """Wait until the work is over, or the state is another than `seen`."""
        link = self._link
        link.wait_until(
            lambda: work.has_ended or link.state is not seen or link.is_fenced or link.is_cut_off, seconds
        )
