"""One run of the link server: its log in memory, folded by the real fold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.clock import now
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Run


@dataclass
class Log:
    """One run, its events and what is derived from them."""

    run: Run
    events: list[e.Event] = field(default_factory=list)
    finished: dict[str, e.ItemFinished] = field(default_factory=dict)
    saved_state: dict[str, Any] | None = None
    stored: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    sample_seconds: float = 0.0

    def append(self, body: e.Body) -> None:
        event = e.Event(self.run.id, self.run.head + 1, now(), body)
        self.run = fold(self.run, event)
        self.events.append(event)
        match body:
            case e.ItemFinished():
                self.finished[body.key] = body
            case e.StateSaved():
                self.saved_state = body.state
            case e.RunStarted():
                self.ended |= {f"{body.attempt - 1}/{name}": n for name, n in self.stored.items()}
                self.stored = {}

    def state(self) -> dict[str, Any]:
        request = self.run.request
        strength = request.strength if request else self.run.strength
        return {
            "status": self.run.status,
            "pending": self.run.pending,
            "strength": strength,
            "live": self.live,
            "head": self.run.head,
        }

    def assignment(self) -> dict[str, Any]:
        started = dict.fromkeys(
            event.body.key for event in self.events if isinstance(event.body, e.ItemStarted)
        )
        return {
            "run": self.run.snapshot(),
            "finished": list(self.finished),
            "in_flight": [key for key in started if key not in self.finished],
            "saved_state": self.saved_state,
            "acked": self.ended | {f"{self.run.attempt}/{name}": n for name, n in self.stored.items()},
            "sample_seconds": self.sample_seconds,
            "root": self.run.retry_of or self.run.id,
        }

    def items(self, limit: int, before: int | None) -> dict[str, Any]:
        done = [event for event in self.events if isinstance(event.body, e.ItemFinished)]
        newest = [event for event in reversed(done) if before is None or event.seq < before]
        page = newest[:limit]
        items = [
            {
                "key": event.body.key,
                "state": "done" if event.body.ok else "failed",
                "seconds": event.body.seconds,
                "error": event.body.error,
                "data": event.body.data,
            }
            for event in page
            if isinstance(event.body, e.ItemFinished)
        ]
        return {
            "items": items,
            "total": len(done),
            "head": self.run.head,
            "before": page[-1].seq if len(newest) > limit else None,
        }
