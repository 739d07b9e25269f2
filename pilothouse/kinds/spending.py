"""What the answers of chat models have used up, as columns that every kind which asks them declares alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pilothouse.sdk.kind import Column

SPENDING = (
    Column("tokens_in", "Tokens in", "integer", shown=False),
    Column("tokens_out", "Tokens out", "integer", shown=False),
    Column("tokens_estimated", "Tokens estimated", "boolean", shown=False),
    Column("cost", "Cost", "money", shown=False),
)


def uncounted(models: Iterable[str], cost: Callable[[str, int, int], float | None]) -> str | None:
    """A line that says which models a budget does not count, since they have no price; None when it counts all.

    Args:
        models: Their names.
        cost: Of a model's answer with so many tokens in and out.
    """
    unpriced = [name for name in models if cost(name, 1, 1) is None]
    if not unpriced:
        return None
    return f"The budget does not count {', '.join(unpriced)}: no price is known. Name a price table under prices."


def dollars(amount: float) -> str:
    """An amount as people write it; a small one is not rounded to nothing."""
    return f"${amount:,.2f}" if amount >= 0.01 else f"${amount:.2g}"
