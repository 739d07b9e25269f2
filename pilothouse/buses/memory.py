"""A bus for one server: a ring is a call.

Enough wherever one process serves everybody, which SQLite means anyway.
"""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.buses.listeners import Listeners


class MemoryBus:
    """The bus contract within one process."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self._is_open = False

    async def open(self) -> None:
        """From now on rings are heard."""
        self._is_open = True

    async def close(self) -> None:
        """No ring comes after it."""
        self._is_open = False

    async def ring(self, run_id: str) -> None:
        """Call every listener."""
        if self._is_open:
            self._listeners.call(run_id)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)` at every ring, until the returned function is called."""
        return self._listeners.add(listener)
