"""What the routes share: one per server, reached through the app's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from pilothouse.contracts import Store
from pilothouse.engine.engine import Engine
from pilothouse.engine.files import Files
from pilothouse.engine.fleet import Fleet
from pilothouse.engine.history import History
from pilothouse.engine.notifier import Notifier
from pilothouse.engine.scheduler import Scheduler
from pilothouse.engine.tail import Tails
from pilothouse.engine.watchdog import Watchdog
from pilothouse.model.run import Run
from pilothouse.sdk.kind import Kind
from pilothouse.settings import Settings
from pilothouse.web.access import Access


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a server.

    Attributes:
        files: The files of runs.
    """

    settings: Settings
    engine: Engine
    tails: Tails
    fleet: Fleet
    scheduler: Scheduler
    watchdog: Watchdog
    history: History
    access: Access
    kinds: Mapping[str, Kind]
    notifier: Notifier
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        """Have one `Files`, since it keeps who waits for whom."""
        object.__setattr__(self, "files", Files(self.engine, self.settings.folder / "runs"))

    @property
    def store(self) -> Store:
        """The store."""
        return self.engine.store

    def folder(self, run_id: str) -> Path:
        """Where the files of a run are."""
        return self.settings.folder / "runs" / run_id


def context_of(request: Request) -> Context:
    """The server's context."""
    context: Context = request.app.state.context
    return context


def actor_of(request: Request) -> str:
    """Who asks."""
    actor: str = request.state.actor
    return actor


Ctx = Annotated[Context, Depends(context_of)]
Actor = Annotated[str, Depends(actor_of)]


async def run_of(run: str, context: Ctx) -> Run:
    """The run that a path names, by id, unique beginning, number, name or `@last`."""
    return await context.store.resolve(run)


TheRun = Annotated[Run, Depends(run_of)]
