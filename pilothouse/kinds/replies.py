"""What every kind reads out of a model's reply: the part that is said, and the objects in it.

Nothing here raises, whatever a model writes.
"""

from __future__ import annotations

import json
import re
from typing import Any

_THINK_OPEN = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THINK_CLOSE = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_OBJECT = re.compile(r'\{\s*["}]')
_MOST_FAILURES = 200  # each may read to the end of the text


def without_thinking(text: str) -> tuple[str, str]:
    """The answer without its `<think>` blocks, and what they hold. An open block reaches to the end."""
    said: list[str] = []
    thought: list[str] = []
    place = 0
    while opened := _THINK_OPEN.search(text, place):
        said.append(text[place : opened.start()])
        closed = _THINK_CLOSE.search(text, opened.end())
        thought.append(text[opened.end() : closed.start() if closed else len(text)])
        place = closed.end() if closed else len(text)
    said.append(text[place:])
    rest = "".join(said)
    for closed in list(_THINK_CLOSE.finditer(rest))[-1:]:  # some servers leave the opening tag out
        thought.append(rest[: closed.start()])
        rest = rest[closed.end() :]
    return rest, "\n".join(thought).strip()


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, fenced or bare, outermost only; braces of other languages are passed over."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    place = failures = 0
    while failures < _MOST_FAILURES and (begin := _OBJECT.search(text, place)):
        try:
            value, place = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            place = begin.end() - 1
            failures += 1
        else:
            found.append(value)
    return found
