"""What an autotune refuses before it begins, with the field and the way out; and what a space holds."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pilothouse.kinds.autotune import KIND
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.parts import Parameter
from pilothouse.kinds.autotune.space import (
    choices,
    grid_point,
    holds,
    identity,
    in_words,
    random_points,
    size,
)

ORDER = {"name": "order", "values": [1, 2, 3]}


def refusal(**params: Any) -> tuple[str, str]:
    """Field and message of the first error."""
    with pytest.raises(ValidationError) as refused:
        Params.model_validate({"space": [ORDER], **params})
    first = refused.value.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def space(*parameters: dict[str, Any]) -> list[Parameter]:
    return [Parameter.model_validate(parameter) for parameter in parameters]


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"space": [ORDER], "seed": -1}, "seed", "greater than or equal to 0"),
        ({"space": [ORDER], "seed": 2**32}, "seed", "less than"),
        ({"space": [{"name": "x", "values": ["a" * 10_000, "b"]}]}, "space", "longer than 10,000 bytes"),
        ({"space": []}, "space", "there is nothing to tune; add a parameter"),
        ({"space": [{"name": "order", "values": [1]}]}, "space", "there is one point only"),
        ({"space": [{"name": "order", "type": "int", "low": 2, "high": 2}]}, "space", "one point only"),
        ({"space": [{"name": "order", "values": []}]}, "space.0", "order: there is nothing to try"),
        ({"space": [{"name": "order", "values": [1, 1]}]}, "space.0", "order: 1 is listed twice"),
        ({"space": [{"name": "x", "type": "int", "low": 5, "high": 1}]}, "space.0", "swap them"),
        ({"space": [{"name": "x", "type": "int", "low": 0.5, "high": 1}]}, "space.0", "use float"),
        ({"space": [{"name": "x", "type": "log", "low": 0, "high": 1}]}, "space.0", "begins above 0"),
        ({"space": [{"name": "x", "type": "float", "low": 0}]}, "space.0", "needs low and high"),
        ({"space": [{"name": "x", "type": "int", "low": 0, "high": 1e9}]}, "space.0", "use a larger step"),
        (
            {"space": [{"name": "x", "type": "int", "values": [1]}]},
            "space.0",
            "belong to grid and categorical",
        ),
        ({"space": [{"name": "x", "values": [1, 2], "low": 1}]}, "space.0", "and no low, high, step"),
        ({"space": [{"name": "-x", "values": [1, 2]}]}, "space.0.name", "pattern"),
        ({"space": [ORDER, ORDER]}, "space.1.name", "'order' is there twice"),
        (
            {"space": [{"name": "x", "type": "float", "low": 0, "high": 1}], "strategy": "grid"},
            "space.0",
            "a grid needs steps; give x a count or a step, or choose random or tpe",
        ),
        ({"target": {"server": "vllm"}}, "target", "model: is missing; name the folder or id that vllm"),
        ({"target": {"server": "command"}}, "target", "command: is missing"),
        ({"target": {"server": "command", "command": ["  "]}}, "target", "command: is missing"),
        ({"target": {"server": "url"}}, "target", "base_url: is missing"),
        ({"target": {"server": "url", "base_url": "http://h/v1"}}, "target", "reconfigure_url: is missing"),
        *(
            ({"target": {"server": "url", "base_url": url}}, "target.base_url", "is no address")
            for url in ("h", "http:///v1", "http://h:99999/v1", "http://a b/v1")
        ),
        ({"target": {"api_key_env": "sk-123"}}, "target.api_key_env", "never the key"),
        ({"experiments": 0}, "experiments", "greater than or equal to 1"),
        ({"objectives": []}, "objectives", "at least 1 item"),
        ({"objectives": ["ttft", "ttft"]}, "objectives", "there twice"),
        ({"slo": [{"metric": "speed", "limit": 1}]}, "slo.0.metric", "Input should be"),
        ({"slo": [{"metric": "error_rate", "limit": 0}]}, "slo.0.limit", "greater than 0"),
        ({"load": {"concurrencies": [0]}}, "load.concurrencies", "use 1 to 1,024"),
        ({"load": {"requests": 0}}, "load.requests", "greater than or equal to 1"),
        ({"stop_hopeless": 1}, "stop_hopeless", "greater than 1"),
        ({"colour": "red"}, "colour", "not permitted"),
    ],
)
def test_bad_params_are_refused_with_field_and_way_out(
    params: dict[str, Any], field: str, words: str
) -> None:
    where, message = refusal(**params)

    assert where == field
    assert words in message


def test_every_field_has_a_title_and_a_description() -> None:
    schema = KIND.declaration()["params_schema"]

    for part in (schema, *schema["$defs"].values()):
        for name, field in part["properties"].items():
            assert ("$ref" in field or field.get("title")) and field.get("description"), name


def test_the_declaration_counts_the_experiments() -> None:
    assert KIND.total
    assert KIND.total({"space": [ORDER], "strategy": "grid"}) == 3
    assert KIND.total({"space": [ORDER], "experiments": 2}) == 2
    assert KIND.total({"space": [{"name": "x", "type": "float", "low": 0, "high": 1}]}) == 20


def test_the_examples_are_valid() -> None:
    assert KIND.examples
    for example in KIND.examples():
        assert KIND.validate(example.params)["target"]["server"] == "offline"


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ({"name": "x", "values": [True, 1, "a"]}, [True, 1, "a"]),
        ({"name": "x", "type": "int", "low": 1, "high": 6, "step": 2}, [1, 3, 5]),
        ({"name": "x", "type": "float", "low": 0.1, "high": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),
        ({"name": "x", "type": "float", "low": 0, "high": 1, "count": 3}, [0, 0.5, 1]),
        ({"name": "x", "type": "log", "low": 1, "high": 100, "count": 3}, [1, 10, 100]),
        ({"name": "x", "type": "log", "low": 1, "high": 100}, None),
    ],
)
def test_a_parameter_has_its_values(parameter: dict[str, Any], values: list[Any] | None) -> None:
    assert choices(space(parameter)[0]) == values


def test_a_grid_has_every_point_once_and_the_last_parameter_changes_first() -> None:
    parts = space({"name": "a", "values": [1, 2]}, {"name": "b", "values": ["x", "y", "z"]})

    points = [grid_point(parts, number) for number in range(size(parts) or 0)]

    assert [in_words(point) for point in points[:4]] == ["a=1, b=x", "a=1, b=y", "a=1, b=z", "a=2, b=x"]
    assert len({identity(point) for point in points}) == 6


@given(st.integers())
def test_chance_draws_every_point_of_a_finite_space_once_and_alike_for_a_seed(seed: int) -> None:
    parts = space({"name": "a", "values": [1, True, 2]}, {"name": "b", "type": "int", "low": 1, "high": 5})

    points = list(random_points(parts, seed))

    assert len({identity(point) for point in points}) == len(points) == 15
    assert points == list(random_points(parts, seed))


def test_chance_stays_within_endless_and_within_huge_spaces() -> None:
    endless = space(
        {"name": "x", "type": "log", "low": 1e-3, "high": 10},
        {"name": "y", "type": "float", "low": 0, "high": 1},
    )
    huge = space(*({"name": f"p{n}", "type": "int", "low": 1, "high": 1000} for n in range(4)))

    drawn = list(islice(random_points(endless, 1), 500))

    assert all(1e-3 <= point["x"] <= 10 and 0 <= point["y"] <= 1 for point in drawn)  # type: ignore[operator]
    assert 0.3 < sum(point["x"] < 0.1 for point in drawn) / 500 < 0.7  # type: ignore[operator]
    assert size(huge) == 10**12
    assert len(list(islice(random_points(huge, 1), 100))) == 100


def part(**fields: Any) -> Parameter:
    return Parameter.model_validate({"name": "x", **fields})


def test_a_range_with_fewer_digits_than_its_ends_is_never_left_and_comes_to_an_end() -> None:
    narrow = [part(type="float", low=0.1234567, high=0.1234569)]

    points = list(random_points(narrow, 1))

    assert points
    assert all(0.1234567 <= float(point["x"]) <= 0.1234569 for point in points)


def test_the_last_of_many_points_are_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.kinds.autotune.space._SHUFFLED_BELOW", 10)
    monkeypatch.setattr("pilothouse.kinds.autotune.space._MOST_REPEATS", 2)
    many = [part(type="int", low=1, high=50)]

    assert sorted(int(point["x"]) for point in random_points(many, 1)) == list(range(1, 51))


@pytest.mark.parametrize(
    ("fields", "value", "is_held"),
    [
        ({"values": [1, 2]}, 2, True),
        ({"values": [1, 2]}, True, False),
        ({"values": [1, 2]}, 3, False),
        ({"type": "int", "low": 1, "high": 9, "step": 2}, 4, False),
        ({"type": "float", "low": 0, "high": 1}, 0.5, True),
        ({"type": "float", "low": 0, "high": 1}, 1.5, False),
        ({"type": "log", "low": 1, "high": 9}, "fast", False),
    ],
)
def test_a_space_knows_its_points(fields: dict[str, Any], value: Any, is_held: bool) -> None:
    assert holds([part(**fields)], {"x": value}) == is_held
    assert not holds([part(**fields)], {"x": value, "y": 1})
