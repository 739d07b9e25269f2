"""Puts the parts together: routes, gate, errors, and the life of a server."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from pilothouse import failpoint
from pilothouse.app import build_bus, build_kinds, build_store
from pilothouse.engine.engine import Engine
from pilothouse.engine.fleet import Fleet
from pilothouse.engine.retention import Retention
from pilothouse.engine.scheduler import Scheduler
from pilothouse.engine.tail import Tails
from pilothouse.engine.timer import Timer
from pilothouse.engine.watchdog import Watchdog, words_for
from pilothouse.errors import Invalid, NotFound, PilothouseError, TooLarge, Unavailable
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
    prometheus,
    runs,
    session,
    views,
)
from pilothouse.web.access import Access, read_or_make_token
from pilothouse.web.context import Context
from pilothouse.web.dialects import benchmark
from pilothouse.web.guard import Guard, error_body
from pilothouse.web.live import OPENAPI_PATHS, live_routes
from pilothouse.web.static import StaticUi, UiMount
from pilothouse.web.streams import Streams

REAP_SECONDS = 2.0
LOOK_SECONDS = 1.0
RETAIN_SECONDS = 60.0
_log = structlog.get_logger()


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
        access = Access(token, settings.port, settings.allowed_hosts, is_open=settings.insecure_no_auth)
        fleet = Fleet(store, bus)
        tails = Tails(store, engine.doorbell)
        scheduler = Scheduler(engine, lease_seconds=settings.lease_seconds)
        watchdog = Watchdog(
            engine,
            lambda run: words_for(scheduler.cpu_of(run), scheduler.silence_of(run)),
            scheduler.ask_stack,
            settings.on_stuck,
        )
        self.timer = Timer(engine, settings.release_seconds)
        self.context = Context(settings, engine, tails, fleet, scheduler, watchdog, access, kinds)
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
        app.router.routes.extend([*live_routes(self.context), *benchmark.stream_routes(self.context)])
        for module in (runs, attached, controls, views, export, artifacts, link, hosts, session, prometheus):
            app.include_router(module.router)
        app.include_router(benchmark.router)
        app.router.routes.append(UiMount("/", StaticUi()))
        _describe_streams(app)
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        context = self.context
        try:
            await context.store.open()
        except PilothouseError as error:
            self.failure = error
            raise
        await context.engine.bus.open()
        await context.fleet.open()
        looks = (context.watchdog.look, self.timer.look)
        tasks = [asyncio.create_task(each) for each in (self._reap(), self._beat(), *map(_always, looks))]
        tasks.append(asyncio.create_task(self._retain()))
        try:
            yield
        finally:
            self.stop_streams()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            failpoint.reach("web.shutdown")
            await context.fleet.close()
            await context.engine.bus.close()
            await context.store.close()

    async def _reap(self) -> None:
        """Settle runs whose lease ran out, from one lease after the start: jobs come back first."""
        await asyncio.sleep(self.settings.lease_seconds + REAP_SECONDS)
        while True:
            with contextlib.suppress(Unavailable):
                for run in await self.context.scheduler.reap():
                    _log.warning("run.reaped", run=run.id, status=run.status)
            await asyncio.sleep(REAP_SECONDS)

    async def _retain(self) -> None:
        """Trim what the settings let go; each trim is in the operators' log."""
        settings = self.settings
        retention = Retention(self.context.store, settings.retain_days, settings.retain_events)
        while True:
            with contextlib.suppress(Unavailable):
                for run, first in await retention.look():
                    _log.info("run.trimmed", run=run.id, first=first, head=run.head)
            await asyncio.sleep(RETAIN_SECONDS)

    async def _beat(self) -> None:
        """The one ticker behind every stream's heartbeat."""
        while True:
            await asyncio.sleep(self.settings.heartbeat_seconds)
            for source in (self.context.fleet, *self.context.tails.all):
                source.beat()


async def _always(look: Callable[[], Awaitable[None]]) -> None:
    """Look every second; a store that is away is asked again."""
    while True:
        with contextlib.suppress(Unavailable):
            await look()
        await asyncio.sleep(LOOK_SECONDS)


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
        for path, operations in OPENAPI_PATHS.items():
            document["paths"].setdefault(path, {}).update(operations)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PilothouseError)
    headers = {"retry-after": "1"} if isinstance(error, Unavailable) else None
    body = runs.answer(error_body(error, request.state.request_id), error.http_status)
    body.headers.update(headers or {})
    return body


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
