"""Legal questions and answers, as params to start from; the data lie beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilothouse.kinds.config import load_params

FOLDER = Path(__file__).parent
QUICK_TARGET = 20


def demo() -> dict[str, Any]:
    """All topics, difficulties and types with the offline model."""
    return load_params(FOLDER / "generation.toml")


def quick() -> dict[str, Any]:
    """A short batch."""
    return demo() | {"target": QUICK_TARGET}
