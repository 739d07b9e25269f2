"""Every error Pilothouse raises on purpose.

    PilothouseError
    ├── Unauthorised        401  no valid token, cookie or ticket
    ├── Forbidden           403  the caller may look but not touch
    ├── NotFound            404  the run (or kind, or file) does not exist
    ├── Conflict            409  well formed, but not allowed now
    │   ├── InvalidControl       e.g. resuming a run that already completed
    │   ├── NotRunning           no process works for the run
    │   ├── InvalidTransition    an event that the run's status forbids
    │   ├── LeaseLost            another attempt owns this run; stop writing
    │   └── Changed         412  the run is no longer as the caller saw it
    ├── TooLarge            413  a body, batch or event above its limit
    ├── Invalid             422  malformed input; `field` names the place
    │   └── InvalidParams        params do not match the kind's schema
    └── Unavailable         503  the store cannot commit; try again

Standard library only: the SDK raises some of these inside users' scripts.
"""

from __future__ import annotations

from typing import Any


class PilothouseError(Exception):
    """Base of all deliberate errors.

    Args:
        message: What happened, in one sentence.
        hint: The way out, in one sentence.
        details: Further JSON-ready fields of the error body.
    """

    http_status = 500
    code = "internal"

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def body(self) -> dict[str, Any]:
        """The JSON body that goes under `error` in a response."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            body["hint"] = self.hint
        return body | self.details


class Unauthorised(PilothouseError):
    """No valid token, cookie or ticket came with the request."""

    http_status = 401
    code = "unauthorised"


class Forbidden(PilothouseError):
    """The request is refused whoever asks, or the caller may only look."""

    http_status = 403
    code = "forbidden"


class NotFound(PilothouseError):
    """The run, kind or file does not exist, or the caller may not see it."""

    http_status = 404
    code = "not_found"


class Conflict(PilothouseError):
    """The request is well formed but not allowed now."""

    http_status = 409
    code = "conflict"


class InvalidControl(Conflict):
    """A control that makes no sense now, such as resuming a finished run."""

    code = "invalid_control"


class NotRunning(Conflict):
    """No process works for the run, so that there is nobody to ask."""

    code = "not_running"


class InvalidTransition(Conflict):
    """An event that the run's status forbids."""

    code = "invalid_transition"


class LeaseLost(Conflict):
    """Another attempt owns this run; the writer must stop."""

    code = "fenced"


class Changed(Conflict):
    """The run is no longer in the version that the caller decided on; `version` is the one it has now."""

    http_status = 412
    code = "changed"


class TooLarge(PilothouseError):
    """A body, a batch or an event above its limit."""

    http_status = 413
    code = "too_large"


class Invalid(PilothouseError):
    """Malformed input; `field` names the place."""

    http_status = 422
    code = "invalid"


class InvalidParams(Invalid):
    """Params that do not match the kind's schema; `field` names the first bad one."""

    code = "invalid_params"


class Unavailable(PilothouseError):
    """The store cannot commit at the moment; try again."""

    http_status = 503
    code = "unavailable"
