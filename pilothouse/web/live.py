"""The streams as plain ASGI callables: no request object, no response object, no copies.

Their description in the OpenAPI document is written by hand, below.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from pilothouse.engine.control import Wish
from pilothouse.errors import Invalid, NotFound, PilothouseError, Unavailable
from pilothouse.model.run import Control
from pilothouse.transports.browser import (
    BrowserStream,
    parse_watch,
    serve_browser_sse,
    serve_browser_websocket,
)
from pilothouse.transports.place import Place
from pilothouse.transports.poll import poll
from pilothouse.transports.sse import serve_sse
from pilothouse.transports.websocket import serve_websocket
from pilothouse.web.context import Context
from pilothouse.web.controls import answer_of
from pilothouse.web.guard import refuse
from pilothouse.web.gzip import takes_gzip
from pilothouse.web.link import ControlWire

MAX_EVENTS = 5_000
MAX_WAIT = 25.0
MAX_REASON = 123  # bytes, by RFC 6455
NOT_FOUND_CLOSE = 4404
INVALID_CLOSE = 4422
UNAVAILABLE_CLOSE = 4503


class RunEvents:
    """`GET /api/runs/{run}/events`: a stream for who accepts one, else a poll."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        try:
            if "text/event-stream" in Headers(scope=scope).get("accept", ""):
                await self._stream(scope, receive, send)
            else:
                await self._poll(scope, receive, send)
        except PilothouseError as error:
            await refuse(scope, receive, send, error)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        last = Headers(scope=scope).get("last-event-id")
        place = Place.parse(last or QueryParams(scope["query_string"]).get("after"))
        run_id = (await self._context.store.resolve(scope["path_params"]["run"])).id
        scope["headers"].clear()  # they would stay as long as the watcher
        await serve_sse(self._context.tails, run_id, place, receive, send)

    async def _poll(self, scope: Scope, receive: Receive, send: Send) -> None:
        context, query = self._context, QueryParams(scope["query_string"])
        run = await context.store.resolve(scope["path_params"]["run"])
        body = await poll(
            context.store,
            context.engine.doorbell,
            run.id,
            Place.parse(query.get("after")),
            limit=int(_number(query, "limit", 1000, MAX_EVENTS)),
            types=tuple(filter(None, query.get("types", "").split(","))),
            newest=query.get("newest") in ("1", "true"),
            wait=_number(query, "wait", 0, MAX_WAIT),
        )
        await Response(body, media_type="application/json")(scope, receive, send)


class RunSocket:
    """`WS /api/runs/{run}/ws`: the same frames; `{"control": "pause"}` comes upstream."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        context = self._context
        await _accept(receive, send)
        try:
            run_id = (await context.store.resolve(scope["path_params"]["run"])).id
            place = Place.parse(QueryParams(scope["query_string"]).get("after"))
            scope["headers"].clear()  # they would stay as long as the watcher
            actor = scope["state"]["actor"]

            async def upstream(asked: dict[str, Any]) -> dict[str, Any]:
                return await _control(context, run_id, actor, asked)

            await serve_websocket(context.tails, run_id, place, receive, send, upstream)
        except PilothouseError as error:
            await close(send, error)


async def _accept(receive: Receive, send: Send) -> None:
    """Open a WebSocket before anything is looked at: of one that never opened, a client learns no close code."""
    await receive()
    await send({"type": "websocket.accept"})


async def close(send: Send, error: PilothouseError) -> None:
    """Say by its close code why a WebSocket leads nowhere."""
    match error:
        case NotFound():
            code = NOT_FOUND_CLOSE
        case Unavailable():
            code = UNAVAILABLE_CLOSE
        case _:
            code = INVALID_CLOSE
    reason = error.message.encode()[:MAX_REASON].decode(errors="ignore")
    with suppress(OSError, RuntimeError):  # the client has left
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _control(context: Context, run_id: str, actor: str, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        control = Control(str(asked.get("control")))
    except ValueError:
        message = f"control: {asked.get('control')!r} is not pause, resume or cancel"
        return {"error": Invalid(message, field="control").body()}
    try:
        wish = Wish(control, actor, force=bool(asked.get("force")))
        return answer_of(await context.engine.control(run_id, wish))
    except PilothouseError as error:
        return {"error": error.body()}


class Browser:
    """`GET /api/stream` and `WS /api/ws`: the browser's one stream."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser."""
        context = self._context
        query = QueryParams(scope["query_string"])
        if scope["type"] == "http":
            stream = BrowserStream(context.tails, context.fleet, parse_watch(query.get("watch")))
            await serve_browser_sse(stream, receive, send, is_packed=takes_gzip(scope))
            return
        await _accept(receive, send)
        try:
            watched = parse_watch(query.get("watch"))
        except PilothouseError as error:
            await close(send, error)
            return
        await serve_browser_websocket(BrowserStream(context.tails, context.fleet, watched), receive, send)


def _number(query: QueryParams, name: str, default: float, most: float) -> float:
    """A number between 0 and `most` from the query.

    Raises:
        Invalid: Anything else.
    """
    text = query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise Invalid(f"{name}: must be a number from 0 to {most:g}", field=name)
    return value


class StreamRoute(Route):
    """A route for GET alone: a HEAD of a stream would never come to an end."""

    def __init__(self, path: str, endpoint: Any) -> None:
        super().__init__(path, endpoint)
        self.methods = {"GET"}


def live_routes(context: Context) -> list[BaseRoute]:
    """The routes of all streams."""
    browser = Browser(context)
    return [
        StreamRoute("/api/runs/{run}/events", RunEvents(context)),
        StreamRoute("/api/runs/{run_id}/controls", ControlWire(context)),
        StreamRoute("/api/stream", browser),
        WebSocketRoute("/api/runs/{run}/ws", RunSocket(context)),
        WebSocketRoute("/api/ws", browser),
    ]


def described_path(summary: str, parameters: dict[str, str], stream: str) -> dict[str, Any]:
    """A stream's route as the OpenAPI document has it; `parameters` are named with their descriptions."""
    listed = [
        {
            "name": name,
            "in": "path" if name.startswith("run") else "query",
            "required": name.startswith("run"),
            "schema": {"type": "string"},
            "description": text,
        }
        for name, text in parameters.items()
    ]
    content = {"text/event-stream": {"schema": {"type": "string", "description": stream}}}
    answers = {"200": {"description": stream, "content": content}, "404": {"description": "No such run."}}
    return {"get": {"summary": summary, "tags": ["live"], "parameters": listed, "responses": answers}}


OPENAPI_PATHS: dict[str, Any] = {
    "/api/runs/{run}/events": described_path(
        "Follow or poll a run",
        {
            "run": "Id, unique beginning, number, name or @last.",
            "after": "Place in the log: a seq, or <epoch>-<seq>.",
            "limit": "Polling: at most so many events (5,000, and 2 MB).",
            "types": "Polling: only these, separated by commas.",
            "newest": "Polling: 1 takes the last events instead of the first.",
            "wait": "Polling: seconds to wait while there is nothing (25).",
        },
        "Frames, with `Accept: text/event-stream`; else one JSON answer, with `gap` or `reset` where there is one.",
    ),
    "/api/runs/{run_id}/controls": described_path(
        "The job's control wire", {"run_id": "Id.", "attempt": "The attempt."}, "Control states."
    ),
    "/api/stream": described_path(
        "The browser's stream", {"watch": "id:after,id:after"}, "Run headers, and events of the watched runs."
    ),
}
