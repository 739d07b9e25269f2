"""Who may come in: token, cookie, one-time code, Host and Origin.

One secret per data folder, in `<data>/token` (0600). A cookie is a nonce and
its HMAC under that secret, so that signed-in browsers survive a restart and
nothing is stored. Codes are the only state: single use, 60 seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

CODE_SECONDS = 60.0
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
    """Decides about one request at a time; holds nothing but the secret and the open codes."""

    def __init__(
        self, token: str, port: int, allowed_hosts: Iterable[str] = (), *, is_open: bool = False
    ) -> None:
        self.is_open = is_open
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
        nonce = secrets.token_hex(16)
        return f"{nonce}.{self._sign(nonce)}"

    def knows_cookie(self, header: str) -> bool:
        """Whether a Cookie header holds a cookie of ours for this port.

        It is taken apart by hand: cookies know no ports, so other programs of this host set
        theirs beside ours, and a strict reader gives all of them up at the first odd one.
        """
        cookies = (part.strip().partition("=") for part in header.split(";"))
        return any(name == self.cookie and self._is_signed(value) for name, _, value in cookies)

    def _is_signed(self, cookie: str) -> bool:
        nonce, _, signature = cookie.partition(".")
        return bool(signature) and hmac.compare_digest(signature.encode(), self._sign(nonce).encode())

    def _sign(self, nonce: str) -> str:
        return hmac.new(self._token, b"cookie:" + nonce.encode(), hashlib.sha256).hexdigest()
