"""A small real server for the job's link: the protocol over a socket, the log in memory.

Runs are folded by the real fold, so what it admits and refuses is what a store
admits and refuses. It can go away and come back, answer 503, store a batch and
lose the answer, and refuse single events.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from pilothouse.clock import now
from pilothouse.errors import Invalid, InvalidTransition, LeaseLost, NotFound, PilothouseError, Unauthorised
from pilothouse.model import event as e
from pilothouse.model.fold import fold
from pilothouse.model.run import Control, Strength
from tests.sdk.link_log import Log


class LinkServer:
    """The server's side of the link. All of it may be used from the test's thread.

    Attributes:
        batches: `(client_seq, number of events)` of every batch that came, heartbeats left out.
        outages: Status codes to answer the next requests for events with; 0 stores the
            batch and closes the connection without an answer.
        is_bad: Events that are answered with 422.
        left: How many ends were known whenever a host said that it leaves.
        dumps: Runs whose stack the next claim asks for.
        overdue, stacks: What hosts told.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.logs: dict[str, Log] = {}
        self.batches: list[tuple[int, int]] = []
        self.heartbeats = 0
        self.outages: list[int] = []
        self.is_bad: Callable[[e.Body], bool] = lambda body: False
        self.orders: list[dict[str, Any]] = []
        self.stops: list[dict[str, Any]] = []
        self.claims: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []
        self.left: list[int] = []
        self.dumps: list[str] = []
        self.overdue: list[dict[str, Any]] = []
        self.stacks: list[dict[str, Any]] = []
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    # Up and down

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.link = self
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away: the port is closed, and so is every connection."""
        if self._server is None or self._thread is None:
            return
        server, self._server = self._server, None
        server.is_stopping = True
        server.shutdown()
        server.hang_up()
        self._wake()
        server.server_close()
        self._thread.join()

    # A run

    def add_run(self, run_id: str = "run_1", **params: Any) -> Log:
        queued = e.RunQueued(number=1, kind="script", name="test", params=params, epoch="0000abcd")
        event = e.Event(run_id, 1, now(), queued)
        log = Log(fold(None, event), [event])
        log.append(e.RunStarted(attempt=1))
        self.logs[run_id] = log
        return log

    @property
    def log(self) -> Log:
        return self.logs["run_1"]

    def append(self, body: e.Body, run_id: str = "run_1") -> None:
        with self.changed:
            self.logs[run_id].append(body)
            self.changed.notify_all()

    def pause(self, run_id: str = "run_1", strength: Strength = Strength.HOLD) -> None:
        self.append(e.ControlRequested(control=Control.PAUSE, actor="ann", strength=strength), run_id)

    def cancel(self, run_id: str = "run_1") -> None:
        self.append(e.ControlRequested(control=Control.CANCEL, actor="ann"), run_id)

    def resume(self, run_id: str = "run_1") -> None:
        body = (
            e.RunResumed(actor="ann")
            if self.logs[run_id].run.status == "paused"
            else e.ControlWithdrawn(actor="ann")
        )
        self.append(body, run_id)

    def next_attempt(self, run_id: str = "run_1") -> None:
        self.append(e.RunInterrupted(reason="test"), run_id)
        self.append(e.RunStarted(attempt=self.logs[run_id].run.attempt + 1), run_id)

    def next_attempt_of_queued(self, run_id: str = "run_1") -> None:
        self.append(e.RunStarted(attempt=self.logs[run_id].run.attempt + 1), run_id)

    def set_live(self, run_id: str = "run_1", **values: Any) -> None:
        with self.changed:
            self.logs[run_id].live = values
            self.changed.notify_all()

    # Looking

    def wait_for(self, is_true: Callable[[], object], seconds: float = 30.0) -> None:
        """Wait for a condition over what the server holds."""
        with self.changed:
            if not self.changed.wait_for(lambda: bool(is_true()), seconds):
                kinds = [body.type for log in self.logs.values() for body in _bodies(log)]
                raise TimeoutError(f"waited {seconds} s in vain; the logs hold {kinds[-40:]}")

    def bodies(self, type_: str, run_id: str = "run_1") -> list[Any]:
        return [body for body in _bodies(self.logs[run_id]) if body.type == type_]

    def keys(self, type_: str, run_id: str = "run_1") -> list[str]:
        return [body.key for body in self.bodies(type_, run_id)]

    def status(self, run_id: str = "run_1") -> str:
        return self.logs[run_id].run.status

    # Requests

    def owned(self, run_id: str, attempt: int) -> Log:
        log = self.logs.get(run_id)
        if log is None:
            raise NotFound(f"no run {run_id}")
        if log.run.attempt != attempt or log.run.status.is_terminal:
            raise LeaseLost("another attempt owns the run, or it has ended")
        return log

    def take(self, run_id: str, batch: dict[str, Any]) -> dict[str, Any]:
        """Store a batch as the real server does: known numbers are skipped, the inadmissible refused."""
        log = self.owned(run_id, batch["attempt"])
        bodies = [e.parse_body(event["type"], event["data"]) for event in batch["events"]]
        for event, body in zip(batch["events"], bodies, strict=True):
            if self.is_bad(body) or len(json.dumps(event["data"], ensure_ascii=False).encode()) > 65_536:
                raise Invalid(f"bad event {body.type}", field="data")
        refused: dict[str, str] = {}
        writer = batch.get("writer", "job")
        for number, body in enumerate(bodies, batch["client_seq"]):
            if number <= log.stored.get(writer, 0):
                continue
            log.stored[writer] = number
            if isinstance(body, e.ItemFinished) and body.key in log.finished:
                refused[str(number)] = "finished already"
                continue
            try:
                log.append(body)
            except InvalidTransition as error:
                refused[str(number)] = str(error)
        if bodies:
            self.batches.append((batch["client_seq"], len(bodies)))
        else:
            self.heartbeats += 1
        return {"acked": log.stored.get(writer, 0), "refused": refused, **log.state()}

    def claim(self, body: dict[str, Any]) -> dict[str, Any]:
        self.claims.append(body)
        self.changed.notify_all()
        running = {run["run_id"] for run in body["running"]}
        self.changed.wait_for(
            lambda: (
                (self.orders and body["slots"])
                or any(stop["run_id"] in running for stop in self.stops)
                or self.dumps
                or self._server is None
            ),
            min(body["wait"], 5.0),
        )
        orders = [self.orders.pop(0) for _ in range(min(body["slots"], len(self.orders)))]
        stops = [stop for stop in self.stops if stop["run_id"] in running]
        self.stops = [stop for stop in self.stops if stop not in stops]
        dumps, self.dumps = self.dumps, []
        return {"orders": orders, "stop": stops, "dump": dumps}

    def _wake(self) -> None:
        with self.changed:
            self.changed.notify_all()


def _bodies(log: Log) -> Iterator[e.Body]:
    return (event.body for event in log.events)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128
    link: LinkServer
    is_stopping = False

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""

    def hang_up(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _HangUp(Exception):
    """Close the connection without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server
    routes: ClassVar[list[tuple[str, str, str]]] = [
        ("GET", r"/api/runs/([^/]+)/assignment", "assignment"),
        ("POST", r"/api/runs/([^/]+)/events", "events"),
        ("GET", r"/api/runs/([^/]+)/controls", "controls"),
        ("GET", r"/api/runs/([^/]+)/items", "items"),
        ("GET", r"/api/runs/([^/]+)/metrics", "metrics"),
        ("GET", r"/api/runs/([^/]+)", "run"),
        ("POST", r"/api/runs/([^/]+)/artifacts/(.+)", "artifact"),
        ("POST", r"/api/hosts/([^/]+)/claim", "claim"),
        ("POST", r"/api/hosts/([^/]+)/leave", "leave"),
        ("POST", r"/api/hosts/([^/]+)/(ended|overdue|stack)", "told"),
    ]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.headers["Authorization"] != "Bearer secret":
                raise Unauthorised("another token")
            for verb, pattern, name in self.routes:
                if verb == method and (match := re.fullmatch(pattern, url.path)):
                    answer = getattr(self, f"_{name}")(*match.groups())
                    break
            else:
                raise NotFound(self.path)
        except PilothouseError as error:
            self._answer(error.http_status, {"error": error.body()})
        except _HangUp:
            self.close_connection = True
        else:
            if answer is not None:
                self._answer(200, answer)

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _locked(self, do: Callable[[], Any]) -> Any:
        link = self.server.link
        with link.changed:
            if self.server.is_stopping:
                raise _HangUp
            try:
                return do()
            finally:
                link.changed.notify_all()

    def _assignment(self, run_id: str) -> Any:
        log = self.server.link.owned(run_id, int(self.query["attempt"]))
        return log.assignment()

    def _run(self, run_id: str) -> Any:
        return self.server.link.logs[run_id].run.snapshot()

    def _events(self, run_id: str) -> Any:
        link, batch = self.server.link, json.loads(self.body, parse_constant=_no_constant)
        outage = self._locked(lambda: link.outages.pop(0) if link.outages and batch["events"] else None)
        if outage:
            self._answer(outage, {"error": {"code": "unavailable", "message": "not now"}})
            return None
        answer = self._locked(lambda: link.take(run_id, batch))
        if outage == 0:
            raise _HangUp
        return answer

    def _items(self, run_id: str) -> Any:
        before = self.query.get("before")
        return self.server.link.logs[run_id].items(int(self.query["limit"]), int(before) if before else None)

    def _metrics(self, run_id: str) -> Any:
        series: dict[str, list[Any]] = {}
        for body in self.server.link.bodies("metric", run_id):
            for name in body.values.keys() & set(self.query["names"].split(",")):
                series.setdefault(name, []).append([body.step, body.values[name]])
        return {"series": series}

    def _artifact(self, run_id: str, name: str) -> Any:
        self.server.link.owned(run_id, int(self.query["attempt"])).files[unquote(name)] = self.body
        return {
            "name": unquote(name),
            "bytes": len(self.body),
            "sha256": hashlib.sha256(self.body).hexdigest(),
        }

    def _claim(self, host: str) -> Any:
        return self._locked(lambda: self.server.link.claim(json.loads(self.body)))

    def _leave(self, host: str) -> Any:
        self._locked(lambda: self.server.link.left.append(len(self.server.link.ended)))
        return {}

    def _told(self, host: str, what: str) -> Any:
        link = self.server.link
        told = {"ended": link.ended, "overdue": link.overdue, "stack": link.stacks}[what]
        self._locked(lambda: told.append(json.loads(self.body)))
        return {}

    def _controls(self, run_id: str) -> Any:
        link, attempt = self.server.link, int(self.query["attempt"])
        link.owned(run_id, attempt)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        told = None
        while not self.server.is_stopping:
            with link.changed:
                link.changed.wait_for(lambda seen=told: self._news(run_id) != seen, 1.0)  # type: ignore[misc]
                news = self._news(run_id)
            self.wfile.write(b": hb\n\n" if news == told else f"data: {news}\n\n".encode())
            self.wfile.flush()
            told = news
            log = link.logs[run_id]
            if log.run.status.is_terminal or log.run.attempt != attempt:
                return

    def _news(self, run_id: str) -> str:
        return "stop" if self.server.is_stopping else json.dumps(self.server.link.logs[run_id].state())


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
