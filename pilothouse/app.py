"""Builds a server from settings: the only module that names implementations."""

from __future__ import annotations

from urllib.parse import urlsplit

from pilothouse.contracts import Bus, Store
from pilothouse.errors import Invalid
from pilothouse.settings import Settings


def build_store(settings: Settings) -> Store:
    """The store that the database URL's scheme names.

    Raises:
        Invalid: An unknown scheme.
    """
    url = settings.database_url
    match urlsplit(url).scheme.partition("+")[0]:
        case "sqlite" | "postgresql" | "postgres":
            from pilothouse.stores.sql import SqlStore

            return SqlStore(url)
        case "memory":
            from pilothouse.stores.memory import MemoryStore

            return MemoryStore()
        case other:
            hint = "Use sqlite:///path, postgresql://… or memory:"
            raise Invalid(f"database: unknown scheme {other!r}", hint=hint, field="database")


def build_bus(settings: Settings) -> Bus:
    """The bus that the URL's scheme names.

    Raises:
        Invalid: An unknown scheme.
    """
    match urlsplit(settings.bus).scheme:
        case "memory":
            from pilothouse.buses.memory import MemoryBus

            return MemoryBus()
        case "redis" | "rediss":
            from pilothouse.buses.redis import RedisBus

            return RedisBus(settings.bus)
        case other:
            hint = "Use memory: or redis://…"
            raise Invalid(f"bus: unknown scheme {other!r}", hint=hint, field="bus")
