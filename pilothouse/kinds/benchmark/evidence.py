"""Is the winner known yet?

Each pair of a model and a prompt has tests done and tests left. The winner is
*decided* when no outcome of the tests left can change it: an exact bound. Before
that, the *evidence* is how likely the leader is to be the winner at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ALMOST = 0.99


@dataclass(frozen=True, slots=True)
class Standing:
    """How a pair stands.

    Attributes:
        correct: Right answers so far.
        done: Tests so far, errors included.
        left: Tests still to come.
    """

    name: str
    correct: int
    done: int
    left: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the results so far say about the winner.

    Attributes:
        value: 0 to 1; 1 exactly when nothing can change any more.
        leader: The pair in front, None when several share the place.
        verdict: One sentence.
    """

    value: float
    leader: str | None
    verdict: str

    @property
    def is_decided(self) -> bool:
        """True when the tests left cannot change the winner."""
        return self.value >= 1


def weigh(standings: Sequence[Standing]) -> Evidence:
    """Judge the race between pairs."""
    done = sum(standing.done for standing in standings)
    left = sum(standing.left for standing in standings)
    if len(standings) < 2:
        value = done / (done + left) if done + left else 1.0
        return Evidence(value, None, "One model and one prompt: there is nothing to compare.")
    ranked = sorted(standings, key=lambda standing: -standing.correct)
    first, rivals = ranked[0], ranked[1:]
    most = max(rival.correct + rival.left for rival in rivals)
    if first.correct > most:
        return Evidence(1.0, first.name, _won(first, most, left))
    if left == 0:
        names = " and ".join(rival.name for rival in ranked if rival.correct == first.correct)
        return Evidence(1.0, None, f"Level at the end: {names}, {first.correct} right each.")
    ranked.sort(key=_expected, reverse=True)
    leader = ranked[0]
    doubt = sum(1 - _beats(leader, rival) for rival in ranked[1:])
    value = min(ALMOST, max(0.0, 1 - doubt))
    text = f"{leader.name} leads with {leader.correct} of {leader.done}; {left} tests can still change that."
    return Evidence(value, leader.name, text)


def _won(first: Standing, most: int, left: int) -> str:
    if not left:
        return f"{first.name} wins with {first.correct} of {first.done} right."
    return f"{first.name} has won: {first.correct} right, no other can get more than {most}."


def _expected(standing: Standing) -> float:
    """Right answers to expect at the end."""
    return standing.correct + standing.left * _rate(standing)


def _rate(standing: Standing) -> float:
    """Share of right answers to expect: the mean of a Beta posterior with a flat prior."""
    return (standing.correct + 1) / (standing.done + 2)


def _spread(standing: Standing) -> float:
    """Variance of the right answers among the tests left: that of a beta-binomial."""
    rate, seen, left = _rate(standing), standing.done + 2, standing.left
    return left * rate * (1 - rate) * (seen + left) / (seen + 1)


def _beats(one: Standing, other: Standing) -> float:
    """Probability that one ends with more right answers than the other; normal, with half a step off."""
    lead = _expected(one) - _expected(other) - 0.5
    spread = math.sqrt(_spread(one) + _spread(other))
    if spread == 0:
        return 1.0 if lead > 0 else 0.0
    return 0.5 * (1 + math.erf(lead / spread / math.sqrt(2)))
