"""Prompts with `{placeholders}`.

Only `{a_name}` is a placeholder, so JSON may stand in a prompt as it is;
`{{a_name}}` gives `{a_name}` itself. A placeholder without a value is filled with nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}")


def placeholders(template: str) -> list[str]:
    """The names to fill, each once, in order."""
    return list(dict.fromkeys(match[2] for match in _PLACEHOLDER.finditer(template) if match[2]))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with its placeholders filled; what is not text is written as JSON."""

    def one(match: re.Match[str]) -> str:
        return f"{{{match[1]}}}" if match[1] else _text(values.get(match[2]))

    return _PLACEHOLDER.sub(one, template)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
