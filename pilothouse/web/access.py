"""Who may come in: token, cookie, one-time code, Host and Origin.

One secret per data folder, in `<data>/token` (0600). A cookie is the time of its
issue, the name of a session, and the HMAC of both under that secret: signed-in browsers
survive a restart, and what is stored is only which sessions were signed out. Codes are
single use, 60 seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from pilothouse.web.revocations import Revocations

CODE_SECONDS = 60.0
SESSION_SECONDS = 30 * 86_400.0
MAX_CODES = 100
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def read_or_make_token(folder: Path) -> str:
    """The secret of a data folder, made at first use; folder 0700, file 0600.

    An empty file counts as none: a full disk or a power cut may leave one, and an
    empty secret would let everybody in. Whoever calls holds the folder's lock.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "token"
    token = path.read_text().strip() if path.exists() else ""
    return token or _make_token(path)


def _make_token(path: Path) -> str:
    token, part = secrets.token_hex(32), path.with_name(f".token-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return token


class Access:
    """Decides about one request at a time.

    Attributes:
        session_seconds: How long a cookie is good for, from its issue.
        revocations: The sessions that were signed out before.
    """

    def __init__(
        self,
        token: str,
        port: int,
        allowed_hosts: Iterable[str] = (),
        *,
        is_open: bool = False,
        session_seconds: float = SESSION_SECONDS,
        revocations: Revocations | None = None,
    ) -> None:
        self.is_open = is_open
        self.session_seconds = session_seconds
        self.revocations = revocations or Revocations()
        self.cookie = f"pilothouse_{port}"
        self._token = token.encode()
        self._hosts = {*_LOOPBACK, *(host.lower() for host in allowed_hosts)}
        self._codes: dict[str, float] = {}

    def allows_host(self, host: str) -> bool:
        """Whether the Host header names this server: the defence against DNS rebinding."""
        name = host.lower()
        bracket = name.rfind("]")
        colon = name.rfind(":")
        return (name[:colon] if colon > bracket else name) in self._hosts

    def allows_origin(self, origin: str, scheme: str, host: str) -> bool:
        """Whether a request comes from our own pages: scheme, host and port are the same."""
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        return hmac.compare_digest(origin.lower().encode(), f"{scheme}://{host}".lower().encode())

    def knows_token(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(token.encode(), self._token)

    def new_code(self) -> str:
        """A code that signs one browser in, once, within a minute."""
        now = time.monotonic()
        self._codes = {code: end for code, end in self._codes.items() if end > now}
        while len(self._codes) >= MAX_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(24)
        self._codes[code] = now + CODE_SECONDS
        return code

    def takes_code(self, code: str) -> bool:
        """Use a code up."""
        end = self._codes.pop(code, None)
        return end is not None and end > time.monotonic()

    def new_cookie(self) -> str:
        """The value of a fresh cookie."""
        words = f"{time.time():.0f}.{secrets.token_hex(16)}"
        return f"{words}.{self._sign(words)}"

    def session_in(self, header: str) -> str | None:
        """The session that a Cookie header holds for this port; None where it holds none that is good.

        It is taken apart by hand: cookies know no ports, so other programs of this host set
        theirs beside ours, and a strict reader gives all of them up at the first odd one.
        """
        cookies = (part.strip().partition("=") for part in header.split(";"))
        sessions = (self._session_of(value) for name, _, value in cookies if name == self.cookie)
        return next(filter(None, sessions), None)

    def _session_of(self, cookie: str) -> str | None:
        words, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(words).encode()):
            return None
        issued, _, session = words.partition(".")
        is_old = time.time() - float(issued) >= self.session_seconds
        return None if is_old or self.revocations.holds(session) else session

    def _sign(self, words: str) -> str:
        return hmac.new(self._token, b"session:" + words.encode(), hashlib.sha256).hexdigest()
