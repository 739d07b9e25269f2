"""The built-in kinds; guests that know the SDK and nothing of the server."""

from __future__ import annotations

from importlib import import_module

from pilothouse.sdk.kind import Kind

NAMES = ("benchmark", "generation", "synthesis", "autotune", "training", "script")


def builtin() -> dict[str, Kind]:
    """The declarations of the built-in kinds by name; none of their job code is imported."""
    kinds: dict[str, Kind] = {}
    for name in NAMES:
        kind = import_module(f"pilothouse.kinds.{name}").KIND
        assert isinstance(kind, Kind)
        kinds[name] = kind
    return kinds
