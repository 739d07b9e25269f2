"""What can go wrong between a job and a chat model.

    PilothouseError
    └── ModelError           502  base; `is_passing` errors are tried again
        ├── MissingKey            the environment variable of the API key is not set, or holds no key
        ├── KeyRejected           401, 403
        ├── Unreachable           no connection
        ├── UnknownModel          404
        ├── RequestRefused        400, 413, 422 and other 4xx
        ├── RateLimited           429, still after all tries
        ├── ServerFault           5xx
        ├── TimedOut              no answer in time
        └── BadResponse           an answer that is no chat completion

Each names the provider and says the way out.
"""

from __future__ import annotations

from pilothouse.errors import PilothouseError


class ModelError(PilothouseError):
    """A chat model did not answer.

    Attributes:
        is_passing: True when the same request may succeed later.
        is_hopeless: True when no request to this model can succeed until somebody changes something.
        attempts: How often it was tried.
        retry_after: Seconds that the provider asks to wait.
    """

    http_status = 502
    code = "provider"
    is_passing = False
    is_hopeless = False

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.attempts = 1
        self.retry_after = retry_after


class MissingKey(ModelError):
    """The environment variable that should hold the API key is not set, or holds no key."""

    code = "provider_key_missing"
    is_hopeless = True


class KeyRejected(ModelError):
    """The provider does not accept the API key."""

    code = "provider_auth"
    is_hopeless = True


class Unreachable(ModelError):
    """Nobody answers at the address."""

    code = "provider_unreachable"
    is_passing = True
    is_hopeless = True


class UnknownModel(ModelError):
    """The provider has no such model."""

    code = "provider_model"
    is_hopeless = True


class RequestRefused(ModelError):
    """The provider does not take this request."""

    code = "provider_request"


class RateLimited(ModelError):
    """Too many requests."""

    code = "provider_rate"
    is_passing = True


class ServerFault(ModelError):
    """The provider has an error of its own."""

    code = "provider_fault"
    is_passing = True


class TimedOut(ModelError):
    """No answer in time."""

    code = "provider_timeout"
    is_passing = True


class BadResponse(ModelError):
    """The answer is no chat completion."""

    code = "provider_response"
