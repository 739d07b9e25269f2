"""G11: the properties of the fold, tried with far more logs than `make test` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from tests.chaos import scale
from tests.chaos.conftest import AddRow
from tests.chaos.tally import TABLE, Tally
from tests.engine import test_fold_properties as properties

pytestmark = pytest.mark.timeout(scale.LONG_SECONDS)
EXAMPLES = scale.times(3000, 50)


def held() -> list[Callable[..., None]]:
    """The properties, without the counts of their own."""
    return [
        free(test.hypothesis.inner_test)
        for name, test in vars(properties).items()
        if name.startswith("test_")
    ]


def free(holds: Callable[[Any], None]) -> Callable[..., None]:
    """The same property as a function that has not been decorated."""

    def tries(tried: Any) -> None:
        holds(tried)

    return tries


def test_no_log_makes_progress_go_back(add_row: AddRow) -> None:
    tally = Tally("G11")

    for holds in held():
        settings(max_examples=EXAMPLES, deadline=None, database=None)(given(properties.TRIED)(holds))()

    assert len(held()) >= 8
    add_row(TABLE, **tally.row(f"{len(held())} properties of the fold, {EXAMPLES} logs each"))
