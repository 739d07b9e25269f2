"""The built UI: hashed files for ever, the page itself never from a cache, text with gzip.

Every path that is neither API nor file is the page: its router does the rest.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Match, Mount
from starlette.types import Receive, Scope, Send

from pilothouse.web.guard import is_api
from pilothouse.web.gzip import pack, takes_gzip

FOLDER = Path(__file__).parent / "static"
CONTENT_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_PAGE_HEADERS = {"cache-control": "no-cache", "content-security-policy": CONTENT_POLICY}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_TEXTS = (".js", ".css", ".svg", ".html", ".json", ".webmanifest")
BEST = 9
_MISSING = """<!doctype html><title>Pilothouse</title><h1>The web UI is not built</h1>
<p>Run <code>make ui</code>, then reload. The API and the command line work without it.</p>"""


class UiMount(Mount):
    """Everything but the API: there an unknown path is an error, never the page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is a path to look at."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or is_api(scope["path"]):
            return Match.NONE, {}
        return super().matches(scope)


class StaticUi:
    """Serves the folder that the UI's build writes."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder.resolve()
        self._packed: dict[tuple[str, int], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file, or the page."""
        response = self._response(scope["path"])
        if isinstance(response, FileResponse) and takes_gzip(scope) and "range" not in Headers(scope=scope):
            response = await self._small(response)
        await response(scope, receive, send)

    async def _small(self, response: FileResponse) -> Response:
        """The same with gzip, where it is a text; each file is packed once."""
        file = Path(response.path)
        if file.suffix not in _TEXTS:
            return response
        body = await asyncio.to_thread(self._pack, file)
        headers = {name: text for name, text in response.headers.items() if name in _PAGE_HEADERS}
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        return Response(body, headers=headers, media_type=response.media_type)

    def _pack(self, file: Path) -> bytes:
        place = (str(file), file.stat().st_mtime_ns)
        if place not in self._packed:
            self._packed[place] = pack(file.read_bytes(), BEST)
        return self._packed[place]

    def _response(self, path: str) -> Response:
        file = self._file(path)
        if file is not None:
            headers = _FOREVER if "assets" in file.parts else _PAGE_HEADERS
            return FileResponse(file, headers=headers)
        index = self._folder / "index.html"
        if not index.is_file():
            return HTMLResponse(_MISSING, 503, headers=_PAGE_HEADERS)
        name = path.rpartition("/")[2]
        if "." in name and name != index.name:
            return Response("No such file.", 404, media_type="text/plain")
        return FileResponse(index, headers=_PAGE_HEADERS, media_type="text/html")

    def _file(self, path: str) -> Path | None:
        """The file that a path names, None when it is none of ours."""
        try:
            file = (self._folder / path.lstrip("/")).resolve()
            is_ours = file.is_relative_to(self._folder) and file.is_file() and file.name != "index.html"
        except (OSError, ValueError):  # too long, or with a zero byte
            return None
        return file if is_ours else None
