"""One finished item, as job code sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

I_co = TypeVar("I_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[I_co]):
    """One finished item.

    Attributes:
        key: Its name within the run.
        ok: False when it ended in an error.
        seconds: How long it took.
        error: `Type: message`, None when it is ok.
        data: Its columns.
        item: What was worked on; None for items of earlier attempts.
    """

    key: str
    ok: bool
    seconds: float
    error: str | None
    data: dict[str, Any] = field(default_factory=dict)
    item: I_co | None = None


def in_words(error: BaseException) -> str:
    """An exception as `Type: message`."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def name_of(key: object) -> str:
    """A key as the log holds it.

    Raises:
        ValueError: It is empty or longer than 512 characters.
    """
    name = str(key)
    if not 1 <= len(name) <= 512:
        raise ValueError(f"an item's key has 1 to 512 characters, this one has {len(name)}: {name[:40]!r}")
    return name
