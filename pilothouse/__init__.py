"""Pilothouse: watch any long AI job live and steer it; nothing is lost.

The public names are loaded when they are first used, so `import pilothouse`
costs a script a few milliseconds and the standard library only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pilothouse.version import __version__

if TYPE_CHECKING:
    from pilothouse.sdk.done import Done
    from pilothouse.sdk.handle import RunHandle
    from pilothouse.sdk.kind import Kind
    from pilothouse.sdk.run import run, track
    from pilothouse.sdk.signals import Cancelled, ItemFailed

__all__ = ["Cancelled", "Done", "ItemFailed", "Kind", "RunHandle", "__version__", "run", "track"]

_HOMES = {
    "Cancelled": "pilothouse.sdk.signals",
    "Done": "pilothouse.sdk.done",
    "ItemFailed": "pilothouse.sdk.signals",
    "Kind": "pilothouse.sdk.kind",
    "RunHandle": "pilothouse.sdk.handle",
    "run": "pilothouse.sdk.run",
    "track": "pilothouse.sdk.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pilothouse' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
