"""Puts the parts together: routes, gate, errors, and the life of a server."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from pilothouse import clock, failpoint
from pilothouse.app import build_bus, build_channels, build_kinds, build_store
from pilothouse.engine.attach import tell_overdue
from pilothouse.engine.engine import Engine
from pilothouse.engine.fleet import Fleet
from pilothouse.engine.history import History
from pilothouse.engine.notifier import Notifier, Wanted
from pilothouse.engine.retention import DAY_SECONDS, Retention
from pilothouse.engine.scheduler import Scheduler
from pilothouse.engine.tail import Tails
from pilothouse.engine.timer import Timer
from pilothouse.engine.watchdog import Watchdog, words_for
from pilothouse.errors import Invalid, NotFound, PilothouseError, TooLarge, Unavailable
from pilothouse.model.run import Status
from pilothouse.sdk.kind import Kind
from pilothouse.settings import Settings
from pilothouse.version import __version__
from pilothouse.web import (
    artifacts,
    attached,
    controls,
    export,
    hosts,
    link,
    notifications,
    prometheus,
    runs,
    session,
    views,
)
from pilothouse.web.access import Access, read_or_make_token
from pilothouse.web.context import Context
from pilothouse.web.dialects import autotune, benchmark, generation, synthesis, training, training_stream
from pilothouse.web.guard import Guard, error_response
from pilothouse.web.live import OPENAPI_PATHS, live_routes
from pilothouse.web.parts import remove_stale
from pilothouse.web.revocations import Revocations
from pilothouse.web.static import StaticUi, UiMount
from pilothouse.web.streams import Streams

REAP_SECONDS = 2.0
LOOK_SECONDS = 1.0
RETAIN_SECONDS = 60.0
HISTORY_SECONDS = 60.0
REMOVE_SECONDS = 3_600.0
NOTIFY_SECONDS = 2.0
_log = structlog.get_logger()

ROUTES = (
    runs,
    attached,
    controls,
    views,
    export,
    artifacts,
    link,
    hosts,
    session,
    prometheus,
    notifications,
)
DIALECTS = (benchmark, generation, synthesis, autotune, training)
STREAMS = (benchmark, generation, synthesis, autotune, training_stream)


class Server:
    """One server: `app` is what uvicorn runs, `stop_streams` ends every stream before it stops.

    Attributes:
        failure: Why it could not start.
    """

    def __init__(self, settings: Settings, kinds: Mapping[str, Kind] | None = None) -> None:
        self.settings = settings
        self.failure: PilothouseError | None = None
        store, bus = build_store(settings), build_bus(settings)
        kinds = build_kinds(settings) if kinds is None else kinds
        engine = Engine(store, bus, kinds)
        token = read_or_make_token(settings.folder)
        access = Access(
            token,
            settings.port,
            settings.allowed_hosts,
            is_open=settings.insecure_no_auth,
            session_seconds=settings.session_days * DAY_SECONDS,
            revocations=Revocations(settings.folder / "signed-out"),
        )
        fleet = Fleet(store, bus)
        tails = Tails(store, engine.doorbell)
        scheduler = Scheduler(engine, lease_seconds=settings.lease_seconds)
        watchdog = Watchdog(
            engine,
            lambda run: words_for(scheduler.hosts.cpu_of(run), scheduler.hosts.silence_of(run)),
            scheduler.ask_stack,
            settings.on_stuck,
        )
        self.timer = Timer(engine, settings.release_seconds)
        history = History(store, scheduler.hosts)
        wanted = Wanted(frozenset(map(Status, settings.notify_on)), settings.notify_after_seconds)
        page = settings.page or f"http://127.0.0.1:{settings.port}"
        channels = build_channels(settings)
        notifier = Notifier(engine, channels, wanted, page, lambda run: notifications.numbers_of(run, kinds))
        self.context = Context(
            settings, engine, tails, fleet, scheduler, watchdog, history, access, kinds, notifier
        )
        self.app: ASGIApp = Guard(Streams(self._routes(), self.context), access, _user_name())

    def stop_streams(self) -> None:
        """Say goodbye on every stream; new ones end at once. Called when the server is told to stop."""
        self.context.tails.dismiss()
        self.context.fleet.dismiss()
        self.context.engine.doorbell.close()

    def _routes(self) -> FastAPI:
        app = FastAPI(
            title="Pilothouse",
            version=__version__,
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url="/api/openapi.json",
            exception_handlers={
                PilothouseError: _answer_error,
                RequestValidationError: _answer_malformed,
                HTTPException: _answer_http,
                Exception: _answer_bug,
            },
        )
        app.state.context = self.context
        app.router.routes.extend(live_routes(self.context))
        for dialect in STREAMS:
            app.router.routes.extend(dialect.stream_routes(self.context))
        for module in ROUTES:
            app.include_router(module.router)
        for dialect in DIALECTS:
            app.include_router(dialect.router)
        app.router.routes.append(UiMount("/", StaticUi()))
        _describe_streams(app)
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        context = self.context
        try:
            await context.store.open()
            await context.engine.bus.open()
            await context.fleet.open()
        except PilothouseError as error:
            self.failure = error
            await context.store.close()
            raise
        tasks = [asyncio.create_task(each) for each in self._looks()]
        try:
            yield
        finally:
            self.stop_streams()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            failpoint.reach("web.shutdown")
            with contextlib.suppress(Unavailable):
                await context.history.look(is_last=True)
            await context.fleet.close()
            await context.engine.bus.close()
            await context.store.close()

    def _looks(self) -> Iterator[Coroutine[Any, Any, None]]:
        """All that a server does by itself. Lost runs are settled a lease after the start: jobs come back first."""
        settings, context = self.settings, self.context
        retention = Retention(context.store, settings.retain_days, settings.retain_events)
        yield look_always(self._reap, REAP_SECONDS, settings.lease_seconds + REAP_SECONDS)
        yield look_always(lambda: self._retain(retention), RETAIN_SECONDS)
        yield look_always(self._remove_parts, REMOVE_SECONDS)
        if (days := settings.retain_files_days) is not None:
            yield look_always(lambda: self._remove_files(days), REMOVE_SECONDS)
        yield look_always(self._beat, settings.heartbeat_seconds, settings.heartbeat_seconds)
        yield look_always(context.history.look, HISTORY_SECONDS)
        yield look_always(context.watchdog.look, LOOK_SECONDS)
        yield look_always(self.timer.look, LOOK_SECONDS)
        if context.notifier.channels:
            yield look_always(context.notifier.look, NOTIFY_SECONDS)

    async def _reap(self) -> None:
        """Settle runs whose lease ran out, and tell of cancels that nobody can see through."""
        for run in await self.context.scheduler.reap():
            _log.warning("run.reaped", run=run.id, status=run.status)
        await tell_overdue(self.context.engine)

    async def _retain(self, retention: Retention) -> None:
        """Trim what the settings let go; each trim is in the operators' log."""
        for run, first in await retention.look():
            _log.info("run.trimmed", run=run.id, first=first, head=run.head)

    async def _remove_files(self, days: float) -> None:
        """Remove files that have become too old; whose, is in the operators' log."""
        for run in await self.context.files.remove_old(days, clock.now()):
            _log.info("run.files_removed", run=run.id)

    async def _remove_parts(self) -> None:
        """Remove what is left of files whose sending a killed server has not seen to its end."""
        for part in await asyncio.to_thread(remove_stale, self.settings.folder / "runs"):
            _log.info("part.removed", file=str(part))

    async def _beat(self) -> None:
        """The one heartbeat behind every stream's."""
        for source in (self.context.fleet, *self.context.tails.all):
            source.beat()


async def look_always(
    look: Callable[[], Awaitable[None]], seconds: float, first_seconds: float = 0.0
) -> None:
    """Look again and again: a store that is away is asked again, and a bug costs one look and not all later ones."""
    await asyncio.sleep(first_seconds)
    while True:
        try:
            await look()
        except Unavailable:
            pass
        except Exception as error:
            _log.error("bug", look=look, exc_info=error)
        await asyncio.sleep(seconds)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "local"


def _describe_streams(app: FastAPI) -> None:
    """Add the hand-written descriptions of the plain ASGI routes to the OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        for path, operations in (OPENAPI_PATHS | generation.OPENAPI_PATHS).items():
            document["paths"].setdefault(path, {}).update(operations)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PilothouseError)
    return error_response(error, request.state.request_id)


async def _answer_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return await _answer_error(request, Invalid("body: is not valid JSON", field="body"))
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "body"
    return await _answer_error(request, Invalid(f"{field}: {first['msg']}", field=field))


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: PilothouseError
    match error.status_code:
        case NotFound.http_status:
            known = NotFound(f"There is nothing at {request.url.path}.")
        case TooLarge.http_status:
            known = TooLarge(str(error.detail))
        case status:
            known = PilothouseError(str(error.detail))
            known.code = HTTPStatus(status).name.lower()
            known.http_status = status
    return await _answer_error(request, known)


async def _answer_bug(request: Request, error: Exception) -> Response:
    _log.error("bug", path=request.url.path, request_id=request.state.request_id, exc_info=error)
    bug = PilothouseError("Something went wrong in the server.", hint="The server's log has the details.")
    return await _answer_error(request, bug)
