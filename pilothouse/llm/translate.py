"""The SDK's errors in our words: what happened, and the way out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pilothouse.llm.errors import (
    BadResponse,
    KeyRejected,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFault,
    TimedOut,
    UnknownModel,
    Unreachable,
)
from pilothouse.llm.pace import read_retry_after

_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Where:
    """What an error should name."""

    name: str
    model_id: str
    base_url: str
    api_key_env: str | None
    timeout: float

    @property
    def provider(self) -> str:
        """Host and port of the endpoint."""
        return urlsplit(self.base_url).netloc or self.base_url


def translate(error: Exception, where: Where) -> ModelError:
    """The error that a request ended in, as one of ours."""
    import openai

    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APITimeoutError):
        return TimedOut(
            f"{where.provider} did not answer within {where.timeout:g} s.",
            hint="Raise timeout_seconds, or lower concurrency.",
        )
    if isinstance(error, openai.APIConnectionError):
        return Unreachable(
            f"Nobody answers at {where.base_url} ({_cause(error)}).",
            hint="Is the server running, and is base_url right as seen from the run's host?",
        )
    if isinstance(error, openai.APIStatusError):
        return _status(error, where)
    return BadResponse(
        f"{where.provider} answered with something that cannot be read ({type(error).__name__}).",
        hint=f"Is {where.base_url} the address of the API? It often ends in /v1.",
    )


def _cause(error: Exception) -> str:
    return str(error.__cause__ or error) or type(error).__name__


def _status(error: Any, where: Where) -> ModelError:
    """An answer with a status of 400 or more."""
    status = int(error.status_code)
    quoted = _quote(error)
    retry_after = read_retry_after(error.response.headers.get("retry-after"), time.time())
    match status:
        case 401 | 403:
            return _rejected(status, where)
        case 404:
            return UnknownModel(
                f"{where.provider} knows no model {where.model_id!r} (HTTP 404).",
                hint=f"Models are listed at {where.base_url.rstrip('/')}/models; base_url often ends in /v1.",
            )
        case 408:
            return TimedOut(f"{where.provider} gave up waiting (HTTP 408).", retry_after=retry_after)
        case 429:
            return RateLimited(
                f"429 from {where.name}.",
                hint=f"Lower concurrency, or set rpm for the model. {where.provider} says: {quoted}",
                retry_after=retry_after,
            )
        case _ if status >= 500 or status == 409:
            return ServerFault(
                f"{status} from {where.name}: {quoted}",
                hint=f"The fault lies with {where.provider}; retry later.",
                retry_after=retry_after,
            )
        case _:
            return RequestRefused(
                f"{where.provider} refused the request (HTTP {status}): {quoted}",
                hint="Does this model support the answer format, temperature and length that were asked for?",
            )


def _rejected(status: int, where: Where) -> KeyRejected:
    if where.api_key_env is None:
        hint = f"Give the model {where.name} an api_key_env: the variable that holds its key."
    else:
        hint = f"Set {where.api_key_env} to a valid key where the run's host starts, then retry what is left."
    return KeyRejected(f"Provider {where.provider} rejected the API key (HTTP {status}).", hint=hint)


def _quote(error: Any) -> str:
    """The provider's own words, on one line."""
    body = error.body
    text = body.get("message") if isinstance(body, dict) else None
    text = " ".join(str(text or error.message).split())
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
