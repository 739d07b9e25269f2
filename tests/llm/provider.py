"""A small real chat endpoint that answers as it is told: 429, 401, nonsense, silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """One answer of the endpoint; `hangs` keeps the client waiting until the endpoint stops."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False


def good(text: str = "*VOTE: REAL", usage: bool = True) -> Said:
    body: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
    }
    if usage:
        body["usage"] = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return Said(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def bad(status: int, message: str = "no", **headers: str) -> Said:
    body = json.dumps({"error": {"message": message, "type": "x", "code": None, "param": None}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, body, {"Content-Type": "application/json", **named})


class Provider(ThreadingHTTPServer):
    """Says `script` answer by answer, and the last one for ever; `says` outranks it for a request that it answers.

    `before` is called with each request before it is answered.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *script: Said, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.idempotency_keys: list[str | None] = []
        self.before: Callable[[dict[str, Any]], object] = lambda sent: None
        self.says: Callable[[dict[str, Any]], Said | None] = lambda sent: None
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def next(self) -> Said:
        with self.lock:
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def stop(self) -> None:
        self.is_over.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    log_message: Callable[..., None] = lambda *_: None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = json.loads(body)
        self.server.requests.append(sent)
        self.server.keys.append(self.headers.get("Authorization"))
        self.server.idempotency_keys.append(self.headers.get("Idempotency-Key"))
        self.server.before(sent)
        said = self.server.says(sent) or self.server.next()
        if said.hangs:
            self.server.is_over.wait(30)
            return
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)
