"""Votes: what counts as which, and which count as equal.

A vote is recognised in any case and with spaces, hyphens or underscores:
`False positive`, `false-positive` and `FALSE_POSITIVE` are one vote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NOISE = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """A vote's spelling without case, spaces and punctuation."""
    return _NOISE.sub(" ", text).strip().casefold()


@dataclass(frozen=True, slots=True)
class Ballot:
    """The votes to choose from.

    Attributes:
        names: Their names, in the declared order.
        spellings: Plain spelling → name; synonyms included.
        group: Name → the first name of its group; votes of one group count as equal.
    """

    names: tuple[str, ...]
    spellings: dict[str, str]
    group: dict[str, str]

    @classmethod
    def of(cls, votes: Iterable[tuple[str, Sequence[str]]], equal: Iterable[Sequence[str]] = ()) -> Ballot:
        """A ballot from `(name, synonyms)` pairs and groups.

        Raises:
            ValueError: A spelling stands for two votes.
        """
        spellings: dict[str, str] = {}
        names = []
        for name, synonyms in votes:
            names.append(name)
            for word in (name, *synonyms):
                known = spellings.setdefault(plain(word), name)
                if known != name or not plain(word):
                    other = f"both {known} and {name}" if plain(word) else name
                    raise ValueError(f"{word!r} stands for {other}; use different words")
        if len(set(names)) < len(names):
            raise ValueError("a vote is declared twice; keep one of the two")
        return cls(tuple(names), spellings, _groups(names, spellings, equal))

    def find(self, text: str) -> str | None:
        """The vote that a text names, None when it names none."""
        return self.spellings.get(plain(text))

    def same(self, one: str | None, other: str | None) -> bool:
        """True when both are votes and count as equal."""
        return one is not None and other is not None and self.group.get(one) == self.group.get(other)


def _groups(
    names: Sequence[str], spellings: dict[str, str], equal: Iterable[Sequence[str]]
) -> dict[str, str]:
    group = {name: name for name in names}
    for words in equal:
        members = [spellings[plain(word)] for word in words if plain(word) in spellings]
        heads = {group[member] for member in members}
        if not heads:
            continue
        first = next(name for name in names if group[name] in heads)
        group = {name: first if head in heads else head for name, head in group.items()}
    return group
