"""Where a run may be paused or cancelled.

Only the thread that runs the job waits here. A worker thread has an item in
hand, which is finished first; it is unwound by a cancel and by nothing less.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pilothouse import failpoint
from pilothouse.sdk.signals import Cancelled, CutOff, Fenced, Released

if TYPE_CHECKING:
    from pilothouse.sdk.link import Link
    from pilothouse.sdk.state import State

HEAR_SECONDS = 2.0


class Safepoint:
    """Obeys what the server asks, and counts the items in hand of worker threads."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._home = threading.get_ident()
        self._lock = threading.Lock()
        self._in_hand = 0

    @property
    def is_home(self) -> bool:
        """True in the thread that runs the job."""
        return threading.get_ident() == self._home

    def take_up(self) -> None:
        """A worker thread gets an item."""
        with self._lock:
            self._in_hand += 1

    def put_down(self) -> None:
        """A worker thread has reported its item."""
        with self._lock:
            self._in_hand -= 1
        if not self._in_hand:
            self._link.notify()

    def check(self) -> None:
        """Leave, if that is what is asked; a pause alone does nothing.

        Raises:
            Cancelled, Released, Fenced, CutOff: Why the job has to leave.
        """
        self.check_end()
        state = self._link.state
        if state.status == "paused" and state.strength == "release" and state.pending is None:
            raise Released

    def check_end(self) -> None:
        """Leave, if the attempt must end; a pause does nothing, whatever its strength.

        Raises:
            Cancelled, Fenced, CutOff: Why the job has to leave.
        """
        link, state = self._link, self._link.state
        if link.is_fenced or state.is_left:
            raise Fenced
        if state.pending == "cancel":
            raise Cancelled
        if link.is_cut_off:
            raise CutOff

    def obey(self) -> None:
        """Do what is asked. Returns when the job may go on.

        Raises:
            Cancelled, Released, Fenced, CutOff: Why the job has to leave.
        """
        self.check()
        while self.is_home and self._link.asked:
            seen = self._link.state
            if seen.pending == "pause" and self._in_hand:
                self._wait_for_news(seen, or_idle=True)
            elif seen.pending == "pause":  # also while it is held, and is to be released
                self._acknowledge(seen.strength or "hold")
            elif seen.status == "paused":
                failpoint.reach("sdk.hold")
                self._wait_for_news(seen)
            self.check()

    def pause(self, actor: str) -> None:
        """Pause without being asked, once no worker thread has an item in hand; returns when resumed.

        Raises:
            RuntimeError: Called from a worker thread, which has an item in hand itself.
            Cancelled, Released, Fenced, CutOff: Why the job has to leave.
        """
        if not self.is_home:
            raise RuntimeError("only the thread that runs the job can pause it")
        self.drain()
        link = self._link
        link.ask("run.paused", {"strength": "hold", "actor": actor, "unasked": True}, patient=True)
        link.wait_until(lambda: link.asked, HEAR_SECONDS)  # it may be resumed before this is heard
        self.obey()

    def drain(self) -> None:
        """Wait until no worker thread has an item in hand.

        Raises:
            Cancelled, Released, Fenced, CutOff: Why the job cannot wait for that.
        """
        while self._in_hand:
            self._wait_for_news(self._link.state, or_idle=True)
            self.check()

    def _acknowledge(self, strength: str) -> None:
        """Say that no item is in hand. A withdrawn pause refuses this, and the job goes on."""
        failpoint.reach("sdk.pause.before")
        is_paused = self._link.ask("run.paused", {"strength": strength}, patient=True)
        failpoint.reach("sdk.pause.after")
        if is_paused and strength == "release":
            raise Released

    def _wait_for_news(self, seen: State, *, or_idle: bool = False) -> None:
        """Wait until the state is another than `seen`, or no item is in hand."""
        link = self._link
        link.wait_until(
            lambda: (
                (or_idle and not self._in_hand) or link.state is not seen or link.is_fenced or link.is_cut_off
            )
        )
