"""Which topic, difficulty and type the next sample has, so that the kept ones come out in proportion.

Each choice goes to the name with the highest quotient weight / (2 × samples + 1): the
method of Webster and Sainte-Laguë (Balinski and Young, "Fair Representation", 1982). Among equals
that one is taken that has met the other names of this sample least often, so that pairs are spread as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    """What a sample is about; an empty name where nothing was given to choose from."""

    topic: str = ""
    difficulty: str = ""
    type: str = ""

    @property
    def label(self) -> str:
        """In one line."""
        return " · ".join(filter(None, (self.topic, self.difficulty, self.type)))


Weights = Mapping[str, float]


@dataclass(slots=True)
class Mix:
    """Counts the samples that are kept or in hand, and chooses the next cell.

    Args:
        topics, difficulties, types: Names with their weights; empty: nothing to choose.
    """

    topics: Weights
    difficulties: Weights
    types: Weights
    _counts: Counter[tuple[str, ...]] = field(default_factory=Counter, init=False)

    def add(self, cell: Cell, count: int = 1) -> None:
        """A sample of this cell is begun or kept; -1: it was not kept."""
        for key in (
            ("topic", cell.topic),
            ("difficulty", cell.difficulty),
            ("type", cell.type),
            ("pair", cell.topic, cell.difficulty),
            ("pair", cell.topic, cell.type),
            ("pair", cell.difficulty, cell.type),
        ):
            self._counts[key] += count

    def next(self, is_open: Callable[[str], bool] = lambda topic: True) -> Cell | None:
        """The next cell; None when no topic is open.

        Args:
            is_open: Whether a topic may be used now.
        """
        topics = {name: weight for name, weight in self.topics.items() if is_open(name)}
        if self.topics and not topics:
            return None
        if not self.topics and not is_open(""):
            return None
        topic = self._choose("topic", topics, ())
        difficulty = self._choose("difficulty", self.difficulties, (topic,))
        type_ = self._choose("type", self.types, (topic, difficulty))
        return Cell(topic, difficulty, type_)

    def _choose(self, part: str, weights: Weights, met: Sequence[str]) -> str:
        """The name of a part that is most due; `met` are the names that this sample has already."""
        counts = self._counts

        def due(name: str) -> tuple[float, int]:
            pairs = sum(counts["pair", other, name] for other in met)
            return weights[name] / (2 * counts[part, name] + 1), -pairs

        return max(weights, key=due, default="")
