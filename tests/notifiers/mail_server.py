"""A small mail server: it takes letters, and signs in a user when told to."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a client needs.

    Attributes:
        said: Every line of every client, letters left out.
        letters: What it took, as text.
        password: What it signs in with; None takes anybody.
        refuses: Every recipient.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.said: list[str] = []
        self.letters: list[str] = []
        self.password: str | None = None
        self.refuses = False

    @property
    def url(self) -> str:
        """Its address, for a user."""
        return f"smtp://ann@127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        self._answer("220 here")
        while line := self.rfile.readline():
            said = line.decode().strip()
            self.server.said.append(said)
            self._obey(said)

    def _obey(self, said: str) -> None:
        match said.split()[0].upper():
            case "EHLO":
                self._answer("250-here\r\n250 AUTH PLAIN")
            case "AUTH":
                given = base64.b64decode(said.split()[2]).split(b"\0")[2].decode()
                self._answer("235 yes" if given == self.server.password else "535 no")
            case "RCPT":
                self._answer("550 nobody" if self.server.refuses else "250 yes")
            case "DATA":
                self._answer("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.letters.append(b"".join(lines).decode())
                self._answer("250 taken")
            case "QUIT":
                self._answer("221 bye")
            case _:
                self._answer("250 yes")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server until the block ends."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
