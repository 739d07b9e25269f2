"""A batch that cannot be made is refused before it begins: the field is named, and the way out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pilothouse.kinds.generation.params import Params
from pilothouse.kinds.generation.rules import Rule


def batch(**more: Any) -> dict[str, Any]:
    """Small params."""
    return {"models": [{"name": "offline"}], "instructions": "Write.", **more}


SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}}


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        ({"models": []}, "models", "pick at least one model"),
        ({"target": 0}, "target", "a target of 0 asks for nothing; name at least 1"),
        ({"target": -5}, "target", "a target of -5 asks for nothing"),
        ({"target": None}, "target", "an endless batch needs a limit"),
        ({"target": None, "budget": 5}, "budget", "never spends it: offline has no price"),
        ({"dataset_target": 50}, "dataset_target", "needs the name of a shared dataset"),
        ({"dataset": "../x", "dataset_target": 5}, "dataset", "cannot name a dataset; use letters"),
        ({"instructions": "About {topic}."}, "instructions", "{topic} needs topics; add some"),
        ({"instructions": "About {subject}."}, "instructions", "{subject} is filled by nothing; there are {topic}"),
        ({"topics": ["tax", "Tax"]}, "topics.1", "'Tax' is named twice"),
        ({"models": [{"name": "a"}, {"name": "a"}]}, "models.1", "'a' is named twice"),
        ({"weights": {"easy": 2}}, "weights.easy", "there is no topic, difficulty or type 'easy'"),
        ({"topics": ["a"], "weights": {"a": 0}}, "weights.a", "must be above 0"),
        ({"sections": ["A"], "sample_schema": SCHEMA}, "sections", "exclude each other"),
        ({"sample_schema": {"type": "array"}}, "sample_schema", "must describe an object"),
        (
            {"sample_schema": {"type": "object", "properties": {"a": {"enum": []}}}},
            "sample_schema",
            "a: enum must list at least one value",
        ),
        ({"rules": [{}]}, "rules.0", "this rule asks for nothing"),
        ({"rules": [{"min_words": 9, "max_words": 3}]}, "rules.0", "nothing is both"),
        ({"rules": [{"must_match": "("}]}, "rules.0.must_match", "is no regular expression"),
        ({"rules": [{"field": "B", "min_words": 3}], "sections": ["A"]}, "rules.0.field", "no field 'B'; they have A"),
        ({"concurrency": 0}, "concurrency", "greater than or equal to 1"),
        ({"more": 1}, "more", "not permitted"),
    ],
)  # fmt: skip
def test_bad_params_name_the_field_and_the_way_out(given: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(batch() | given)

    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == place
    assert words in error["msg"]


@pytest.mark.parametrize(
    "given",
    [
        {"target": None, "time_limit_seconds": 60},
        {"target": None, "dataset": "law", "dataset_target": 500},
        {"target": None, "budget": 5, "models": [{"name": "gpt-4o-mini", "base_url": "https://a/v1"}]},
    ],
)
def test_an_endless_batch_with_a_limit_is_one(given: dict[str, Any]) -> None:
    assert Params.model_validate(batch() | given).target is None


def test_every_param_has_a_title_and_a_description() -> None:
    schema = Params.model_json_schema()
    plain = {"temperature"}

    silent = [
        name
        for name, part in schema["properties"].items()
        if "title" not in part or ("description" not in part and name not in plain)
    ]

    assert silent == []
    assert json.dumps(schema)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"min_words": 3}, "the text has 2 words, fewer than 3"),
        ({"max_words": 1}, "the text has 2 words, more than 1"),
        ({"field": "q", "min_words": 2}, "q has 1 words, fewer than 2"),
        ({"must_match": r"\d"}, "the text holds nothing like '\\\\d'"),
        ({"must_not_match": "WHY"}, "the text holds 'Why'"),
        ({"field": "q", "must_match": "why"}, None),
    ],
)
def test_a_rule_says_what_a_sample_breaks(rule: dict[str, Any], why: str | None) -> None:
    assert Rule.model_validate(rule).broken_by({"q": "Why?"}) == why
