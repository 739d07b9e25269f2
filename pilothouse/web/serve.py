"""Runs one API server until it is told to stop: `python -m pilothouse.web.serve`.

The listening socket is our own: made with IPPROTO_TCP (else the event loop
does not set TCP_NODELAY and every small answer takes 40 ms), with a small send
buffer (the kernel would hide 4 MB per stalled client) and a deep backlog. The
kernel gives a client up that has confirmed nothing for half a minute; without
that one that vanished would be sent to for a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO

import structlog
import uvicorn
from pydantic import ValidationError

from pilothouse.errors import Conflict, Forbidden, Invalid, PilothouseError, Unavailable
from pilothouse.settings import Settings
from pilothouse.stores.backup import settle_files
from pilothouse.stores.database import file_of
from pilothouse.stores.lock import lock_file
from pilothouse.web.head import BoundedHttp
from pilothouse.web.server import Server
from pilothouse.web.sockets import BoundedSocket
from pilothouse.web.stall import StreamConfig

BACKLOG = 4096
SEND_BUFFER = 128 * 1024
GRACE_SECONDS = 2
LOCK_SECONDS = 5.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class StreamServer(uvicorn.Server):
    """Ends the streams as soon as it is told to stop; uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, server: Server) -> None:
        super().__init__(config)
        self._server = server

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT."""
        self._server.stop_streams()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; who has not read what it was sent by now is cut off, else the loop cannot be closed."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


def listen(address: str, port: int, stall_seconds: float = StreamConfig.stall_seconds) -> socket.socket:
    """The server's socket, listening; what is set on it holds for the connections it accepts.

    Args:
        address: An address of this machine.
        port: 0 takes a free one.
        stall_seconds: How long a client may confirm nothing, nor answer when it has been silent.

    Raises:
        OSError: The address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":  # others ask idle clients after two hours
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_seconds * 1000))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, int(stall_seconds)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, int(stall_seconds / 3)))
    try:
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; streams end within 3 seconds.

    Raises:
        Forbidden: An address other than loopback.
        Conflict: Another server uses the data folder, or another program the port.
        Unavailable: The data folder cannot be written, or the database cannot be opened.
    """
    if settings.address not in LOOPBACK:
        raise Forbidden(
            f"address: {settings.address} can be reached from other machines, and there are no users yet",
            hint="Listen on 127.0.0.1 and use an SSH tunnel: ssh -L 8420:127.0.0.1:8420 HOST",
        )
    lock = lock_folder(settings.folder)
    try:
        sock = listen(settings.address, settings.port, settings.stall_seconds)
    except OSError as error:
        lock.close()
        hint = "Choose another port with --port or PILOTHOUSE_PORT; 0 takes a free one."
        raise Conflict(f"port: {settings.port} cannot be had: {error.strerror}", hint=hint) from None
    settings = settings.model_copy(update={"port": sock.getsockname()[1]})
    server = Server(settings)
    with lock:
        _finish_restore(settings)
        _run(server, sock)


def _finish_restore(settings: Settings) -> None:
    """Put the files of a restore that was cut off where its database is already."""
    database = file_of(settings.database_url)
    if database is not None:
        settle_files(settings.folder / "runs", database)


def _run(server: Server, sock: socket.socket) -> None:
    """Serve; what kept the server from starting is raised, without uvicorn's words about it."""
    logging.getLogger("uvicorn.error").addFilter(lambda _: server.failure is None)
    try:
        StreamServer(uvicorn_config(server), server).run(sockets=[sock])
    except SystemExit:
        if server.failure is None:
            raise
    if server.failure is not None:
        raise server.failure


def uvicorn_config(server: Server) -> StreamConfig:
    """How uvicorn runs a server."""
    config = StreamConfig(
        server.app,
        loop="uvloop",
        http=BoundedHttp,
        ws=BoundedSocket,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=65,
        server_header=False,
        proxy_headers=False,
    )
    config.stall_seconds = server.settings.stall_seconds
    return config


def lock_folder(folder: Path, patience_seconds: float = LOCK_SECONDS) -> IO[str]:
    """The data folder's lock, held until it is closed: one server writes to a folder.

    A server that is restarted waits a little for the one before it.

    Raises:
        Conflict: Another server holds it.
        Unavailable: The folder cannot be written, or knows no locks.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = lock_file(folder / "server.lock", patience_seconds)
    except OSError as error:
        hint = "Let the server's user write there, or choose another folder with --data."
        raise Unavailable(f"the data folder {folder} cannot be written: {error}", hint=hint) from error
    if file is None:
        hint = "Use it, or choose another folder with --data."
        raise Conflict(f"another server uses the data folder {folder}", hint=hint)
    return file


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        Invalid: What is wrong, a line for each variable; no value is shown.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            ": ".join([*(f"PILOTHOUSE_{part}".upper() for part in each["loc"][:1]), _plain(each["msg"])])
            for each in error.errors()
        ]
        raise Invalid("\n".join(lines), field="settings") from None


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def quiet_logs() -> None:
    """Operators' log on stderr, from `info` on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # the other one prints local variables
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _end_with_parent() -> None:
    """End when standard input closes: whoever started this server is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), 15)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve as the settings say; `--watch-stdin` ends with whoever holds the other end."""
    quiet_logs()
    if "--watch-stdin" in sys.argv:
        _end_with_parent()
    try:
        serve(read_settings())
    except PilothouseError as error:
        sys.exit("\n".join(filter(None, [error.message, error.hint])))


if __name__ == "__main__":
    main()
