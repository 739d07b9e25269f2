"""Code findings with ground truth, as params to start from; the data lie beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilothouse.kinds.config import load_params

FOLDER = Path(__file__).parent
QUICK_CASES = 20
QUICK_PROMPTS = 2


def demo() -> dict[str, Any]:
    """All cases and prompts with the offline model."""
    return load_params(FOLDER / "benchmark.toml")


def quick() -> dict[str, Any]:
    """A short run: every third case and the first prompts."""
    params = demo()
    return params | {
        "cases": params["cases"][::3][:QUICK_CASES],
        "prompts": params["prompts"][:QUICK_PROMPTS],
    }
