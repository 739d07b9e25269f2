"""Serves the streams of single runs itself, right behind the gate; everything else is the app's.

A watcher stays for hours, and every middleware in front of it is a frame, a
closure and a detour per write that stay as long. `Streams` is no coroutine
either: it hands on the one that serves.
"""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from pilothouse.web.context import Context
from pilothouse.web.gzip import Gzip
from pilothouse.web.live import RunEvents, RunSocket

_RUNS = "/api/runs/"


class Streams:
    """The app, with a short cut for watchers.

    Attributes:
        routes: The app's own; the short cut takes none away.
    """

    def __init__(self, app: FastAPI, context: Context) -> None:
        self.routes = app.routes
        self._app = Gzip(app)
        self._events = RunEvents(context)
        self._socket = RunSocket(context)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """What serves the client, to be awaited."""
        return self._choose(scope)(scope, receive, send)

    def _choose(self, scope: Scope) -> ASGIApp:
        path = scope.get("path", "")
        serve: ASGIApp = self._app
        if not path.startswith(_RUNS):
            return serve
        run, _, what = path.removeprefix(_RUNS).partition("/")
        if scope["type"] == "websocket" and what == "ws":
            serve = self._socket
        elif scope["type"] == "http" and what == "events" and _wants_stream(scope):
            serve = self._events
        if serve is not self._app:
            scope["path_params"] = {"run": run}
        return serve


def _wants_stream(scope: Scope) -> bool:
    return scope["method"] == "GET" and any(
        name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"]
    )
