"""The plan: rules, params that outrank them, and what a model may say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds import builtin
from pilothouse.kinds.models import Model
from pilothouse.kinds.synthesis.params import Params
from pilothouse.kinds.synthesis.plan import NoPlan, Plan, Shape, by_model, by_rules, read_plan

SHAPE = Shape(600, 5, 4)


def params(**more: Any) -> Params:
    return Params.model_validate({"example": "iris", **more})


def methods(plan: Plan) -> list[str]:
    return [step.method for step in plan.steps]


def test_few_rows_begin_with_the_copula_and_many_with_the_gan() -> None:
    few, many = by_rules(params(), Shape(120, 4, 1)), by_rules(params(), SHAPE)

    assert methods(few) == ["copula", "ctgan", "tvae"]
    assert few.rationale == "120 rows are too few for a network (fewer than 200)."
    assert methods(many) == ["ctgan", "copula", "tvae"]
    assert (many.steps[0].epochs, many.steps[0].batch_size, many.by) == (150, 60, "rules")


def test_params_outrank_the_rules() -> None:
    plan = by_rules(params(method="tvae", epochs=7, batch_size=40, backups=0), SHAPE)

    assert [(step.method, step.epochs, step.batch_size) for step in plan.steps] == [("tvae", 7, 40)]


def test_there_are_at_most_five_attempts_and_a_network_that_comes_again_learns_longer() -> None:
    plan = by_rules(params(backups=4, epochs=10), SHAPE)

    assert [(step.method, step.epochs) for step in plan.steps] == [
        ("ctgan", 10),
        ("copula", 1),
        ("tvae", 10),
        ("ctgan", 20),
        ("tvae", 20),
    ]


def test_a_plan_is_the_same_after_it_was_kept() -> None:
    plan = by_rules(params(), SHAPE)

    assert Plan.of(json.loads(json.dumps(plan.data()))) == plan


def test_a_plan_is_told_with_titles_and_what_was_decided_of_each_step() -> None:
    told = by_rules(params(), SHAPE).data()

    assert [(step["title"], step["settings"]) for step in told["steps"][:2]] == [
        ("conditional GAN", {"epochs": 150, "batch size": 60}),
        ("Gaussian copula", {}),
    ]


@pytest.mark.rows("S3.106")
def test_a_models_plan_is_followed_within_bounds() -> None:
    rules = by_rules(params(), SHAPE)
    answer = '<think>{"methods": ["x"]}</think>Sure: {"methods": ["tvae", "copula", "tvae"], "epochs": 99999}'

    plan = read_plan(answer, rules, params(), "planner")

    assert [(step.method, step.epochs) for step in plan.steps] == [("tvae", 2_000), ("copula", 1)]
    assert plan.steps[0].batch_size == rules.steps[0].batch_size
    assert plan.by == "planner"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I would use a GAN.",
        "{",
        '{"methods": []}',
        '{"methods": ["dpgan"]}',
        '{"methods": "ctgan"}',
        "[1]",
        '{"methods": ' + "[" * 100_000 + "}",
    ],
)
def test_an_answer_that_is_no_plan_is_refused(answer: str) -> None:
    with pytest.raises(NoPlan):
        read_plan(answer, by_rules(params(), SHAPE), params(), "planner")


def test_a_model_that_cannot_be_asked_gives_no_plan(tmp_path: Path) -> None:
    model = Model(name="planner", base_url="http://127.0.0.1:9/v1", api_key_env="NO_SUCH_KEY")

    with pytest.raises(NoPlan, match="NO_SUCH_KEY is not set"):
        by_model(model, params(), SHAPE, [], lambda retry: None, tmp_path)


def test_a_planning_model_keeps_the_rate_limit_of_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_OFFLINE_MS_PER_TOKEN", "0")
    model = Model(name="offline", rpm=6_000)

    with pytest.raises(NoPlan):  # it is too small to plan
        by_model(model, params(), SHAPE, [], lambda retry: None, tmp_path / "runs" / "run_1")

    assert len(list((tmp_path / "paces").glob("*.json"))) == 1


def test_the_declaration_imports_nothing_heavy() -> None:
    program = (
        "import sys; from pilothouse.kinds import builtin; builtin()['synthesis'].declaration();"
        "print([name for name in ('numpy', 'torch', 'scipy', 'sklearn', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_plan_is_made_before_torch_and_scipy_are_imported() -> None:
    program = (
        "import sys; import pilothouse.kinds.synthesis.synthesis;"
        "print([name for name in ('torch', 'scipy', 'sklearn', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({"method": "ctgan", "epochs": 10}, 15),
        ({"method": "copula", "epochs": 10}, 6),
        ({"method": "ctgan"}, None),
        ({"epochs": 10}, None),
    ],
)
def test_the_form_knows_the_steps_where_the_params_say_them(given: dict[str, Any], steps: int | None) -> None:
    kind = builtin()["synthesis"]

    assert kind.total
    assert kind.total(kind.validate({"example": "iris", **given})) == steps


def test_the_examples_are_params_that_are_taken() -> None:
    kind = builtin()["synthesis"]

    for example in kind.examples() if kind.examples else ():
        kind.validate(example.params)
