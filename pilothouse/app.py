"""Builds a server from settings: the only module that names implementations."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from pilothouse.contracts import Bus, Store
from pilothouse.engine.notification import Channel
from pilothouse.errors import Invalid
from pilothouse.kinds import builtin
from pilothouse.sdk.kind import Kind
from pilothouse.settings import Settings

ENTRY_POINTS = "pilothouse.kinds"


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


def build_channels(settings: Settings) -> list[Channel]:
    """Who is told elsewhere when a long run ends."""
    channels: list[Channel] = []
    if settings.smtp and settings.mail_from:
        from pilothouse.notifiers.smtp import Smtp

        password = settings.smtp_password
        secret = password.get_secret_value() if password else None
        channels.append(Smtp(settings.smtp, secret, settings.mail_from, settings.mail_to))
    if settings.webhook:
        from pilothouse.notifiers.webhook import Webhook

        key = settings.webhook_secret
        channels.append(Webhook(settings.webhook, key.get_secret_value() if key else None))
    return channels


def build_kinds(settings: Settings) -> dict[str, Kind]:
    """The built-in kinds, those of installed packages, and those that the settings name, by name.

    Raises:
        Invalid: A setting or an installed package that names no kind.
    """
    kinds = dict(builtin())
    for path in [*(point.value for point in entry_points(group=ENTRY_POINTS)), *settings.kinds]:
        kind = _load_kind(path)
        kinds[kind.name] = kind
    return kinds


def _load_kind(path: str) -> Kind:
    module, _, name = path.partition(":")
    try:
        kind = getattr(import_module(module), name or "KIND")
    except (ImportError, AttributeError) as error:
        raise Invalid(f"kinds: {path}: {error}", hint="Name it as module:KIND.", field="kinds") from None
    if not isinstance(kind, Kind):
        raise Invalid(f"kinds: {path} is a {type(kind).__name__}, not a Kind", field="kinds")
    return kind
