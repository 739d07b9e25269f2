"""Requests that are tried again are told, and fill no log."""

from __future__ import annotations

from pilothouse.kinds.retries import EACH_RETRY, Retries
from pilothouse.llm.client import Model, Retry
from pilothouse.llm.errors import RateLimited


def test_the_first_retries_of_a_model_are_told_then_fewer_and_fewer() -> None:
    told: list[str] = []
    tell = Retries(told.append)

    for _ in range(10_000):
        tell(Retry(Model("slow"), RateLimited("429 from slow."), 1, 3, 2.0))
    tell(Retry(Model("other"), RateLimited("429 from other."), 1, 3, 2.0))

    assert told[:EACH_RETRY] == ["429 from slow. Retry 1/3 in 2.0 s."] * EACH_RETRY
    assert told[EACH_RETRY:] == [
        *(
            f"429 from slow. Retry 1/3 in 2.0 s. It is the {count}th of this model."
            for count in ("100", "1,000", "10,000")
        ),
        "429 from other. Retry 1/3 in 2.0 s.",
    ]
