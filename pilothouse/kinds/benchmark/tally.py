"""The results so far, as the numbers that the panels show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.kinds.benchmark.analysis import Judged
from pilothouse.kinds.benchmark.evidence import Evidence, Standing, weigh
from pilothouse.kinds.benchmark.ordered import Ordered
from pilothouse.kinds.benchmark.votes import Ballot

Pair = tuple[str, str]
SEPARATOR = " × "


class Tally:
    """Counts finished tests. One more takes no longer, however many there are already.

    Args:
        planned: Tests of each pair of a model and a prompt.
    """

    def __init__(self, ballot: Ballot, planned: Mapping[Pair, int]) -> None:
        self._ballot = ballot
        self._planned = dict(planned)
        self._done: Counter[Pair] = Counter()
        self._correct: Counter[Pair] = Counter()
        self._judged = Judged()
        self._milliseconds = Ordered()
        self._closed: set[str] = set()
        self._evidence: Evidence | None = None
        self.count = 0
        self.errors = 0
        self._parsed = 0
        self._tokens = 0
        self._cost: float | None = None

    @property
    def spent(self) -> float:
        """Dollars, as far as prices are known."""
        return self._cost or 0.0

    def close(self, model: str) -> None:
        """No further test of this model will come."""
        if model not in self._closed:
            self._closed.add(model)
            self._evidence = None

    def add(self, *, ok: bool, data: Mapping[str, Any]) -> None:
        """Count one finished test by its columns."""
        pair = (str(data.get("model")), str(data.get("prompt")))
        self.count += 1
        self._evidence = None
        self._done[pair] += 1
        self._tokens += (data.get("tokens_in") or 0) + (data.get("tokens_out") or 0)
        if data.get("cost") is not None:
            self._cost = self.spent + data["cost"]
        if not ok:
            self.errors += 1
            return
        self._correct[pair] += bool(data.get("correct"))
        self._parsed += data.get("predicted") is not None
        self._judged.add(self._head(data.get("expected")) or "", self._head(data.get("predicted")))
        if data.get("milliseconds") is not None:
            self._milliseconds.add(data["milliseconds"])

    def metrics(self) -> dict[str, float | None]:
        """The metrics of the declaration."""
        answered = self.count - self.errors
        found = self._judged.quality
        return {
            "accuracy": self._correct.total() / self.count if self.count else None,
            "errors": self.errors,
            "parse_rate": self._parsed / answered if answered else None,
            "precision": found.precision,
            "recall": found.recall,
            "f1": found.f1,
            "p50_ms": self._milliseconds.quantile(0.5),
            "p95_ms": self._milliseconds.quantile(0.95),
            "tokens": self._tokens,
            "cost": self._cost,
            "evidence": self.evidence().value,
        }

    def evidence(self) -> Evidence:
        """Whether the winner is known."""
        if self._evidence is None:
            self._evidence = weigh(list(self.standings()))
        return self._evidence

    def standings(self) -> Iterable[Standing]:
        """How each pair stands."""
        for pair, planned in self._planned.items():
            done = self._done[pair]
            left = 0 if pair[0] in self._closed else max(0, planned - done)
            yield Standing(SEPARATOR.join(pair), self._correct[pair], done, left)

    def _head(self, vote: str | None) -> str | None:
        """The one name of votes that count as equal."""
        return None if vote is None else self._ballot.group.get(vote, vote)
