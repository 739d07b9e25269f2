"""A POST to an address: JSON with `type`, `text`, `link` and `run`.

Chat programs that take `{"text": …}` show it as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from urllib.parse import urlsplit

import httpx2

from pilothouse.engine.notification import Letter, Undelivered

SECONDS = 10.0


class Webhook:
    """Posts a letter.

    Args:
        url: Where to. It may hold a secret, so it is shown by its host only.
        secret: Signs the body: `X-Pilothouse-Signature: sha256=` and the HMAC in hexadecimal
            digits (RFC 2104). None: not signed.
    """

    name = "webhook"

    def __init__(self, url: str, secret: str | None = None) -> None:
        self._url = url
        self._secret = secret

    @property
    def address(self) -> str:
        """The host."""
        return urlsplit(self._url).hostname or ""

    async def send(self, letter: Letter, key: str) -> None:
        """See `Channel`. A redirect counts as not taken: the body is for the address that was named."""
        body = json.dumps(letter.data, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._secret is not None:
            headers["X-Pilothouse-Signature"] = f"sha256={signature(self._secret, body)}"
        try:
            async with asyncio.timeout(SECONDS), httpx2.AsyncClient(timeout=SECONDS) as client:
                post = client.stream("POST", self._url, content=body, headers=headers)
                async with post as answer:  # what it says beside its status is not read: it may never end
                    is_taken, status = answer.is_success, answer.status_code
        except (TimeoutError, httpx2.TimeoutException):
            raise Undelivered(f"{self.address} did not answer within {SECONDS:.0f} s") from None
        except httpx2.HTTPError as error:
            raise Undelivered(f"{self.address} cannot be reached: {error}"[:500]) from None
        if not is_taken:
            raise Undelivered(f"{self.address} answered HTTP {status}")


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
