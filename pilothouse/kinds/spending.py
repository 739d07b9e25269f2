"""What the answers of chat models have used up, as columns that every kind which asks them declares alike."""

from __future__ import annotations

from pilothouse.sdk.kind import Column

SPENDING = (
    Column("tokens_in", "Tokens in", "integer", shown=False),
    Column("tokens_out", "Tokens out", "integer", shown=False),
    Column("tokens_estimated", "Tokens estimated", "boolean", shown=False),
    Column("cost", "Cost", "money", shown=False),
)


def dollars(amount: float) -> str:
    """An amount as people write it; a small one is not rounded to nothing."""
    return f"${amount:,.2f}" if amount >= 0.01 else f"${amount:.2g}"
