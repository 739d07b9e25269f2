"""Which files of a group stay."""

from __future__ import annotations

import pytest

from pilothouse.engine.keeping import surplus
from pilothouse.sdk.kind import Keep

STEPS = [f"checkpoints/step-{step}.pt" for step in (100, 200, 300, 400, 500)]
RULE = Keep("checkpoints/", newest=2)
BEST = Keep("checkpoints/", newest=1, metric="eval_loss")


def test_the_newest_stay_and_other_files_are_left_alone() -> None:
    assert surplus(["report.json", *STEPS, "model.zip"], RULE) == STEPS[:3]


def test_fewer_than_the_rule_keeps_all_stay() -> None:
    assert surplus(STEPS[:2], RULE) == []
    assert surplus([], RULE) == []


def test_the_best_one_always_stays() -> None:
    points = [(100, 0.9), (200, 0.2), (300, 0.2), (400, 0.5), (500, 0.6)]

    assert surplus(STEPS, BEST, points) == [STEPS[0], STEPS[2], STEPS[3]]


def test_a_high_value_is_the_best_where_the_rule_says_so() -> None:
    rule = Keep("checkpoints/", newest=1, metric="f1", goal="max")

    assert surplus(STEPS[:3], rule, [(100, 0.9), (200, 0.2)]) == [STEPS[1]]


def test_a_step_without_a_value_counts_with_the_last_before_it() -> None:
    assert surplus(STEPS[:3], BEST, [(90, 0.1), (150, 0.5)]) == [STEPS[1]]


def test_without_values_nobody_is_best() -> None:
    assert surplus(STEPS[:3], BEST, []) == STEPS[:2]


def test_the_files_of_a_folder_go_together_and_one_that_still_grows_is_not_counted() -> None:
    def files(step: int) -> list[str]:
        return [f"checkpoints/step-{step}/{name}" for name in ("model.safetensors", "optimizer.pt")]

    rule = Keep("checkpoints/", newest=1)
    growing = [*files(1), *files(2), files(3)[0]]

    assert surplus(growing, rule) == files(1)
    assert surplus([*files(1), files(2)[0]], rule) == []


@pytest.mark.parametrize("name", ["last.pt", "step-.pt", "best"])
def test_a_name_without_a_step_is_never_the_best(name: str) -> None:
    assert surplus([f"checkpoints/{name}", *STEPS[:2]], BEST, [(100, 0.5)]) == [f"checkpoints/{name}"]
