"""E-mail and webhook: what goes over the wire, and what is said when it is not taken."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pilothouse.engine.notification import Letter, Undelivered
from pilothouse.notifiers.smtp import Smtp
from pilothouse.notifiers.webhook import Webhook, signature
from tests.notifiers.mail_server import MailServer, mail_server

pytestmark = pytest.mark.anyio
LETTER = Letter("größe completed", "Items: 3 of 3 done\n\nhttp://lab/runs/1", {"type": "run.completed"})


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def smtp(server: MailServer, url: str | None = None, password: str = "secret") -> Smtp:
    return Smtp(url or server.url, password, "pilot@lab.example", ("ann@lab.example", "ben@lab.example"))


@pytest.mark.rows("S1.92")
async def test_an_e_mail_goes_to_everybody_and_the_user_signs_in(server: MailServer) -> None:
    server.password = "secret"

    await smtp(server).send(LETTER, "run_1")

    letter = server.letters[-1]
    assert "To: ann@lab.example, ben@lab.example" in letter
    assert "Message-ID: <run_1@pilothouse>" in letter
    assert "Items: 3 of 3 done" in letter
    assert "rcpt TO:<ben@lab.example>" in server.said


async def test_a_rejected_password_says_what_to_set_and_never_the_password(server: MailServer) -> None:
    server.password = "another"

    with pytest.raises(Undelivered, match="rejected the user or the password") as caught:
        await smtp(server).send(LETTER, "run_1")

    assert "PILOTHOUSE_SMTP_PASSWORD" in (caught.value.hint or "")
    assert "secret" not in f"{caught.value} {caught.value.hint}"


async def test_a_mail_server_that_refuses_or_is_away_is_named(server: MailServer) -> None:
    server.password, server.refuses = "secret", True
    with pytest.raises(Undelivered, match=r"127\.0\.0\.1:\d+ did not take the letter"):
        await smtp(server).send(LETTER, "run_1")
    server.refuses = False
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(Undelivered, match="refused"):
        await smtp(server, url).send(LETTER, "run_1")


async def test_no_password_goes_to_another_machine_without_tls(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.notifiers.smtp._LOOPBACK", frozenset())
    server.said.clear()

    with pytest.raises(Undelivered, match="no TLS"):
        await smtp(server).send(LETTER, "run_1")

    assert not any(line.startswith("AUTH") for line in server.said)


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(10_000_000 if self.server.is_endless else 0))
        self.end_headers()
        if self.server.is_endless:
            self.rfile.read(1)  # until the other side has had enough

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hook() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Hook)
    server.posted, server.status, server.is_endless = [], 200, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address(hook: Any) -> str:
    return f"http://127.0.0.1:{hook.server_port}/in/secret-path"


@pytest.mark.rows("S1.92")
async def test_a_webhook_gets_json_that_is_signed(hook: Any) -> None:
    await Webhook(address(hook), "key").send(LETTER, "run_1")

    path, headers, body = hook.posted[-1]
    assert (path, json.loads(body)) == ("/in/secret-path", {"type": "run.completed"})
    assert headers["X-Pilothouse-Signature"] == f"sha256={signature('key', body)}"
    assert headers["Idempotency-Key"] == "run_1"


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_what_a_webhook_does_not_take_is_said_without_its_address(hook: Any, status: int) -> None:
    hook.status = status

    with pytest.raises(Undelivered) as caught:
        await Webhook(address(hook)).send(LETTER, "run_1")

    assert str(caught.value) == f"127.0.0.1 answered HTTP {status}"
    assert hook.posted[-1][0] == "/in/secret-path"
    hook.status = 200


async def test_a_webhook_that_never_ends_its_answer_holds_nobody_up(
    hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "is_endless", True)

    await Webhook(address(hook)).send(LETTER, "run_2")

    assert hook.posted[-1][1]["Idempotency-Key"] == "run_2"


def test_a_signature_is_the_hmac_of_rfc_4231() -> None:
    assert signature("Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
