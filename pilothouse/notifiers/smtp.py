"""E-mail through a mail server, with the standard library.

It talks in a thread of its own that nobody waits for at the end: a mail server
that hangs holds up neither a run nor the server's stop.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote, urlsplit

from pilothouse.engine.notification import Letter, Undelivered

SECONDS = 10.0
_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Smtp:
    """Sends a letter as an e-mail.

    Args:
        url: `smtp://user@host:587`, or `smtps://` where the connection begins with TLS. Over
            `smtp` TLS is taken up where the server offers it; without it no password is sent,
            but to this machine.
        password: Of the user; None: nobody signs in.
        sender: The address that it comes from.
        to: The addresses that it goes to.
        trust: Whom TLS trusts; by default whom this machine trusts.
    """

    name = "e-mail"

    def __init__(
        self,
        url: str,
        password: str | None,
        sender: str,
        to: tuple[str, ...],
        trust: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = password
        self._sender = sender
        self._to = to
        self._trust = trust

    @property
    def address(self) -> str:
        """The addresses."""
        return ", ".join(self._to)

    async def send(self, letter: Letter, key: str) -> None:
        """See `Channel`. Its message id is made of the key, so programs that sort mail know it again."""
        mail = EmailMessage()
        mail["Subject"] = letter.subject
        mail["From"] = self._sender
        mail["To"] = self.address
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{key}@pilothouse>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        await _in_thread(lambda: self._send(mail))

    def _send(self, mail: EmailMessage) -> None:
        at = f"the mail server {self._host}:{self._port}"
        try:
            with self._connect() as server:
                self._sign_in(server)
                refused = server.send_message(mail)
        except smtplib.SMTPAuthenticationError:
            hint = "Set PILOTHOUSE_SMTP and PILOTHOUSE_SMTP_PASSWORD anew."
            raise Undelivered(f"{at} rejected the user or the password", hint=hint) from None
        except (smtplib.SMTPException, OSError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise Undelivered(f"{at} did not take the letter: {said}"[:500]) from None
        if refused:
            raise Undelivered(f"{at} refused {', '.join(refused)}")

    def _connect(self) -> smtplib.SMTP:
        trust = self._trust or ssl.create_default_context()
        if self._is_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=trust)
        server = smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=trust)
            elif self._user and self._host not in _LOOPBACK:
                raise Undelivered(
                    f"the mail server {self._host}:{self._port} offers no TLS, so no password was sent",
                    hint="Use smtps://, or a mail server that offers STARTTLS.",
                )
        except BaseException:
            server.close()
            raise
        return server

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._user:
            server.login(self._user, self._password or "")


async def _in_thread(work: Callable[[], None]) -> None:
    """Do it in a thread that the process does not wait for when it ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as caught:
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="pilothouse-mail", daemon=True).start()
    await done
