"""What fields of the kinds' params have in common."""

from __future__ import annotations

from typing import Any


def advanced(widget: str | None = None, unit: str | None = None, **hints: Any) -> dict[str, Any]:
    """The hints of a field that few people need: forms keep it folded away.

    Args:
        widget: How the form draws it, where its type does not say so.
        unit: Shown behind the number, such as `s`.
        hints: Anything else that the JSON Schema of the field shall say.
    """
    named = {"x-widget": widget, "x-unit": unit}
    return {"x-group": "advanced", **{key: word for key, word in named.items() if word}, **hints}
