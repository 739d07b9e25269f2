"""The one gate in front of every route, HTTP and WebSocket alike: closed unless opened by name.

Order: Host, then what is open to all, then who asks, then Origin, then the
body. It is plain ASGI because Starlette's own middleware base class is not run
for WebSockets.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress

from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilothouse.errors import Forbidden, Invalid, PilothouseError, TooLarge, Unauthorised, Unavailable
from pilothouse.web.access import Access

OPEN_ROUTES = frozenset({("GET", "/api/health"), ("HEAD", "/api/health"), ("POST", "/api/sign-in")})
API_PREFIXES = ("/api", "/tuning", "/v1", "/ws", "/metrics")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_BODY = 2 * 1024 * 1024
SIGNED_OUT_CLOSE = 4401

_UPLOAD = re.compile(r"/api/runs/[^/]+/artifacts/.")

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


def is_api(path: str) -> bool:
    """Whether a path belongs to the API; everything else is the static UI."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in API_PREFIXES)


def is_upload(path: str) -> bool:
    """Whether a path takes a file of any length, and no JSON."""
    return _UPLOAD.match(path) is not None


class Guard:
    """Deny by default."""

    def __init__(self, app: ASGIApp, access: Access, actor: str) -> None:
        self._app = app
        self._access = access
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {}).update(actor=self._actor, request_id=request_id)
        if scope["type"] == "http":
            send, receive = _with_headers(send, request_id), _Capped(scope, receive)
        try:
            session = self._check(scope)
        except PilothouseError as error:
            await refuse(scope, receive, send, error)
            return
        if session is None or scope.get("method") in UNSAFE:
            await self._app(scope, receive, send)
        else:
            await self._serve(session, scope, receive, send)

    async def _serve(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what a session reads, to its end or to that of the session."""
        revocations = self._access.revocations
        try:
            with revocations.opened(session):
                await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not revocations.holds(session):
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            await _end(scope, receive, send)

    def _check(self, scope: Scope) -> str | None:
        """Whether a request may come in; returns the session whose cookie let it."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._access.allows_host(host):
            message = f"This server does not answer to the host {host[:80]!r}."
            raise Forbidden(message, hint="Add it to allowed_hosts.")
        method, path = scope.get("method", "GET"), scope["path"]
        websocket = scope["type"] == "websocket"
        unsafe = websocket or method in UNSAFE
        origin = headers.get("origin")
        if (
            unsafe
            and origin is not None
            and not self._access.allows_origin(origin, _scheme(scope, headers), host)
        ):
            raise Forbidden(
                "The request comes from another site.", hint="Open the page of this server itself."
            )
        is_public = (method, path) in OPEN_ROUTES or not (is_api(path) or unsafe)
        session: str | None = None
        if websocket or not is_public:
            session = self._authenticate(headers, unsafe=unsafe, origin=origin)
        if method in UNSAFE:
            _check_body(headers, path)
        scope["state"]["session"] = session
        return session

    def _authenticate(self, headers: Headers, *, unsafe: bool, origin: str | None) -> str | None:
        if self._access.is_open:
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._access.knows_token(token.strip()):
            return None
        if (session := self._access.session_in(headers.get("cookie", ""))) is not None:
            if unsafe and origin is None:
                raise Forbidden("A cookie alone does not steer: the request names no origin.")
            return session
        raise Unauthorised(
            "Not signed in.", hint="Send the token, or open `pilothouse open` to sign a browser in."
        )


def _scheme(scope: Scope, headers: Headers) -> str:
    """The scheme that the browser used: a proxy on this machine says it, where it ends TLS."""
    client = scope.get("client")
    forwarded = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    is_local = client is not None and client[0] in ("127.0.0.1", "::1")
    return forwarded if is_local and forwarded in ("http", "https") else str(scope["scheme"])


def _check_body(headers: Headers, path: str) -> None:
    """Unsafe calls speak JSON (a cross-site form cannot) and are of bounded length; uploads are raw."""
    raw = is_upload(path)
    length = headers.get("content-length")
    if length is not None and not raw and length.isdigit() and int(length) > MAX_BODY:
        raise TooLarge(f"The body has {length} bytes.", hint=f"At most {MAX_BODY}.")
    has_body = (length not in (None, "0")) or "transfer-encoding" in headers
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and not raw and content_type != "application/json":
        raise Invalid("content-type: must be application/json", field="content-type")


class _Capped:
    """Counts the body as it streams in, for those who do not say its length.

    It raises the framework's own exception: any other becomes "cannot be parsed" there.
    """

    __slots__ = ("_left", "_receive")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._left: float = float("inf") if is_upload(scope["path"]) else MAX_BODY

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise HTTPException(TooLarge.http_status, f"The body is above {MAX_BODY} bytes.")
        return message


def _with_headers(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            named = {name.lower() for name, _ in own}
            message["headers"] = [
                *own,
                *(header for header in SECURITY_HEADERS if header[0] not in named),
                (b"x-request-id", request_id.encode()),
            ]
        await send(message)

    return sending


async def refuse(scope: Scope, receive: Receive, send: Send, error: PilothouseError) -> None:
    """Answer an error outside the API's own handlers, by HTTP also where a WebSocket was to open."""
    response = error_response(error, scope["state"]["request_id"])
    if isinstance(error, TooLarge):
        response.headers["connection"] = "close"
    await response(scope, receive, send)


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """End what a session that was signed out had open, whatever it was sent already."""
    with suppress(OSError, RuntimeError):  # it has left, or its answer is whole
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": SIGNED_OUT_CLOSE, "reason": "Signed out."})
            return
        try:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except RuntimeError:  # it was sent nothing yet
            await refuse(scope, receive, send, Unauthorised("Signed out.", hint="Sign in again."))


def error_response(error: PilothouseError, request_id: str) -> Response:
    """An error as the API answers it."""
    body = {"error": error.body() | {"request_id": request_id}}
    headers = {"retry-after": "1"} if isinstance(error, Unavailable) else None
    return Response(to_json(body, inf_nan_mode="strings"), error.http_status, headers, "application/json")
