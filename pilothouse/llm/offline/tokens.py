"""Text to tokens and back.

A token is a word, a number or a sign; `snake_case` and `camelCase` fall into
their words, so that code and prose share a vocabulary. Case is kept by the
spans of the text alone: the model itself knows lower-case words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+|[^\w\s]|_")
_NO_SPACE_BEFORE = frozenset(".,;:!?)")
_NO_SPACE_AFTER = frozenset("(")
_SENTENCE_END = frozenset(".!?")


def tokenise(text: str) -> list[str]:
    """The tokens of a text in lower case."""
    return [match[0].lower() for match in _TOKEN.finditer(text)]


def pieces(text: str) -> list[str]:
    """The text cut into one piece per token; joined they are the text again."""
    ends = [match.end() for match in _TOKEN.finditer(text)]
    if not ends:
        return [text] if text else []
    ends[-1] = len(text)
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def write(tokens: Iterable[str]) -> str:
    """Tokens as prose: spaces where they belong, a capital at the start of a sentence."""
    text = ""
    begins = True
    for token in tokens:
        if text and token not in _NO_SPACE_BEFORE and text[-1] not in _NO_SPACE_AFTER:
            text += " "
        text += token.capitalize() if begins and token.isalpha() else token
        begins = token in _SENTENCE_END
    return text
