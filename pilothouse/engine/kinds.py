"""Kinds as the engine sees them: what it needs of a declaration, and what a refusal of params becomes.

Kinds are guests. The engine never imports one; whatever fits the protocol will do.
"""

from __future__ import annotations

from typing import Any, Protocol

from pilothouse.errors import InvalidParams


class KindSpec(Protocol):
    """What the engine needs of a kind's declaration."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def prefix(self) -> str: ...  # noqa: D102
    @property
    def entry(self) -> str: ...  # noqa: D102
    @property
    def live_params(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def max_attempts(self) -> int: ...  # noqa: D102
    @property
    def backoff_seconds(self) -> float: ...  # noqa: D102
    @property
    def can_release(self) -> bool: ...  # noqa: D102
    @property
    def cost_metric(self) -> str | None: ...  # noqa: D102
    @property
    def ends_at(self) -> str | None: ...  # noqa: D102
    def stuck_after(self, params: dict[str, Any]) -> float: ...  # noqa: D102
    def validate(self, params: dict[str, Any]) -> dict[str, Any]: ...  # noqa: D102


def invalid_params(error: ValueError) -> InvalidParams:
    """One message for people, all of pydantic's for forms."""
    listed = getattr(error, "errors", None)
    if listed is None:
        return InvalidParams(str(error), field="params")
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]) or "params", "message": _plain(item["msg"])}
        for item in listed(include_url=False, include_context=False, include_input=False)
    ]
    first = errors[0]
    return InvalidParams(f"{first['field']}: {first['message']}", field=first["field"], errors=errors)


_PLAINER = {
    "Extra inputs are not permitted": "there is no such field",
    "Field required": "is missing",
}


def _plain(message: str) -> str:
    """Pydantic's words, plainer."""
    return _PLAINER.get(message, message.removeprefix("Value error, "))
