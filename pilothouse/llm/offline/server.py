"""The offline model behind an OpenAI-compatible API, on this machine only.

`GET /health`, `GET /metrics`, `GET /v1/models`, `POST /v1/chat/completions` with and
without `stream`. Token counts are the model's own; errors have OpenAI's shape.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pilothouse.llm.offline.chat import Reply, reply
from pilothouse.llm.offline.meter import Meter
from pilothouse.llm.offline.model import offline_model
from pilothouse.llm.offline.ngram import ORDER
from pilothouse.llm.offline.request import BadRequest, read_body

MODEL_ID = "offline"
FINGERPRINT = "pilothouse-offline"
_LARGEST_BODY = 4 * 1024 * 1024


class OfflineServer(ThreadingHTTPServer):
    """Serves the offline model.

    Args:
        port: 0 takes a free one.
        ms_per_token: Time that each token of an answer takes, so that a watcher can follow;
            0 answers as fast as the model computes.
        order: Of the model, 1 to 3: a lower one computes less for each token.
        max_batch: Answers at work side by side; further requests wait. None: any number.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, port: int = 0, ms_per_token: float = 0.0, *, order: int = ORDER, max_batch: int | None = None
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.seconds_per_token = ms_per_token / 1000
        self.model = offline_model(order)
        self.meter = Meter()
        self.room: contextlib.AbstractContextManager[Any] = (
            threading.Semaphore(max_batch) if max_batch else contextlib.nullcontext()
        )

    @property
    def base_url(self) -> str:
        """What to give an OpenAI client."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: OfflineServer
    _came = 0.0

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def parse_request(self) -> bool:
        """The first line was read; the rest of the head follows."""
        self._came = time.perf_counter()
        return super().parse_request()

    def do_GET(self) -> None:
        """Health and the list of models."""
        match self.path.partition("?")[0].rstrip("/"):
            case "/health":
                self._answer(200, {"status": "ok", "model": MODEL_ID})
            case "/metrics":
                self._send(200, "text/plain; version=0.0.4", self.server.meter.text().encode())
            case "/v1/models":
                self._answer(200, {"object": "list", "data": [_card()]})
            case "/v1/models/offline":
                self._answer(200, _card())
            case path:
                self._refuse(BadRequest(f"There is no {path} here.", status=404, code="not_found"))

    def do_POST(self) -> None:
        """A chat completion."""
        told = self.headers.get("Content-Length") or "0"
        if not (told.isdecimal() and len(told) < 20):
            self.close_connection = True
            self._refuse(BadRequest("Content-Length: must be a number of bytes."))
            return
        length = int(told)
        if length > _LARGEST_BODY:
            self.close_connection = True
            self._refuse(BadRequest("The request is larger than 4 MB.", status=413, code="too_large"))
            return
        body = self.rfile.read(length)
        if self.path.partition("?")[0].rstrip("/") != "/v1/chat/completions":
            self._refuse(BadRequest(f"There is no {self.path} here.", status=404, code="not_found"))
            return
        try:
            asked = read_body(body, MODEL_ID)
        except BadRequest as error:
            self._refuse(error)
            return
        with self.server.meter.request(self._came) as request, self.server.room:
            try:
                answer = reply(self.server.model, asked.wanted)
            except (TypeError, ValueError, AttributeError, RecursionError):
                text = "response_format: is no schema that can be answered."
                self._refuse(BadRequest(text, param="response_format"))
                return
            if asked.stream:
                self._stream(answer, request.first_token)
            else:
                time.sleep(self.server.seconds_per_token * len(answer.pieces))
                request.first_token()
                self._answer(200, _completion(answer))
            request.tokens = len(answer.pieces)

    def _stream(self, answer: Reply, first_token: Callable[[], None]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for data in _chunks(answer):
            if data["choices"] and data["choices"][0]["delta"].get("content"):
                time.sleep(self.server.seconds_per_token)
                first_token()
            self._send_chunk(f"data: {json.dumps(data)}\n\n".encode())
        self._send_chunk(b"data: [DONE]\n\n")
        self._send_chunk(b"")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _answer(self, status: int, content: Any) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, error: BadRequest) -> None:
        self._answer(error.status, {"error": error.body()})


def _card() -> dict[str, Any]:
    return {"id": MODEL_ID, "object": "model", "created": 0, "owned_by": "pilothouse"}


def _base(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex[:24]}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL_ID,
        "system_fingerprint": FINGERPRINT,
    }


def _usage(answer: Reply) -> dict[str, int]:
    tokens_out = len(answer.pieces)
    return {
        "prompt_tokens": answer.tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": answer.tokens_in + tokens_out,
    }


def _completion(answer: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {**_base("chat.completion"), "choices": [choice], "usage": _usage(answer)}


def _chunks(answer: Reply) -> Iterator[dict[str, Any]]:
    """The role, a chunk for each token, the end, and the usage."""
    base = _base("chat.completion.chunk")

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in answer.pieces:
        yield chunk({"content": piece})
    yield chunk({}, answer.finish_reason)
    yield {**base, "choices": [], "usage": _usage(answer)}
