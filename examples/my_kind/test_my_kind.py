"""What every kind promises, and what this one does."""

from random import Random

from my_kind.job import hits
from pilothouse.testing.kind_contract import KindContract


class TestContract(KindContract):
    """Declared plainly, refuses nonsense, streams, pauses, resumes, cancels, repeats nothing after a kill."""

    path = "my_kind:KIND"
    steered = {"batches": 20, "wait_seconds": 0.2}


def test_about_three_of_four_darts_hit() -> None:
    assert 0.77 < hits(Random(1), 10_000) / 10_000 < 0.80
