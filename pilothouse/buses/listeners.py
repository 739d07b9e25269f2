"""Who hears a bus. One listener that fails harms neither the ringer nor the others."""

from __future__ import annotations

import logging
from collections.abc import Callable

Listener = Callable[[str], None]

_log = logging.getLogger(__name__)


class Listeners:
    """The subscriptions of one bus."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}

    def add(self, listener: Listener) -> Callable[[], None]:
        """Subscribe; the returned function ends it and may be called twice."""
        token = object()
        self._listeners[token] = listener

        def remove() -> None:
            self._listeners.pop(token, None)

        return remove

    def call(self, run_id: str) -> None:
        """Tell everybody that a run has news, or with `*` that rings may be lost."""
        for listener in list(self._listeners.values()):
            try:
                listener(run_id)
            except Exception:
                _log.exception("a listener of the bus failed")
